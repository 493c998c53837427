package analytics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/ingest"
)

const account = "acc"

// world is an engine on a memory store with a clock that tests set.
type world struct {
	t       testing.TB
	store   analytics.Store
	engine  *analytics.Engine
	now     time.Time
	account string
	source  string
}

func newWorld(t testing.TB, store analytics.Store) *world {
	w := &world{t: t, store: store, now: time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC), account: account}
	w.reopen()
	w.findSource()
	return w
}

// findSource uses the account's data source, which it creates if need be.
func (w *world) findSource() {
	w.t.Helper()
	sources, err := w.engine.Sources(w.t.Context(), w.account)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(sources) == 0 {
		w.source = w.newSource("Billing").ID
	} else {
		w.source = sources[0].ID
	}
}

// reopen starts an engine that knows nothing but the store.
func (w *world) reopen() {
	w.engine = analytics.New(analytics.Config{Store: w.store, Rows: ingest.Documents{}, Now: func() time.Time { return w.now }})
}

func (w *world) newSource(name string) analytics.Source {
	w.t.Helper()
	s, err := w.engine.CreateSource(w.t.Context(), w.account, analytics.NewSource{Name: name, Type: analytics.SourceAPI})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// put pushes documents and fails the test when a row is refused.
func (w *world) put(kind string, docs ...string) {
	w.t.Helper()
	failures, err := w.tryPut(w.t.Context(), w.source, kind, docs...)
	if err != nil || len(failures) > 0 {
		w.t.Fatalf("put %s: %v %v", kind, failures, err)
	}
}

func (w *world) tryPut(ctx context.Context, source, kind string, docs ...string) ([]analytics.FieldError, error) {
	body := []byte("[" + strings.Join(docs, ",") + "]")
	switch kind {
	case "customers":
		b, err := ingest.DecodeCustomers(body)
		if err != nil || len(b.Errors) > 0 {
			return b.Errors, err
		}
		return w.engine.PutCustomers(ctx, w.account, source, b.Rows)
	case "plans":
		b, err := ingest.DecodePlans(body)
		if err != nil || len(b.Errors) > 0 {
			return b.Errors, err
		}
		return w.engine.PutPlans(ctx, w.account, source, b.Rows)
	default:
		b, err := ingest.DecodeInvoices(body)
		if err != nil || len(b.Errors) > 0 {
			return b.Errors, err
		}
		return w.engine.PutInvoices(ctx, w.account, source, b.Rows)
	}
}

func (w *world) snapshot() *report.Snapshot {
	w.t.Helper()
	s, err := w.engine.Snapshot(w.t.Context(), w.account)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// state renders what a snapshot says, with names in place of the numbers that
// depend on the order of arrival.
func (w *world) state() string { return render(w.snapshot()) }

func render(s *report.Snapshot) string {
	var all []string
	for _, c := range s.Customers {
		if c != nil {
			all = append(all, renderCustomer(s, c))
		}
	}
	sort.Strings(all)
	for _, p := range s.Plans[1:] {
		if !p.Missing {
			all = append(all, fmt.Sprintf("plan %s %s %v %v %v", p.ID, p.Name, p.Interval, p.Currency, p.Groups))
		}
	}
	sort.Strings(all)
	for _, g := range s.PlanGroups {
		var plans []string
		for _, ref := range g.Plans {
			plans = append(plans, s.Plans[ref].ID)
		}
		sort.Strings(plans)
		all = append(all, fmt.Sprintf("group %s %s %v %+v", g.ID, g.Name, plans, g.Rule))
	}
	for _, g := range s.Segments {
		all = append(all, fmt.Sprintf("segment %s %s %v %v", g.ID, g.Name, g.Filters, g.Split))
	}
	all = append(all, fmt.Sprintf("today %s, first day %s, base %s", s.Today, s.FirstDay, s.Settings.Base))
	return strings.Join(all, "\n")
}

func renderCustomer(s *report.Snapshot, c *report.Customer) string {
	l := c.Ledger
	var b strings.Builder
	custom, _ := json.Marshal(c.Custom)
	fmt.Fprintf(&b, "customer %s/%s %s %s %s %s %v %v came %v %s\n", s.Sources[c.Source].ID, c.ID, c.Name, c.Email, c.Country, c.State, c.Created,
		c.TrialStarted, c.Received, custom)
	fmt.Fprintf(&b, "  wake %s first %s %s trial %s %s cancel %s %s %s overdue %s next %s payments %d paid %v rates %t %s\n",
		l.Wake, l.FirstPaid, l.FirstInvoice, l.TrialStart, l.TrialEnd, l.CancelRequest, l.CancelEnd, s.Symbols[l.CancelReason], l.Overdue,
		l.NextBilling, l.Payments, l.Paid, l.NeedsRates, l.Currency)
	var lines []string
	for _, ch := range l.Changes {
		lines = append(lines, fmt.Sprintf("  change %s %s %d %s", ch.Day, s.Symbols[l.Slots[ch.Slot].Subscription], ch.Cause, renderState(s, ch.After)))
	}
	for _, m := range l.Movements() {
		m.First, m.Last = 0, 0
		lines = append(lines, fmt.Sprintf("  movement %s %s %+v", m.Day, m.Type, m))
	}
	for _, sub := range l.Streams {
		lines = append(lines, fmt.Sprintf("  subscription %s %s %s %s %t %t %s", s.Symbols[sub.Subscription], s.Plans[sub.Plan].ID, sub.Start,
			sub.PaidThrough, sub.Active, sub.PastDue, sub.End))
	}
	for _, inv := range l.Invoices {
		money, extra := l.Rare(&inv)
		if extra == nil {
			extra = &ledger.Extra{}
		}
		lines = append(lines, fmt.Sprintf("  invoice %s %s %d %s plan %s by %s %d %d %d tax %d discount %d reason %s lines %d", s.InvoiceID(inv.Ref),
			inv.Day, inv.Amount, inv.Currency, s.Plans[inv.Plan].ID, s.Symbols[inv.Method], inv.Kind, inv.Status, inv.Pricing,
			money.Tax, money.Discount, s.Symbols[extra.CancelReason], len(extra.Lines)))
	}
	slices.Sort(lines)
	return b.String() + strings.Join(lines, "\n")
}

func renderState(s *report.Snapshot, st ledger.State) string {
	plan, method := s.Plans[st.Plan].ID, s.Symbols[st.Method]
	st.Plan, st.Method = 0, 0
	return fmt.Sprintf("%s %s %+v", plan, method, st)
}

// company is a generated business as documents.
type company struct {
	customers, plans, invoices []string
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// newCompany generates customers with every kind of invoice, in time order.
func newCompany(r *rand.Rand, customers int) company {
	var c company
	for i, interval := range []string{"month", "month", "year", "week", "month"} {
		c.plans = append(c.plans, fmt.Sprintf(`{"id":"p%d","name":"Plan %d","interval":%q,"interval_count":%d,"currency":%q,"plan_group":%q}`,
			i, i, interval, pick(r, 1, 1, 3), pick(r, "usd", "eur"), pick(r, "", "Pro", "Basic")))
	}
	n := 0
	for i := range customers {
		c.customers = append(c.customers, fmt.Sprintf(`{"id":"c%d","name":"Customer %d","country":%q,"metadata":{"size":"%d"}}`,
			i, i, pick(r, "us", "dk", ""), r.IntN(3)))
		day := calendar.Date(2023, 1, 1+r.IntN(300))
		for range r.IntN(12) {
			c.invoices = append(c.invoices, newInvoice(r, n, i, day))
			n++
			day += calendar.Day(pick(r, 0, 1, 10, 30, 31, 90))
		}
	}
	return c
}

func newInvoice(r *rand.Rand, n, customer int, day calendar.Day) string {
	f := map[string]any{"id": fmt.Sprintf("i%d", n), "customer_id": fmt.Sprintf("c%d", customer), "invoice_date": day.String(), "amount": 100 * r.IntN(50)}
	if sub := r.IntN(4); sub > 1 {
		f["subscription_id"] = fmt.Sprintf("s%d-%d", customer, sub)
	}
	switch kind := r.IntN(12); {
	case kind < 8:
		f["type"], f["plan_id"], f["quantity"] = "subscription", fmt.Sprintf("p%d", r.IntN(5)), r.IntN(4)
		if r.IntN(2) == 0 {
			f["period_start"], f["period_end"] = day.String(), (day + calendar.Day(1+r.IntN(60))).String()
			f["proration"] = r.IntN(4) == 0
		}
		if r.IntN(5) == 0 {
			f["discount"], f["tax"], f["status"] = 50, 10, pick(r, "paid", "open", "failed", "void")
		}
	case kind == 8:
		f["type"] = "one-time"
	case kind == 9:
		f["type"], f["cancel_reason"] = "cancellation", pick(r, "price", "features")
	case kind == 10:
		f["type"] = "refund"
	default:
		f["lines"] = []map[string]any{{"plan_id": "p0", "amount": 500}, {"plan_id": "p1", "amount": 700, "quantity": 2}, {"description": "fee", "amount": 9}}
	}
	doc, _ := json.Marshal(f)
	return string(doc)
}

func (w *world) push(c company) {
	w.t.Helper()
	w.put("customers", c.customers...)
	w.put("plans", c.plans...)
	w.put("invoices", c.invoices...)
}

func shuffled(r *rand.Rand, docs []string) []string {
	docs = slices.Clone(docs)
	r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	return docs
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// seeds runs a law over several generated companies.
func seeds(t *testing.T, law func(*testing.T, *rand.Rand)) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			law(t, newRandom(seed))
		})
	}
}
