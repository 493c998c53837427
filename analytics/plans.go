package analytics

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// planTable holds the plans of an account. It is immutable once published: an
// edit changes a clone.
type planTable struct {
	list   []ledger.Plan // by PlanRef; [0] is "no plan"
	meta   []planMeta    // in parallel
	byID   map[customerKey]ledger.PlanRef
	defs   []planGroup        // as they were made
	groups []report.PlanGroup // what comes of them, by name
}

type planMeta struct {
	seq   int64
	doc   uint64
	group string
}

func newPlanTable() *planTable {
	return &planTable{list: make([]ledger.Plan, 1), meta: make([]planMeta, 1), byID: map[customerKey]ledger.PlanRef{}}
}

func (t *planTable) clone() *planTable {
	return &planTable{list: slices.Clone(t.list), meta: slices.Clone(t.meta), byID: maps.Clone(t.byID), defs: slices.Clone(t.defs), groups: t.groups}
}

// set stores a plan.
func (t *planTable) set(ref ledger.PlanRef, source uint32, row *PlanRow, meta planMeta) {
	p := ledger.Plan{
		Source: source, ID: strings.Clone(row.ID), Name: strings.Clone(row.Name), Product: strings.Clone(row.Product),
		Interval: row.Interval, Currency: row.Currency, Pricing: row.Pricing,
		Price: row.Price, Priced: row.Priced,
	}
	meta.group = strings.Clone(row.Group)
	if int(ref) == len(t.list) {
		t.list, t.meta = append(t.list, ledger.Plan{}), append(t.meta, planMeta{})
	}
	t.list[ref], t.meta[ref] = p, meta
	t.byID[customerKey{source, p.ID}] = ref
}

// remove leaves a gap, so that the other references stay what they are.
func (t *planTable) remove(ref ledger.PlanRef) {
	p := &t.list[ref]
	delete(t.byID, customerKey{p.Source, p.ID})
	p.Missing, p.Groups = true, nil
	t.meta[ref] = planMeta{}
}

// deriveID makes an id that is the same whenever it is derived again and does
// not show what it was made from.
func deriveID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return prefix + hex.EncodeToString(sum[:8])
}
