package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetDataPlanGroups implements wire.StrictServerInterface.
func (s *Server) GetDataPlanGroups(ctx context.Context, request wire.GetDataPlanGroupsRequestObject) (wire.GetDataPlanGroupsResponseObject, error) {
	snapshot, err := s.engine.Catalog(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	groups, page := cutPage(snapshot.PlanGroups, request.Params.Limit, request.Params.Offset)
	out := wire.PlanGroupPage{Count: page.count, Limit: page.limit, Offset: page.offset, HasMore: page.more, List: make([]wire.PlanGroup, 0, len(groups))}
	for i := range groups {
		out.List = append(out.List, planGroupToWire(snapshot, &groups[i]))
	}
	return wire.GetDataPlanGroups200JSONResponse{Result: out}, nil
}

// GetDataPlanGroupsId implements wire.StrictServerInterface.
func (s *Server) GetDataPlanGroupsId(ctx context.Context, request wire.GetDataPlanGroupsIdRequestObject) (wire.GetDataPlanGroupsIdResponseObject, error) {
	snapshot, err := s.engine.Catalog(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(snapshot.PlanGroups, func(g report.PlanGroup) bool { return g.ID == request.Id })
	if i < 0 {
		return nil, rowError("plan group", request.Id, analytics.ErrNotFound)
	}
	return wire.GetDataPlanGroupsId200JSONResponse(planGroupToWire(snapshot, &snapshot.PlanGroups[i])), nil
}

// PostDataPlanGroups implements wire.StrictServerInterface.
func (s *Server) PostDataPlanGroups(ctx context.Context, request wire.PostDataPlanGroupsRequestObject) (wire.PostDataPlanGroupsResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PlanGroupCreate{}); err != nil {
		return nil, err
	}
	id, err := s.engine.CreatePlanGroup(ctx, callerOf(ctx).Account, planGroupPatch(request.Body))
	if err != nil {
		return nil, err
	}
	return wire.PostDataPlanGroups200JSONResponse{DoneJSONResponse: done(id)}, nil
}

// PutDataPlanGroupsId implements wire.StrictServerInterface.
func (s *Server) PutDataPlanGroupsId(ctx context.Context, request wire.PutDataPlanGroupsIdRequestObject) (wire.PutDataPlanGroupsIdResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PlanGroupUpdate{}); err != nil {
		return nil, err
	}
	if err := s.engine.UpdatePlanGroup(ctx, callerOf(ctx).Account, request.Id, planGroupPatch(request.Body)); err != nil {
		return nil, rowError("plan group", request.Id, err)
	}
	return wire.PutDataPlanGroupsId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// DeleteDataPlanGroupsId implements wire.StrictServerInterface.
func (s *Server) DeleteDataPlanGroupsId(ctx context.Context, request wire.DeleteDataPlanGroupsIdRequestObject) (wire.DeleteDataPlanGroupsIdResponseObject, error) {
	if _, err := s.engine.DeletePlanGroups(ctx, callerOf(ctx).Account, request.Id); err != nil {
		return nil, err
	}
	return wire.DeleteDataPlanGroupsId200JSONResponse{DoneJSONResponse: done(request.Id)}, nil
}

// PostDataPlanGroupsDeleteMultiple implements wire.StrictServerInterface.
func (s *Server) PostDataPlanGroupsDeleteMultiple(ctx context.Context, request wire.PostDataPlanGroupsDeleteMultipleRequestObject) (wire.PostDataPlanGroupsDeleteMultipleResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PlanGroupIds{}); err != nil {
		return nil, err
	}
	if len(request.Body.Ids) == 0 {
		return nil, httpx.Field("ids", "is required: the ids of the plan groups to delete")
	}
	deleted, err := s.engine.DeletePlanGroups(ctx, callerOf(ctx).Account, request.Body.Ids...)
	if err != nil {
		return nil, err
	}
	return wire.PostDataPlanGroupsDeleteMultiple200JSONResponse{Success: true, Deleted: int64(len(deleted)), Ids: append([]string{}, deleted...)}, nil
}

// PostDataPlanGroupsMerge implements wire.StrictServerInterface.
func (s *Server) PostDataPlanGroupsMerge(ctx context.Context, request wire.PostDataPlanGroupsMergeRequestObject) (wire.PostDataPlanGroupsMergeResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PlanGroupMerge{}); err != nil {
		return nil, err
	}
	sources := request.Body.Sources
	if one := request.Body.Source; one != nil && *one != "" {
		sources = append(slices.Clip(sources), *one)
	}
	switch {
	case len(sources) == 0:
		return nil, httpx.Field("source", "is required: the id of the plan group to take the plans from, or several as sources")
	case request.Body.Target == nil || *request.Body.Target == "":
		return nil, httpx.Field("target", "is required: the id of the plan group that gets the plans")
	}
	target := *request.Body.Target
	if err := s.engine.MergePlanGroups(ctx, callerOf(ctx).Account, target, sources...); err != nil {
		return nil, unknownGroup(err)
	}
	return wire.PostDataPlanGroupsMerge200JSONResponse{DoneJSONResponse: done(target)}, nil
}

// PostDataPlanGroupsAiSuggest implements wire.StrictServerInterface.
func (s *Server) PostDataPlanGroupsAiSuggest(ctx context.Context, request wire.PostDataPlanGroupsAiSuggestRequestObject) (wire.PostDataPlanGroupsAiSuggestResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.PlanGroupSuggest{}); err != nil {
		return nil, err
	}
	var plans []string
	if request.Body != nil {
		plans = request.Body.Plans
	}
	found, err := s.engine.SuggestPlanGroups(ctx, callerOf(ctx).Account, plans)
	if err != nil {
		return nil, err
	}
	out := make([]wire.PlanGroupSuggestion, 0, len(found))
	for _, g := range found {
		out = append(out, wire.PlanGroupSuggestion{Name: g.Name, Plans: g.Plans, Reason: g.Reason})
	}
	return wire.PostDataPlanGroupsAiSuggest200JSONResponse{Result: out}, nil
}

// unknownGroup says that one of several plan groups does not exist.
func unknownGroup(err error) error {
	if !errors.Is(err, analytics.ErrNotFound) {
		return err
	}
	return &httpx.Error{
		Status: http.StatusNotFound, Code: "not_found", Message: "source and target must be ids of plan groups; GET /data/plan-groups lists them",
	}
}

func planGroupPatch(in *wire.PlanGroupCreate) analytics.PlanGroupPatch {
	patch := analytics.PlanGroupPatch{Name: in.Name, Type: (*string)(in.Type), SelectorType: in.SelectorType, Selector: in.Selector}
	if in.Plans != nil {
		patch.Plans = &in.Plans
	}
	return patch
}

func planGroupToWire(s *report.Snapshot, g *report.PlanGroup) wire.PlanGroup {
	out := wire.PlanGroup{Id: g.ID, Name: g.Name, Type: wire.PlanGroupType(analytics.GroupManual), Plans: s.PlanIDs(g.Plans)}
	if g.Rule != nil {
		out.Type, out.SelectorType, out.Selector = wire.PlanGroupType(analytics.GroupAuto), &g.Rule.By, &g.Rule.Pattern
	}
	return out
}

// listPage says which part of a list an answer holds.
type listPage struct {
	count, limit, offset int64
	more                 bool
}

// allRows is the limit of lists that are short enough to be sent whole.
const allRows = 10_000

// cutPage returns the part of a list that a request asks for.
func cutPage[T any](all []T, limit, offset *int64) ([]T, listPage) {
	p := listPage{count: int64(len(all)), limit: allRows}
	if limit != nil && *limit > 0 {
		p.limit = *limit
	}
	if offset != nil {
		p.offset = max(0, *offset)
	}
	from := min(p.offset, p.count)
	to := from + min(p.limit, p.count-from)
	p.more = to < p.count
	return all[from:to], p
}
