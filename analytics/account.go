package analytics

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// account is the in-memory form of one account. Whoever holds its lock may use
// everything; readers without it use current alone.
type account struct {
	id     string
	engine *Engine
	lock   mutex
	queue  queue

	current atomic.Pointer[view] // nil until opened

	// Under lock.
	seed      maphash.Seed
	version   uint64 // of the newest snapshot
	stored    uint64 // last version that the store is known to have
	nextSeq   [tables]int64
	today     calendar.Day
	settings  settingsState
	asked     *settingsState // on their way to be in force; nil when nothing is asked for
	job       *recompute     // what brings them and the terms of plans there
	opened    uint64         // how often the account was read
	sources   []source
	segments  []segment
	plans     *planTable
	held      *planTable // what reports see while newer plans are computed; nil: plans
	customers []customer
	records   []*report.Customer     // of the newest snapshot, in parallel; nil when deleted
	days      []customerDays         // in parallel
	byID      map[customerKey]uint32 // index into customers
	invoices  invoices
	symbols   symbols
	players   []*player // one per worker; nil after a change of plans or settings
}

// view is what readers see: a snapshot, and what it was made from.
type view struct {
	snapshot  *report.Snapshot
	settings  Settings
	asked     *settingsState // nil: none
	computing bool           // something that was asked for is not in force yet
	plans     *planTable     // as written last
	job       *recompute
	sources   []source
	segments  []segment
	stored    uint64
	zone      *time.Location
}

type settingsState struct {
	values Settings
	ledger ledger.Settings
	stored bool // a row exists
}

// source is a data source. Its index in the account's list is what the rows of
// the snapshot refer to; so one that is deleted keeps its place until the
// account is opened again.
type source struct {
	seq     int64
	deleted bool
	Source
}

// customer is one customer with its invoices.
type customer struct {
	history history
	doc     uint64 // hash of the document
	seq     int64
	work    *work // what the running edit has made of it, nil when untouched
}

// customerDays are the days of a ledger that the whole account asks for.
type customerDays struct {
	wake  calendar.Day // calendar.Never when deleted
	first calendar.Day // first movement up to today, NoDay if none
}

type customerKey struct {
	source uint32
	id     string
}

func newAccount(e *Engine, id string) *account {
	a := &account{id: id, engine: e, lock: newMutex()}
	a.reset()
	return a
}

// reset forgets everything that was loaded.
func (a *account) reset() {
	a.seed = maphash.MakeSeed()
	a.stored, a.nextSeq, a.today = 0, [tables]int64{}, calendar.NoDay
	for t := range a.nextSeq {
		a.nextSeq[t] = 1
	}
	defaults := DefaultSettings()
	a.settings, a.asked = settingsState{values: defaults, ledger: ledger.DefaultSettings()}, nil
	a.opened++
	a.sources, a.segments, a.plans, a.held = nil, nil, newPlanTable(), nil
	a.customers, a.records, a.days, a.byID = nil, nil, nil, map[customerKey]uint32{}
	a.invoices = newInvoices()
	a.symbols, a.players = newSymbols(), nil
	a.current.Store(nil)
}

// fresh reports whether a view is what a report may show now.
func (v *view) fresh(stored uint64, rates *fx.Table, now time.Time) bool {
	return v != nil && v.stored == stored && v.snapshot.Rates == rates && v.snapshot.Today == calendar.DayOf(now.In(v.zone))
}

// refresh brings the account to the store's version, the engine's rates and
// today. The caller holds the lock.
func (a *account) refresh(ctx context.Context) (*view, error) {
	rates, err := a.engine.rates.table(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := a.engine.store.Version(ctx, a.id)
	if err != nil {
		return nil, fmt.Errorf("read the account's version: %w", err)
	}
	now := a.engine.now()
	v := a.current.Load()
	if v.fresh(stored, rates, now) {
		return v, nil
	}
	if v == nil || a.stored != stored {
		if err := a.open(ctx); err != nil {
			return nil, err
		}
	}
	a.settle(calendar.DayOf(now.In(a.settings.ledger.Zone)))
	a.publish(rates)
	return a.current.Load(), nil
}

// settle makes today the account's day: customers whose ledgers change by then
// are replayed, all of them when the day moves back. The day that each ledger
// wakes on is a column, so that a day without changes costs one pass over it.
func (a *account) settle(today calendar.Day) {
	if today == a.today {
		return
	}
	back := today < a.today
	a.today = today
	e := newEdit(a)
	for i, d := range a.days {
		if a.records[i] != nil && (back || d.wake <= today) {
			e.touch(uint32(i)).replay = true
		}
	}
	e.replay()
	e.install()
}

// publish hands a new snapshot to the readers.
func (a *account) publish(rates *fx.Table) {
	a.version++
	a.startRecompute()
	plans := a.shownPlans()
	s := &report.Snapshot{
		Account: a.id, Version: a.version, Today: a.today,
		Settings: a.settings.ledger, WeekStart: a.settings.values.weekStart(),
		Customers: a.records, Plans: plans.list, Sources: reportSources(a.sources), Symbols: slices.Clip(a.symbols.texts),
		Rates: rates, PlanGroups: plans.groups, Segments: a.reportSegments(), FirstDay: a.firstDay(), InvoiceID: a.invoices.view(),
	}
	var earlier *report.Snapshot
	if v := a.current.Load(); v != nil {
		earlier = v.snapshot
	}
	s.Follow(earlier)
	a.current.Store(&view{
		snapshot: s, settings: a.settings.values, asked: a.asked, computing: a.computing(), plans: a.plans, job: a.job,
		sources: a.sources, segments: a.segments, stored: a.stored, zone: a.settings.ledger.Zone,
	})
	a.engine.resize(a, a.bytes())
}

func reportSources(sources []source) []report.Source {
	all := make([]report.Source, len(sources))
	for i, s := range sources {
		all[i] = report.Source{ID: s.ID, Name: s.Name, Type: s.Type}
	}
	return all
}

// firstDay returns the day of the account's first movement up to today.
func (a *account) firstDay() calendar.Day {
	first := calendar.Never
	for _, d := range a.days {
		if d.first.Valid() {
			first = min(first, d.first)
		}
	}
	if first == calendar.Never {
		return calendar.NoDay
	}
	return first
}

// Rough sizes for the memory budget, in bytes.
const (
	accountBytes  = 16 << 10
	customerBytes = 1 << 10
	invoiceBytes  = 160
	symbolBytes   = 80
)

func (a *account) bytes() int64 {
	return accountBytes + int64(len(a.customers))*customerBytes + int64(a.invoices.len())*invoiceBytes +
		int64(len(a.symbols.texts))*symbolBytes
}

// find returns the row of an invoice.
func (a *account) find(source uint32, id string) (uint32, bool) {
	return a.invoices.index.find(keyHash(a.seed, source, id), func(row uint32) bool {
		return a.invoices.id(row) == id && a.sourceOf(a.invoices.owners[row]) == source
	})
}

// sourceOf returns the index of a customer's data source.
func (a *account) sourceOf(customer uint32) uint32 {
	if w := a.customers[customer].work; w != nil {
		return w.record.Source
	}
	return a.records[customer].Source
}

// newRecord makes the snapshot's form of a customer. It keeps no part of the
// request's body alive.
func (a *account) newRecord(source uint32, row *CustomerRow) *report.Customer {
	text := row.ID + row.Name + row.Email // one piece of memory: exports read them together
	name := len(row.ID)
	email := name + len(row.Name)
	r := &report.Customer{
		Source: source, ID: text[:name], Name: text[name:email], Email: text[email:],
		Country: a.symbols.text(row.Country), State: a.symbols.text(row.State), Created: row.Created, TrialStarted: row.TrialStarted,
	}
	r.Custom = report.NewVariables(row.Custom)
	for i, v := range r.Custom {
		r.Custom[i] = report.Variable{Name: a.symbols.text(v.Name), Value: a.symbols.text(v.Value)}
	}
	return r
}

func (a *account) hash(doc []byte) uint64 { return maphash.Bytes(a.seed, doc) }
