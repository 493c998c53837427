package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// loader reads an account's rows from the store. Ledgers are not stored: they
// are a function of the rows, and settling the day replays them all.
type loader struct {
	a         *account
	rows      RowDecoder
	edit      *edit         // resolves references as a push does
	none      ledger.Ledger // of all customers, until they are replayed
	sources   []int64       // Seqs, by index
	customers []int64       // Seqs, by index
	invoices  stage
}

// open replaces what is in memory by what is in the store.
func (a *account) open(ctx context.Context) error {
	a.reset()
	l := &loader{a: a, rows: a.engine.rows, edit: newEdit(a)}
	rows := newFeed(l.decode, l.visit)
	stored, err := a.engine.store.Load(ctx, a.id, rows.add)
	if bad := rows.close(); err == nil {
		err = bad
	}
	if err != nil {
		a.reset()
		return fmt.Errorf("open account %s: %w", a.id, err)
	}
	l.invoices.install(a)
	a.plans.regroup()
	a.stored, a.version = stored, max(a.version, stored)
	return nil
}

// decode reads what customers and invoices say by themselves. It runs in several
// goroutines.
func (l *loader) decode(c *chunk) {
	if !c.decodes() {
		return
	}
	for _, doc := range c.docs {
		c.hashes = append(c.hashes, l.hash(doc))
	}
	if c.rows[0].Table == TableInvoice {
		c.invoices = slices.Grow(c.invoices, len(c.docs))[:len(c.docs)]
		c.decoded, c.err = l.rows.Invoices(c.docs, c.invoices)
		return
	}
	for _, doc := range c.docs {
		row, err := l.rows.Customer([]byte(doc))
		if err != nil {
			c.err = err
			return
		}
		c.customers = append(c.customers, row)
		c.decoded++
	}
}

// hash is account.hash of a text.
func (l *loader) hash(doc string) uint64 { return maphash.String(l.a.seed, doc) }

// visit takes the rows of a chunk.
func (l *loader) visit(c *chunk) error {
	for i := range c.rows {
		r := &c.rows[i]
		if int(r.Table) >= len(l.a.nextSeq) {
			return fmt.Errorf("row of unknown table %d", r.Table)
		}
		l.a.nextSeq[r.Table] = max(l.a.nextSeq[r.Table], r.Seq+1)
		var err error
		switch {
		case !c.decodes():
			err = l.load(r)
		case i == c.decoded:
			err = c.err
		case r.Table == TableCustomer:
			err = l.customer(r, &c.customers[i], c.hashes[i])
		default:
			err = l.invoice(r, &c.invoices[i], c.hashes[i])
		}
		if err != nil {
			return fmt.Errorf("table %d, row %d: %w", r.Table, r.Seq, err)
		}
	}
	return nil
}

func (l *loader) load(r *LoadedRow) error {
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
	default:
		return nil
	}
}

func (l *loader) settings(r *LoadedRow) error {
	values := DefaultSettings()
	if err := json.Unmarshal([]byte(r.Doc), &values); err != nil {
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

func (l *loader) source(r *LoadedRow) error {
	s := source{seq: r.Seq}
	if err := json.Unmarshal([]byte(r.Doc), &s.Source); err != nil {
		return fmt.Errorf("decode data source: %w", err)
	}
	l.sources = append(l.sources, r.Seq)
	l.a.sources = append(l.a.sources, s)
	return nil
}

// sourceOf returns the index of the data source that a row names.
func (l *loader) sourceOf(r *LoadedRow) (uint32, error) {
	i, ok := place(l.sources, r.Source)
	if !ok {
		return 0, fmt.Errorf("data source %d is missing", r.Source)
	}
	return i, nil
}

// place finds a number in an ascending list: at once when there are no gaps
// before it.
func place(seqs []int64, seq int64) (uint32, bool) {
	if i := seq - 1; 0 <= i && i < int64(len(seqs)) && seqs[i] == seq {
		return uint32(i), true
	}
	i, ok := slices.BinarySearch(seqs, seq)
	return uint32(i), ok
}

func (l *loader) plan(r *LoadedRow) error {
	source, err := l.sourceOf(r)
	if err != nil {
		return err
	}
	row, err := l.rows.Plan([]byte(r.Doc))
	if err != nil {
		return err
	}
	t := l.a.plans
	t.set(ledger.PlanRef(len(t.list)), source, &row, planMeta{seq: r.Seq, doc: l.hash(r.Doc)})
	return nil
}

func (l *loader) customer(r *LoadedRow, row *CustomerRow, doc uint64) error {
	source, err := l.sourceOf(r)
	if err != nil {
		return err
	}
	a := l.a
	i := uint32(len(a.customers))
	record := a.newRecord(source, row)
	record.Ledger = &l.none
	if !r.Received.IsZero() {
		record.Received = calendar.Moment(r.Received)
	}
	a.customers = append(a.customers, customer{doc: doc, seq: r.Seq})
	a.records = append(a.records, record)
	a.days = append(a.days, customerDays{wake: calendar.NoDay, first: calendar.NoDay})
	a.byID[customerKey{source, record.ID}] = i
	l.customers = append(l.customers, r.Seq)
	l.invoices.addCustomer(source)
	return nil
}

func (l *loader) invoice(r *LoadedRow, row *InvoiceRow, doc uint64) error {
	owner, ok := place(l.customers, r.Owner)
	if !ok {
		return fmt.Errorf("customer %d is missing", r.Owner)
	}
	of := &l.invoices.customers[owner]
	if l.sources[of.source] != r.Source {
		return fmt.Errorf("customer %d is not of data source %d", r.Owner, r.Source)
	}
	ev, field, message := l.edit.resolve(of.source, row, &of.writer.event)
	if message != "" {
		return fmt.Errorf("%s: %s", field, message)
	}
	t := &l.a.invoices
	if r.Seq < int64(t.len()) || r.Seq > math.MaxUint32 {
		return errors.New("its number is out of order")
	}
	if t.len() == cap(t.docs) {
		t.double()
	}
	ev.Ref = uint32(r.Seq)
	t.add(ev.Ref, row.ID, doc, owner)
	l.invoices.add(owner, &ev)
	return nil
}
