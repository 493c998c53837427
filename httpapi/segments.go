package httpapi

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetDataSegments implements wire.StrictServerInterface.
func (s *Server) GetDataSegments(ctx context.Context, request wire.GetDataSegmentsRequestObject) (wire.GetDataSegmentsResponseObject, error) {
	all, err := s.engine.Segments(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	segments, page := cutPage(all, request.Params.Limit, request.Params.Offset)
	out := wire.SegmentPage{Count: page.count, Limit: page.limit, Offset: page.offset, HasMore: page.more, List: make([]wire.Segment, 0, len(segments))}
	for i := range segments {
		out.List = append(out.List, segmentToWire(&segments[i]))
	}
	return wire.GetDataSegments200JSONResponse{Result: out}, nil
}

// GetDataSegmentsId implements wire.StrictServerInterface.
func (s *Server) GetDataSegmentsId(ctx context.Context, request wire.GetDataSegmentsIdRequestObject) (wire.GetDataSegmentsIdResponseObject, error) {
	all, err := s.engine.Segments(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(g analytics.Segment) bool { return g.ID == request.Id })
	if i < 0 {
		return nil, rowError("segment", request.Id, analytics.ErrNotFound)
	}
	return wire.GetDataSegmentsId200JSONResponse(segmentToWire(&all[i])), nil
}

// PostDataSegments implements wire.StrictServerInterface.
func (s *Server) PostDataSegments(ctx context.Context, request wire.PostDataSegmentsRequestObject) (wire.PostDataSegmentsResponseObject, error) {
	patch, err := segmentPatch(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	id, err := s.engine.CreateSegment(ctx, callerOf(ctx).Account, patch)
	if err != nil {
		return nil, err
	}
	return wire.PostDataSegments200JSONResponse{DoneJSONResponse: done(id)}, nil
}

// PutDataSegmentsId implements wire.StrictServerInterface.
func (s *Server) PutDataSegmentsId(ctx context.Context, request wire.PutDataSegmentsIdRequestObject) (wire.PutDataSegmentsIdResponseObject, error) {
	patch, err := segmentPatch(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	if err := s.engine.UpdateSegment(ctx, callerOf(ctx).Account, request.Id, patch); err != nil {
		return nil, rowError("segment", request.Id, err)
	}
	return wire.PutDataSegmentsId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// DeleteDataSegmentsId implements wire.StrictServerInterface.
func (s *Server) DeleteDataSegmentsId(ctx context.Context, request wire.DeleteDataSegmentsIdRequestObject) (wire.DeleteDataSegmentsIdResponseObject, error) {
	if err := s.engine.DeleteSegment(ctx, callerOf(ctx).Account, request.Id); err != nil {
		return nil, err
	}
	return wire.DeleteDataSegmentsId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

func segmentPatch(ctx context.Context, in *wire.SegmentCreate) (analytics.SegmentPatch, error) {
	if err := refuseUnknown(ctx, &wire.SegmentCreate{}); err != nil {
		return analytics.SegmentPatch{}, err
	}
	patch := analytics.SegmentPatch{Name: in.Name, Description: in.Description, Mode: (*string)(in.Mode)}
	if in.Filters == nil {
		return patch, nil
	}
	patch.Filters = make(map[string]string, len(in.Filters))
	for name, value := range in.Filters {
		text, ok := filterText(value)
		if !ok {
			return patch, httpx.Field("filters", fmt.Sprintf("%q must be a text, a list of texts, a number or true or false", clip(name)))
		}
		patch.Filters[name] = text
	}
	return patch, nil
}

// filterText writes a JSON value in the syntax of filters: the items of a list
// are alternatives.
func filterText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok || text == "" {
				return "", false
			}
			words[i] = text
		}
		return strings.Join(words, "~~"), len(words) > 0
	default:
		return "", false
	}
}

func segmentToWire(g *analytics.Segment) wire.Segment {
	return wire.Segment{Id: g.ID, Name: g.Name, Description: textOrNull(g.Description), Filters: g.Filters, Mode: wire.SegmentMode(g.Mode)}
}
