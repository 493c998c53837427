package report

import (
	"fmt"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Segment is a set of filters under a name.
type Segment struct {
	ID      string
	Name    string
	Filters map[string]string // by parameter, in the syntax of the parameters
	// Split makes reports that name the segment break down by the values of its
	// only filter.
	Split bool
}

// CheckFilter says what is wrong with a filter of a segment, nil if nothing is.
func CheckFilter(name, value string) error {
	d, ok := parseDimension(name)
	if !ok || d.kind == subtypeDimension {
		return fmt.Errorf("%q is not a filter; filters are %s, industry, channel, size, custom_<key>", name, strings.Join(filterNames(), ", "))
	}
	if _, ok := parseFilter(d, []string{value}); !ok {
		return fmt.Errorf("%q has no value", name)
	}
	return nil
}

// filterNames are the parameters that are filters, without custom variables.
func filterNames() []string {
	var names []string
	for i, name := range dimensionNames {
		if kind := dimensionKind(i); kind != noDimension && kind != subtypeDimension {
			names = append(names, name)
		}
	}
	return names
}

// segment finds a segment by id, else by name.
func (s *Snapshot) segment(word string) *Segment {
	var found *Segment
	for i := range s.Segments {
		switch g := &s.Segments[i]; {
		case g.ID == word:
			return g
		case strings.EqualFold(g.Name, word):
			found = g
		}
	}
	return found
}

// segment adds the filters of a segment to those of the query. A segment that
// does not exist is an error, because no filter at all would be a wrong answer.
func (p *parser) segment(q *Query) error {
	word := p.one("segment")
	if word == "" {
		return nil
	}
	segment := p.s.segment(word)
	if segment == nil {
		return &ParamError{"segment", fmt.Sprintf("the account has no segment %q", word)}
	}
	q.Segment = segment.ID
	for name, value := range segment.Filters {
		d, ok := parseDimension(name)
		if !ok {
			continue
		}
		f, ok := parseFilter(d, []string{value})
		if !ok {
			continue
		}
		f.ofSegment = true
		q.Filters = append(q.Filters, f)
		if segment.Split && q.Breakdown == (Dimension{}) {
			q.Breakdown, q.Groups = d, f.in
		}
	}
	return nil
}

// valueGroup is a breakdown value that stands for all that one word of a filter
// keeps.
type valueGroup struct {
	word     string
	customer func(*Customer) bool
	state    func(*ledger.State) bool // of a dimension of states, else nil
}

// group makes the words of the query's groups the values of the split. What
// several words keep counts for the first of them, so that the values add up.
func (sp *split) group(q *Query) {
	for _, word := range q.Groups {
		f := &Filter{Dimension: q.Breakdown, in: []string{word}}
		g := valueGroup{word: word}
		if q.Breakdown.ofState() {
			g.state = sp.s.stateFilter(f)
		} else {
			g.customer = sp.s.customerFilter(f, q.AgeDay)
		}
		sp.groups = append(sp.groups, g)
	}
	if sp.groups == nil {
		return
	}
	sp.of = func(c *Customer) string {
		for i := range sp.groups {
			if sp.groups[i].customer(c) {
				return sp.groups[i].word
			}
		}
		return ""
	}
}

// groupOf is the value of a state, "" for none.
func (sp *split) groupOf(st *ledger.State) string {
	for i := range sp.groups {
		if sp.groups[i].state(st) {
			return sp.groups[i].word
		}
	}
	return ""
}
