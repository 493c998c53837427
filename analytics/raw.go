package analytics

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// RowFilter selects stored rows; the zero value selects all.
type RowFilter struct {
	Source string // id of a data source
	Search string // customers alone: a part of the name, email or id, in lower case

	// About invoices alone.
	Customer string // id of the customer
	Plan     string // id of a plan, on the invoice or on one of its lines
	Kind     ledger.Kind
	Status   *ledger.Status
	Days     *calendar.Range // of invoice_date, in the account's zone
}

// aboutEvents reports whether the invoices must be looked at one by one.
func (f *RowFilter) aboutEvents() bool {
	return f.Customer != "" || f.Plan != "" || f.Kind != 0 || f.Status != nil || f.Days != nil
}

// StoredRow is a row as it was accepted.
type StoredRow struct {
	Source   string           // id of its data source
	Doc      []byte           // the row's JSON
	Customer *report.Customer // a customer's record, nil for other rows
}

// RowPage is a page of rows in the order in which they first came.
type RowPage struct {
	Snapshot *report.Snapshot // the version that the page shows
	Count    int              // rows that the filter selects
	Rows     []StoredRow
}

// Rows returns a page of the account's customers, plans or invoices. The error
// is ErrUnknownSource when the filter names a data source that does not exist;
// other values that do not exist select nothing. Rows are found in memory, so
// that a page costs the reading of its own rows alone.
func (e *Engine) Rows(ctx context.Context, account string, t Table, f RowFilter, offset, limit int) (*RowPage, error) {
	var page *RowPage
	err := e.locked(ctx, account, func(a *accountView) (err error) {
		page, err = a.page(ctx, t, f, offset, limit)
		return err
	})
	return page, err
}

// Row returns one customer, plan or invoice, and the version that has it.
// sourceID may be empty when only one data source has the id; otherwise the
// error is an *AmbiguousError.
func (e *Engine) Row(ctx context.Context, account string, t Table, sourceID, id string) (StoredRow, *report.Snapshot, error) {
	var row StoredRow
	var snapshot *report.Snapshot
	err := e.locked(ctx, account, func(a *accountView) error {
		ref, err := newEdit(a.account).locateRow(t, sourceID, id)
		if err != nil {
			return err
		}
		rows, err := a.read(ctx, t, []rowRef{ref})
		if err != nil {
			return err
		}
		row, snapshot = rows[0], a.view.snapshot
		return nil
	})
	return row, snapshot, err
}

// accountView is a locked account with its newest view.
type accountView struct {
	*account
	view *view
}

// locked runs do while the account is up to date and locked, so that what it
// finds in memory is what the store has.
func (e *Engine) locked(ctx context.Context, id string, do func(*accountView) error) error {
	a, err := e.pin(id)
	if err != nil {
		return err
	}
	defer e.unpin(a)
	if err := a.lock.lock(ctx); err != nil {
		return err
	}
	defer a.lock.unlock()
	v, err := a.refresh(ctx)
	if err != nil {
		return err
	}
	return do(&accountView{a, v})
}

// rowRef says where a row is: in the store, and in memory.
type rowRef struct {
	seq    int64
	source uint32
	index  uint32 // of a customer
}

// locateRow finds the row of an id.
func (e *edit) locateRow(t Table, sourceID, id string) (rowRef, error) {
	var found rowRef
	source, err := e.locate(rowKinds[t], sourceID, id, func(source uint32) bool {
		ref, ok := e.refOf(t, source, id)
		if ok {
			found = ref
		}
		return ok
	})
	found.source = source
	return found, err
}

// rowKinds are what messages call a row.
var rowKinds = map[Table]string{TableCustomer: "customer", TablePlan: "plan", TableInvoice: "invoice"}

// refOf returns the row of an id of a data source.
func (e *edit) refOf(t Table, source uint32, id string) (rowRef, bool) {
	a, key := e.a, customerKey{source, id}
	switch t {
	case TableCustomer:
		i, ok := a.byID[key]
		if !ok {
			return rowRef{}, false
		}
		seq := a.customers[i].seq
		if w := a.customers[i].work; w != nil {
			seq = w.seq
		}
		return rowRef{seq: seq, source: source, index: i}, true
	case TablePlan:
		ref, ok := e.plansView().byID[key]
		if !ok {
			return rowRef{}, false
		}
		return rowRef{seq: e.plansView().meta[ref].seq, source: source}, true
	default:
		row, ok := a.find(source, id)
		return rowRef{seq: int64(row), source: source}, ok
	}
}

// page selects rows and reads those of the page.
func (a *accountView) page(ctx context.Context, t Table, f RowFilter, offset, limit int) (*RowPage, error) {
	source := anySource
	if f.Source != "" {
		i, err := sourceIndex(a.sources, f.Source)
		if err != nil {
			return nil, err
		}
		source = int(i)
	}
	p := picker{skip: offset, limit: limit}
	switch t {
	case TableCustomer:
		a.pickCustomers(&p, source, f.Search)
	case TablePlan:
		a.pickPlans(&p, source)
	default:
		a.pickInvoices(&p, source, &f)
	}
	rows, err := a.read(ctx, t, p.picked)
	if err != nil {
		return nil, err
	}
	return &RowPage{Snapshot: a.view.snapshot, Count: p.count, Rows: rows}, nil
}

// anySource is the index of no data source.
const anySource = -1

// picker takes the rows of one page out of all that it is offered.
type picker struct {
	skip, limit int
	count       int
	picked      []rowRef
}

func (p *picker) offer(ref rowRef) {
	if p.count >= p.skip && len(p.picked) < p.limit {
		p.picked = append(p.picked, ref)
	}
	p.count++
}

func (a *accountView) pickCustomers(p *picker, source int, search string) {
	for i, c := range a.records {
		if c != nil && (source == anySource || int(c.Source) == source) && (search == "" || c.Contains(search)) {
			p.offer(rowRef{seq: a.customers[i].seq, source: c.Source, index: uint32(i)})
		}
	}
}

func (a *accountView) pickPlans(p *picker, source int) {
	for ref, m := range a.plans.meta {
		if own := a.plans.list[ref].Source; m.seq != 0 && (source == anySource || int(own) == source) {
			p.offer(rowRef{seq: m.seq, source: own})
		}
	}
}

// pickInvoices walks the row numbers, or goes straight to those of the page
// when all rows are wanted and none was ever deleted.
func (a *accountView) pickInvoices(p *picker, source int, f *RowFilter) {
	t := &a.invoices
	if f.aboutEvents() {
		marked := a.markInvoices(source, f)
		marked.each(func(row uint32) { p.offer(a.invoiceRef(row)) })
		return
	}
	if source == anySource && t.index.used == t.len()-1 {
		p.count = t.len() - 1
		for row := min(p.skip, p.count) + 1; row <= p.count && len(p.picked) < p.limit; row++ {
			p.picked = append(p.picked, a.invoiceRef(uint32(row)))
		}
		return
	}
	for row, owner := range t.owners {
		if owner != nobody && (source == anySource || int(a.records[owner].Source) == source) {
			p.offer(a.invoiceRef(uint32(row)))
		}
	}
}

func (a *accountView) invoiceRef(row uint32) rowRef {
	return rowRef{seq: int64(row), source: a.records[a.invoices.owners[row]].Source}
}

// markInvoices returns the rows that a filter on invoices selects.
func (a *accountView) markInvoices(source int, f *RowFilter) rowSet {
	marked := make(rowSet, a.invoices.len()/64+1)
	m := a.newMatcher(f)
	for i, c := range a.records {
		if c == nil || source != anySource && int(c.Source) != source || f.Customer != "" && c.ID != f.Customer {
			continue
		}
		for r := a.customers[i].history.read(); r.next(); {
			if m.matches(&r.event) {
				marked.add(r.event.Ref)
			}
		}
	}
	return marked
}

// matcher is a filter on invoices in the account's own terms.
type matcher struct {
	filter *RowFilter
	zone   func(calendar.Stamp) calendar.Day
	plans  []ledger.PlanRef
}

func (a *accountView) newMatcher(f *RowFilter) matcher {
	zone := a.settings.ledger.Zone
	m := matcher{filter: f, zone: func(s calendar.Stamp) calendar.Day { return s.Day(zone) }}
	for ref := range a.plans.list {
		if p := &a.plans.list[ref]; f.Plan != "" && p.ID == f.Plan && !p.Missing {
			m.plans = append(m.plans, ledger.PlanRef(ref))
		}
	}
	return m
}

func (m *matcher) matches(ev *ledger.Event) bool {
	f := m.filter
	return (f.Kind == 0 || ev.Kind == f.Kind) && (f.Status == nil || ev.Status == *f.Status) &&
		(f.Days == nil || f.Days.Contains(m.zone(ev.Date))) && (f.Plan == "" || m.onPlan(ev))
}

func (m *matcher) onPlan(ev *ledger.Event) bool {
	return slices.ContainsFunc(m.plans, func(plan ledger.PlanRef) bool { return ev.Plan == plan || lineUses(ev, plan) })
}

// rowSet is a set of row numbers, a bit each.
type rowSet []uint64

func (s rowSet) add(row uint32) { s[row/64] |= 1 << (row % 64) }

// each visits the rows in ascending order.
func (s rowSet) each(visit func(row uint32)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			visit(uint32(i*64 + bits.TrailingZeros64(word)))
		}
	}
}

// read fetches rows from the store. refs are in ascending order of seq.
func (a *accountView) read(ctx context.Context, t Table, refs []rowRef) ([]StoredRow, error) {
	rows := make([]StoredRow, len(refs))
	seqs := make([]int64, len(refs))
	for i, ref := range refs {
		seqs[i] = ref.seq
		rows[i].Source = a.sources[ref.source].ID
		if t == TableCustomer {
			rows[i].Customer = a.records[ref.index]
		}
	}
	next := 0
	err := a.engine.store.Rows(ctx, a.id, t, seqs, func(r Row) error {
		for next < len(seqs) && seqs[next] < r.Seq {
			next++
		}
		if next == len(seqs) || seqs[next] != r.Seq {
			return fmt.Errorf("row %d of table %d was not asked for", r.Seq, t)
		}
		rows[next].Doc = slices.Clone(r.Doc)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rows of account %s: %w", a.id, err)
	}
	for i := range rows {
		if rows[i].Doc == nil {
			return nil, fmt.Errorf("row %d of table %d is in memory and not in the store", seqs[i], t)
		}
	}
	return rows, nil
}
