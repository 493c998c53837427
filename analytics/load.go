package analytics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// loader reads an account's rows from the store. Ledgers are not stored: they
// are a function of the rows, and settling the day replays them all.
type loader struct {
	a         *account
	rows      RowDecoder
	sources   map[int64]uint32 // index by Seq
	customers map[int64]uint32 // index by Seq
	edit      *edit            // resolves references as a push does
}

// open replaces what is in memory by what is in the store.
func (a *account) open(ctx context.Context) error {
	a.reset()
	l := &loader{
		a: a, rows: a.engine.rows, sources: map[int64]uint32{}, customers: map[int64]uint32{}, edit: newEdit(a),
	}
	rows := newFeed(l.decode, l.visit)
	stored, err := a.engine.store.Load(ctx, a.id, rows.add)
	if bad := rows.close(); err == nil {
		err = bad
	}
	if err != nil {
		a.reset()
		return fmt.Errorf("open account %s: %w", a.id, err)
	}
	for i := range a.customers {
		a.customers[i].history.sort()
	}
	a.plans.regroup()
	a.stored, a.version = stored, max(a.version, stored)
	return nil
}

// decode reads what a row says by itself. It runs in several goroutines.
func (l *loader) decode(r Row) (d decoded) {
	if r.Table != TableInvoice {
		return d
	}
	d.hash = l.a.hash(r.Doc)
	d.invoice, d.err = l.rows.Invoice(r.Doc)
	return d
}

func (l *loader) visit(r Row, d *decoded) error {
	if int(r.Table) >= len(l.a.nextSeq) {
		return fmt.Errorf("row of unknown table %d", r.Table)
	}
	l.a.nextSeq[r.Table] = max(l.a.nextSeq[r.Table], r.Seq+1)
	if err := l.load(r, d); err != nil {
		return fmt.Errorf("table %d, row %d: %w", r.Table, r.Seq, err)
	}
	return nil
}

func (l *loader) load(r Row, d *decoded) error {
	switch r.Table {
	case TableSettings:
		return l.settings(r)
	case TableSource:
		return l.source(r)
	case TablePlan:
		return l.plan(r)
	case TablePlanGroup:
		return l.planGroup(r)
	case TableSegment:
		return l.segment(r)
	case TableCustomer:
		return l.customer(r)
	case TableInvoice:
		return l.invoice(r, d)
	default:
		return nil
	}
}

func (l *loader) settings(r Row) error {
	values := DefaultSettings()
	if err := json.Unmarshal(r.Doc, &values); err != nil {
		return fmt.Errorf("decode settings: %w", err)
	}
	set, err := values.ledger()
	if err != nil {
		return err
	}
	state := settingsState{values: values, ledger: set, stored: true}
	if r.Seq == settingsAsked {
		l.a.asked = &state
	} else {
		l.a.settings = state
	}
	return nil
}

func (l *loader) source(r Row) error {
	s := source{seq: r.Seq}
	if err := json.Unmarshal(r.Doc, &s.Source); err != nil {
		return fmt.Errorf("decode data source: %w", err)
	}
	l.sources[r.Seq] = uint32(len(l.a.sources))
	l.a.sources = append(l.a.sources, s)
	return nil
}

// sourceOf returns the data source that a row names.
func (l *loader) sourceOf(r Row) (uint32, error) {
	source, ok := l.sources[r.Source]
	if !ok {
		return 0, fmt.Errorf("data source %d is missing", r.Source)
	}
	return source, nil
}

func (l *loader) plan(r Row) error {
	source, err := l.sourceOf(r)
	if err != nil {
		return err
	}
	row, err := l.rows.Plan(r.Doc)
	if err != nil {
		return err
	}
	t := l.a.plans
	t.set(ledger.PlanRef(len(t.list)), source, &row, planMeta{seq: r.Seq, doc: l.a.hash(r.Doc)})
	return nil
}

func (l *loader) customer(r Row) error {
	source, err := l.sourceOf(r)
	if err != nil {
		return err
	}
	row, err := l.rows.Customer(r.Doc)
	if err != nil {
		return err
	}
	a := l.a
	i := uint32(len(a.customers))
	record := a.newRecord(source, &row)
	record.Ledger = &ledger.Ledger{}
	if !r.Received.IsZero() {
		record.Received = calendar.Moment(r.Received)
	}
	a.customers = append(a.customers, customer{doc: a.hash(r.Doc), seq: r.Seq})
	a.records = append(a.records, record)
	a.days = append(a.days, customerDays{wake: calendar.NoDay, first: calendar.NoDay})
	a.byID[customerKey{source, record.ID}] = i
	l.customers[r.Seq] = i
	return nil
}

func (l *loader) invoice(r Row, d *decoded) error {
	source, err := l.sourceOf(r)
	if err != nil {
		return err
	}
	owner, ok := l.customers[r.Owner]
	if !ok {
		return fmt.Errorf("customer %d is missing", r.Owner)
	}
	if d.err != nil {
		return d.err
	}
	row := &d.invoice
	ev, field, message := l.edit.resolve(source, row)
	if message != "" {
		return fmt.Errorf("%s: %s", field, message)
	}
	a := l.a
	t := &a.invoices
	for int64(len(t.keys)) < r.Seq {
		t.keys = append(t.keys, invoiceKey{}) // deleted rows leave gaps
	}
	t.keys = append(t.keys, invoiceKey{doc: d.hash, owner: owner, id: t.ids.add(row.ID)})
	n := uint32(r.Seq)
	t.index.insert(keyHash(a.seed, source, row.ID), n)
	a.customers[owner].history.add(pack(&ev, n, t.keys[n].id), ev.Extra)
	return nil
}
