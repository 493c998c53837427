package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// maxSegments bounds the segments of an account, maxSegmentFilters the filters
// of one.
const (
	maxSegments       = 1000
	maxSegmentFilters = 50
	maxFilterBytes    = 4 << 10
)

// The modes of segments: to narrow a report, or to split it by the values of its
// filter as well.
const (
	SegmentFilter    = "filter"
	SegmentBreakdown = "breakdown"
)

// Segment is a set of filters under a name.
type Segment struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Filters     map[string]string `json:"filters"` // by parameter of the reports, in its syntax
	Mode        string            `json:"mode"`    // SegmentFilter or SegmentBreakdown
}

// SegmentPatch is what to make of a segment; fields that are nil stay.
type SegmentPatch struct {
	Name        *string
	Description *string
	Filters     map[string]string
	Mode        *string
}

// segment is a stored segment. It is immutable: a change makes a new one.
type segment struct {
	seq int64
	Segment
}

// Segments returns the account's segments in the order of their creation.
func (e *Engine) Segments(ctx context.Context, account string) ([]Segment, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	all := make([]Segment, len(v.segments))
	for i := range v.segments {
		all[i] = v.segments[i].Segment
	}
	return all, nil
}

// CreateSegment adds a segment and returns its id. The error is an *InvalidError
// when a field cannot be accepted.
func (e *Engine) CreateSegment(ctx context.Context, account string, patch SegmentPatch) (id string, err error) {
	_, err = e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		all := ed.segmentsView()
		if len(all) >= maxSegments {
			return nil, invalid("name", fmt.Sprintf("the account has %d segments; delete one first", maxSegments))
		}
		if patch.Filters == nil {
			return nil, invalid("filters", `is required: filters of reports by name, such as {"region":"eu"}`)
		}
		g := segment{Segment: Segment{Mode: SegmentFilter}}
		if err := g.apply(patch, all); err != nil {
			return nil, err
		}
		g.seq = ed.takeSeq(TableSegment)
		g.ID = deriveID("seg_", account, strconv.FormatInt(g.seq, 10), g.Name, e.now().String())
		id = g.ID
		row, err := g.row()
		if err != nil {
			return nil, err
		}
		ed.segments = append(slices.Clone(all), g)
		ed.log[TableSegment].inserted(row)
		return nil, nil
	})
	return id, err
}

// UpdateSegment changes a segment. The error is an *InvalidError when a field
// cannot be accepted, and ErrNotFound when there is no such segment.
func (e *Engine) UpdateSegment(ctx context.Context, account, id string, patch SegmentPatch) error {
	return e.change(ctx, account, func(ed *edit) error {
		all := slices.Clone(ed.segmentsView())
		i := slices.IndexFunc(all, func(g segment) bool { return g.ID == id })
		if i < 0 {
			return fmt.Errorf("segment %q: %w", id, ErrNotFound)
		}
		if err := all[i].apply(patch, all); err != nil {
			return err
		}
		row, err := all[i].row()
		if err != nil {
			return err
		}
		ed.segments = all
		ed.log[TableSegment].updated(row)
		return nil
	})
}

// DeleteSegment deletes a segment, if it is there.
func (e *Engine) DeleteSegment(ctx context.Context, account, id string) error {
	return e.change(ctx, account, func(ed *edit) error {
		all := ed.segmentsView()
		i := slices.IndexFunc(all, func(g segment) bool { return g.ID == id })
		if i < 0 {
			return nil
		}
		ed.log[TableSegment].removed(TableSegment, all[i].seq)
		ed.segments = slices.Delete(slices.Clone(all), i, i+1)
		return nil
	})
}

// apply puts a patch into the segment, which is one of all or new.
func (g *segment) apply(patch SegmentPatch, all []segment) error {
	if patch.Name != nil || g.ID == "" {
		if patch.Name == nil || strings.TrimSpace(*patch.Name) == "" || len(*patch.Name) > maxNameBytes {
			return invalid("name", "is required, at most 255 bytes")
		}
		g.Name = strings.Clone(strings.TrimSpace(*patch.Name))
	}
	for i := range all {
		if all[i].ID != g.ID && strings.EqualFold(all[i].Name, g.Name) {
			return invalid("name", fmt.Sprintf("%q is the name of another segment", all[i].Name))
		}
	}
	set(&g.Description, patch.Description)
	if len(g.Description) > maxFilterBytes {
		return invalid("description", "must be at most 4,096 bytes")
	}
	if patch.Filters != nil {
		g.Filters = maps.Clone(patch.Filters)
	}
	set(&g.Mode, patch.Mode)
	if g.Mode != SegmentFilter && g.Mode != SegmentBreakdown {
		return invalid("mode", "must be filter or breakdown")
	}
	return checkFilters(g.Filters, g.Mode)
}

func checkFilters(filters map[string]string, mode string) error {
	switch {
	case len(filters) == 0 || len(filters) > maxSegmentFilters:
		return invalid("filters", fmt.Sprintf("must be 1 to %d filters of reports", maxSegmentFilters))
	case mode == SegmentBreakdown && len(filters) > 1:
		return invalid("filters", "must be one filter in mode breakdown: reports are split by its values")
	}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		if len(name)+len(filters[name]) > maxFilterBytes {
			return invalid("filters", "must be at most 4,096 bytes each")
		}
		if err := report.CheckFilter(name, filters[name]); err != nil {
			return invalid("filters", err.Error())
		}
	}
	return nil
}

// row is the stored form.
func (g *segment) row() (Row, error) {
	doc, err := json.Marshal(g.Segment)
	if err != nil {
		return Row{}, fmt.Errorf("encode segment: %w", err)
	}
	return Row{Table: TableSegment, Seq: g.seq, ID: g.ID, Doc: doc}, nil
}

// segment reads a stored segment.
func (l *loader) segment(r *LoadedRow) error {
	g := segment{seq: r.Seq}
	if err := json.Unmarshal([]byte(r.Doc), &g.Segment); err != nil {
		return fmt.Errorf("decode segment: %w", err)
	}
	l.a.segments = append(l.a.segments, g)
	return nil
}

func (e *edit) segmentsView() []segment {
	if e.segments != nil {
		return e.segments
	}
	return e.a.segments
}

func (a *account) reportSegments() []report.Segment {
	all := make([]report.Segment, len(a.segments))
	for i := range a.segments {
		g := &a.segments[i]
		all[i] = report.Segment{ID: g.ID, Name: g.Name, Filters: g.Filters, Split: g.Mode == SegmentBreakdown}
	}
	return all
}
