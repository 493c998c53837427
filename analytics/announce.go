package analytics

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// watch returns what subscribers want to be told of a write.
func (a *account) watch(ctx context.Context, silent bool) (Watch, error) {
	if a.engine.outbox == nil || silent {
		return Watch{}, nil
	}
	w, err := a.engine.outbox.Watch(ctx, a.id)
	if err != nil {
		return Watch{}, fmt.Errorf("read who is to be told: %w", err)
	}
	return w, nil
}

// TellDays tells the account's subscribers which movements the passing of days
// has brought since they were last told: ends of subscriptions that were
// scheduled, or that no invoice followed.
func (e *Engine) TellDays(ctx context.Context, account string) error {
	a, err := e.pin(account)
	if err != nil {
		return err
	}
	defer e.unpin(a)
	if err := a.lock.lock(ctx); err != nil {
		return err
	}
	defer a.lock.unlock()
	if _, err := a.refresh(ctx); err != nil {
		return err
	}
	return a.tellDays(ctx)
}

// Announce tells the account's subscribers of something that no write of the
// engine brings about, such as the end of an import. See NewEvent.
func (e *Engine) Announce(ctx context.Context, account, kind string, data any, identity ...string) error {
	if e.outbox == nil {
		return nil
	}
	w, err := e.outbox.Watch(ctx, account)
	if err != nil || !w.wants(kind) {
		return err
	}
	event, err := NewEvent(account, kind, e.now(), data, identity...)
	if err != nil {
		return err
	}
	return e.outbox.Tell(ctx, account, []Event{event}, w.Through)
}

// Today returns the day that it is for the account, as YYYY-MM-DD.
func (e *Engine) Today(ctx context.Context, account string) (string, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return "", err
	}
	return v.snapshot.Today.String(), nil
}

// tellDays is TellDays for whoever holds the lock of an account that is fresh.
// What became known since is what a replay as of then did not know: an end that
// no invoice prevented is dated before its grace, and known after it.
func (a *account) tellDays(ctx context.Context) error {
	w, err := a.watch(ctx, false)
	if err != nil || len(w.Types) == 0 || w.Through >= a.today {
		return err
	}
	asOf := max(w.Through, a.today-EventDays)
	s := a.current.Load().snapshot
	t := newTeller(s, w, a.engine.now(), calendar.Range{From: asOf - a.settings.lookback(), To: a.today})
	if w.wantsMovements() {
		p := newEdit(a).players(1)[0]
		for i, c := range s.Customers {
			if c == nil || !t.moves.Any(c) {
				continue
			}
			before := *c
			p.load(&a.customers[i].history)
			before.Ledger = p.replay(c.TrialStarted, asOf, a.invoices.id)
			t.movements(&before, c)
		}
	}
	if t.err != nil {
		return t.err
	}
	if err := a.engine.outbox.Tell(ctx, a.id, t.events, a.today); err != nil {
		return fmt.Errorf("tell what days have brought: %w", err)
	}
	return nil
}

// lookback is how many days before it becomes known a movement may be dated.
func (s settingsState) lookback() calendar.Day {
	days := max(s.ledger.GraceDays, s.ledger.AutoChurnDays)
	return calendar.Day(days + 1)
}

// events returns what subscribers are to be told of an edit that was replayed.
func (e *edit) events(w Watch) ([]Event, error) {
	a := e.a
	today := e.today()
	s := &report.Snapshot{
		Account: a.id, Today: today, Settings: e.settingsView().ledger, Plans: e.shownPlans().list, Sources: reportSources(e.sourcesView()),
		Symbols: a.symbols.texts, Rates: a.current.Load().snapshot.Rates, FirstDay: a.firstDay(), InvoiceID: a.invoices.view(),
	}
	t := newTeller(s, w, a.engine.now(), calendar.Range{From: today - EventDays, To: today})
	for _, work := range e.touched {
		if work.deleted {
			continue
		}
		var before *report.Customer
		if int(work.index) < e.undo.customers {
			before = a.records[work.index]
		}
		t.customer(before, work.record, before != nil && a.customers[work.index].doc != work.doc)
	}
	for _, row := range e.log[TablePlan].insert {
		t.plan(e.sourcesView(), e.plansView(), row)
	}
	return t.events, t.err
}

// teller collects events.
type teller struct {
	s      *report.Snapshot
	w      Watch
	now    time.Time
	days   calendar.Range // that are news
	moves  *report.Moves
	events []Event
	err    error
}

func newTeller(s *report.Snapshot, w Watch, now time.Time, days calendar.Range) *teller {
	return &teller{s: s, w: w, now: now, days: days, moves: report.NewMoves(s, days)}
}

func (t *teller) tell(kind string, data any, identity ...string) {
	e, err := NewEvent(t.s.Account, kind, t.now, data, identity...)
	if err != nil {
		t.err = fmt.Errorf("encode event %s: %w", kind, err)
		return
	}
	t.events = append(t.events, e)
}

// customer tells what happened to a customer; before is nil for a new one.
func (t *teller) customer(before, after *report.Customer, updated bool) {
	if t.w.wantsMovements() {
		t.movements(before, after)
	}
	if t.w.wants(FailedPayment) {
		t.failures(before, after)
	}
	if t.w.wants(InvoicePaid) {
		t.payments(before, after)
	}
	if t.w.wants(ScheduledCancellation) {
		t.cancellation(before, after)
	}
	// Whoever was a customer before the days that are news is history.
	fresh := after.Created.IsZero() || t.days.From <= after.Created.Day(t.s.Settings.Zone)
	data := t.describe(after)
	if before == nil && fresh && t.w.wants(CustomerCreated) {
		t.tell(CustomerCreated, data, data.DataSource, after.ID)
	}
	if updated && t.w.wants(CustomerUpdated) {
		t.tell(CustomerUpdated, data, data.DataSource, after.ID, strconv.FormatInt(t.now.UnixMilli(), 36))
	}
}

func (t *teller) describe(c *report.Customer) CustomerData {
	d := CustomerData{ID: c.ID, Name: c.Name, Email: c.Email, Status: c.Status().String(), Country: c.Country}
	if int(c.Source) < len(t.s.Sources) {
		d.DataSource = t.s.Sources[c.Source].ID
	}
	return d
}

// moveKey is what makes a movement the same one after a recomputation.
type moveKey struct {
	day      calendar.Day
	kind     ledger.Type
	change   int64
	currency string
}

func keyOf(m *report.Move) moveKey { return moveKey{m.Date, m.Type, m.Change, m.Currency.Code()} }

func (t *teller) movements(before, after *report.Customer) {
	moves := t.moves.Of(after)
	if len(moves) == 0 {
		return
	}
	known := map[moveKey]bool{}
	if before != nil {
		for _, m := range t.moves.Of(before) {
			known[keyOf(&m)] = true
		}
	}
	customer := t.describe(after)
	for i := range moves {
		m := &moves[i]
		kind := "movement." + m.Type.String()
		if known[keyOf(m)] || !t.w.wants(kind) {
			continue
		}
		data := MovementData{
			Type: m.Type.String(), Subtype: m.Subtype.String(), Date: m.Date.String(), Description: m.Description, Customer: customer,
			Currency: m.Currency.Code(), MRRChange: m.Change, OldMRR: m.Old, NewMRR: m.New, BaseCurrency: t.s.Settings.Base.Code(),
			CustomerCountChange: m.Customers, QuantityChange: m.Quantity, PlanID: m.PlanID, PlanName: m.PlanName,
		}
		if m.Priced {
			data.MRRChangeBaseCurrency = &m.ChangeBase
		}
		t.tell(kind, data, customer.DataSource, after.ID, data.Date, strconv.FormatInt(m.Change, 10), data.Currency)
	}
}

func (t *teller) failures(before, after *report.Customer) {
	var known map[uint32]bool
	for _, f := range after.Ledger.Failures {
		if !t.days.Contains(f.Day) {
			continue
		}
		if known == nil {
			known = failed(before)
		}
		inv := &after.Ledger.Invoices[f.Invoice]
		if !known[inv.Ref] {
			t.payment(FailedPayment, after, inv, f.Day)
		}
	}
}

// failed returns the invoices of a customer that failed at least once.
func failed(c *report.Customer) map[uint32]bool {
	refs := map[uint32]bool{}
	if c == nil || c.Ledger == nil {
		return refs
	}
	for _, f := range c.Ledger.Failures {
		refs[c.Ledger.Invoices[f.Invoice].Ref] = true
	}
	return refs
}

// payments tells of invoices that were paid in the days that are news, and of
// older ones that have been paid only now.
func (t *teller) payments(before, after *report.Customer) {
	l := after.Ledger
	var was map[uint32]ledger.Status
	for i := range l.Invoices {
		inv := &l.Invoices[i]
		if inv.Status != ledger.Paid || inv.Amount <= 0 || inv.Kind != ledger.Subscription && inv.Kind != ledger.OneTime {
			continue
		}
		day := inv.Day
		if _, x := l.Rare(inv); x != nil && !x.PaymentDate.IsZero() {
			day = x.PaymentDate.Day(t.s.Settings.Zone)
		}
		if day > t.days.To {
			continue
		}
		if was == nil {
			was = statuses(before)
		}
		old, there := was[inv.Ref]
		if there && old == ledger.Paid || day < t.days.From && !there {
			continue
		}
		t.payment(InvoicePaid, after, inv, day)
	}
}

func statuses(c *report.Customer) map[uint32]ledger.Status {
	all := map[uint32]ledger.Status{}
	if c == nil || c.Ledger == nil {
		return all
	}
	for i := range c.Ledger.Invoices {
		all[c.Ledger.Invoices[i].Ref] = c.Ledger.Invoices[i].Status
	}
	return all
}

func (t *teller) payment(kind string, c *report.Customer, inv *ledger.Invoice, day calendar.Day) {
	data := PaymentData{
		InvoiceID: t.s.InvoiceID(inv.Ref), Date: day.String(), Customer: t.describe(c), Currency: inv.Currency.Code(), Amount: inv.Amount,
	}
	if int(inv.Method) < len(t.s.Symbols) {
		data.PaymentMethod = t.s.Symbols[inv.Method]
	}
	if _, x := c.Ledger.Rare(inv); x != nil {
		data.InvoiceNumber, data.AttemptCount = x.Number, x.Attempts
	}
	t.tell(kind, data, data.Customer.DataSource, c.ID, data.InvoiceID, data.Date)
}

func (t *teller) cancellation(before, after *report.Customer) {
	l := after.Ledger
	if !l.CancelEnd.Valid() || l.CancelEnd <= t.days.To || l.CancelRequest < t.days.From {
		return
	}
	if before != nil && before.Ledger != nil && before.Ledger.CancelEnd == l.CancelEnd && before.Ledger.CancelRequest == l.CancelRequest {
		return
	}
	data := CancellationData{
		Customer: t.describe(after), Requested: l.CancelRequest.String(), EffectiveDate: l.CancelEnd.String(), Currency: l.Currency.Code(),
	}
	for _, m := range l.Movements() {
		if m.Day == l.CancelEnd {
			data.Currency, data.MRRChange = m.Currency.Code(), m.After-m.Before
		}
	}
	t.tell(ScheduledCancellation, data, data.Customer.DataSource, after.ID, data.Requested, data.EffectiveDate)
}

func (t *teller) plan(sources []source, plans *planTable, row Row) {
	if !t.w.wants(PlanCreated) || row.Table == 0 {
		return
	}
	for i := range sources {
		if sources[i].seq != row.Source {
			continue
		}
		ref, ok := plans.byID[customerKey{uint32(i), row.ID}]
		if !ok {
			continue
		}
		p := &plans.list[ref]
		t.tell(PlanCreated, PlanData{
			ID: p.ID, Name: p.Name, BillingFreq: p.Interval.Unit.String(), BillingFreqCount: int(p.Interval.Count),
			Currency: p.Currency.Code(), DataSource: sources[i].ID,
		}, sources[i].ID, p.ID)
	}
}
