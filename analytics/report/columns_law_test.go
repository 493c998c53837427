package report

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// eachBilling calls visit with the rows of every customer who was ever billed.
func eachBilling(t *testing.T, s *Snapshot, visit func(cs *cashScan, x *subject, b *billing)) {
	t.Helper()
	cs := newCashScan(s, mustQuery(t, s, nil), allCash, 1)
	err := cs.customers(func(x *subject, b *billing) error {
		visit(cs, x, b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The rows of cash are the parts of the paid invoices, and each leads back to its
// invoice.
func TestLaw_RowsAreThePartsOfPaidInvoices(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		books := newBooks(rng, s)
		s.Follow(nil)
		show := func(c *coin) string {
			return fmt.Sprintln(c.id, c.day, c.kind, c.amount, c.currency, c.plan, c.method, c.discount, c.metered)
		}
		var want, got []string
		for _, c := range books.coins() {
			want = append(want, show(&c))
		}
		eachBilling(t, s, func(cs *cashScan, x *subject, b *billing) {
			for row, word := range b.words {
				v, of := cs.verdict(word), &cs.known[word&^firstRow]
				if !v.cash || b.days[row] > s.Today {
					continue
				}
				got = append(got, show(&coin{
					id: s.invoiceID(&x.ledger.Invoices[b.invoice(int32(row))]), day: b.days[row], kind: v.kind.String(), amount: b.amounts[row],
					currency: of.currency, plan: of.plan, method: s.symbol(of.method), discount: of.discounted, metered: of.pricing == ledger.Metered,
				}))
			}
		})
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rows of cash (-counted +rows):\n%s", diff)
		}
	})
}

// Every invoice of a list has a row for each plan that it may be found by, and
// every failure leads to its invoice.
func TestLaw_RowsStandForInvoices(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		books := newBooks(rng, s)
		s.Follow(nil)
		var want, got []string
		for _, events := range books.events {
			for i := range events {
				ev := &events[i]
				if ev.Kind == ledger.Refund || ev.Kind == ledger.Cancellation && ev.Amount == 0 {
					continue
				}
				asks := ev.Amount > 0 && ev.Kind != ledger.Cancellation && ev.Status != ledger.Void
				for _, plan := range plansStated(ev) {
					want = append(want, fmt.Sprintln(ev.ID, ev.Date.Day(s.Settings.Zone), asks, plan))
				}
			}
		}
		eachBilling(t, s, func(cs *cashScan, x *subject, b *billing) {
			for row, word := range b.words {
				if of := &cs.known[word&^firstRow]; of.listed {
					inv, list := &x.ledger.Invoices[b.invoice(int32(row))], paymentList{cs: cs}
					got = append(got, fmt.Sprintln(s.invoiceID(inv), b.days[row], of.bill, of.plan))
					if total := list.total(b, int32(row)); total != inv.Amount {
						t.Fatalf("row %d of invoice %s comes to %d, want %d", row, s.invoiceID(inv), total, inv.Amount)
					}
				}
			}
			checkFailures(t, s, x.ledger, b)
		})
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rows of invoices (-stated +rows):\n%s", diff)
		}
	})
}

// plansStated are the plans of an event and its lines, without repetitions; 0 if
// there is none.
func plansStated(ev *ledger.Event) []ledger.PlanRef {
	plans := []ledger.PlanRef{ev.Plan}
	if ev.Extra != nil {
		for _, line := range ev.Extra.Lines {
			plans = append(plans, line.Plan)
		}
	}
	slices.Sort(plans)
	if plans = slices.Compact(plans); len(plans) > 1 && plans[0] == 0 {
		return plans[1:]
	}
	return plans
}

func checkFailures(t *testing.T, s *Snapshot, l *ledger.Ledger, b *billing) {
	t.Helper()
	if len(b.failures) != len(l.Failures) {
		t.Fatalf("%d failures, the ledger has %d", len(b.failures), len(l.Failures))
	}
	for i, at := range l.Failures {
		inv := &l.Invoices[at.Invoice]
		want := failure{
			amount: inv.Amount, day: at.Day, due: at.Day, row: b.failures[i].row, invoice: at.Invoice, outcome: at.Outcome,
			open: inv.Status == ledger.Open || inv.Status == ledger.Failed,
		}
		if _, x := l.Rare(inv); x != nil {
			if want.attempts = x.Attempts; !x.DueDate.IsZero() {
				want.due = x.DueDate.Day(s.Settings.Zone)
			}
		}
		if b.failures[i] != want || b.words[want.row]&firstRow == 0 || b.invoice(want.row) != int(at.Invoice) {
			t.Fatalf("failure %+v, the ledger has %+v", b.failures[i], want)
		}
	}
}

// Reports of a snapshot that follows another, some of whose customers and plans
// have changed, are those of one that follows none.
func TestLaw_CashOfSnapshotsThatFollow(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		if rng.IntN(3) > 0 {
			return // a third are enough
		}
		newBooks(rng, s)
		var customers []*Customer
		for len(customers) < 2*blockSize {
			customers = append(customers, s.Customers...)
		}
		before := s.with(customers)
		before.PlanGroups, before.InvoiceID = s.PlanGroups, s.InvoiceID
		before.Follow(nil)
		then := cashAnswers(t, before)

		other := *customers[0]
		other.Ledger = customers[len(s.Customers)-2].Ledger
		after := before.with(slices.Clone(customers))
		after.PlanGroups, after.InvoiceID = s.PlanGroups, s.InvoiceID
		after.Customers[rng.IntN(blockSize)] = &other
		after.Customers[rng.IntN(len(customers))] = nil
		after.Plans = slices.Clone(s.Plans)
		after.Plans[1].Interval, after.Plans[2].Groups = calendar.Interval{Unit: calendar.UnitYear, Count: 1}, nil
		alone := *after
		alone.Follow(nil)
		after.Follow(before)

		want, got := cashAnswers(t, &alone), cashAnswers(t, after)
		for name := range want {
			if !reflect.DeepEqual(want[name], got[name]) {
				t.Errorf("%s of the later snapshot differs:\nalone     %+v\nfollowing %+v", name, want[name], got[name])
			}
		}
		if !reflect.DeepEqual(then, cashAnswers(t, before)) {
			t.Error("answers of the earlier snapshot changed")
		}
	})
}

// cashAnswers asks every report about invoices.
func cashAnswers(t *testing.T, s *Snapshot) map[string]any {
	t.Helper()
	answers := map[string]any{}
	for _, params := range []map[string][]string{
		{"limit": {"20"}},
		{"plan": {"p1~~p4"}, "has_discount": {"true"}, "breakdown": {"country"}, "limit": {"20"}},
		{"country": {"us"}, "billing_freq": {"~month"}, "breakdown": {"plan"}, "limit": {"20"}},
	} {
		params["date"] = []string{"20240101-20241231"}
		q := mustQuery(t, s, params)
		note := func(name string, answer any, err error) {
			if err != nil {
				t.Fatal(name, err)
			}
			answers[fmt.Sprint(name, params)] = answer
		}
		transactions, err := Transactions(s, q)
		note("transactions", transactions, err)
		summary, err := TransactionSummary(s, q)
		note("transactions-summary", summary, err)
		detail, err := TransactionDetail(s, q)
		note("transactions-detail", detail, err)
		invoices, err := InvoiceDetail(s, q)
		note("invoices-detail", invoices, err)
		failures, err := Failures(s, q)
		note("failures", failures, err)
		failed, err := FailureDetail(s, q)
		note("failures-detail", failed, err)
		rate, err := FailureSummary(s, q)
		note("failures-summary", rate, err)
		refunds, err := Refunds(s, q)
		note("refunds", refunds, err)
		back, err := RefundDetail(s, q)
		note("refunds-detail", back, err)
		unpaid, err := Outstanding(s, q)
		note("outstanding", unpaid, err)
		world, err := Map(s, q)
		note("map", world, err)
	}
	return answers
}

// Whoever asks a new snapshot first, and how many do at once, all get the same
// answers.
func TestCash_AskedAtOnce(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	s := newCompany(rng)
	newBooks(rng, s)
	for len(s.Customers) < 16*blockSize {
		s.Customers = append(s.Customers, s.Customers...)
	}
	s.Follow(nil)
	answers := make([]*TransactionReport, 4)
	queries := []*Query{mustQuery(t, s, nil), mustQuery(t, s, map[string][]string{"currency": {"usd"}, "breakdown": {"plan"}})}
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			<-begin
			cs := newCashScan(s, queries[i%2], allCash, 1)
			for at := range s.blocks { // filters may begin anywhere
				b := s.blocks[(at+4*i)%len(s.blocks)]
				b.once.Do(b.fill)
				cs.enter(b)
			}
			answers[i], _ = Transactions(s, queries[i%2])
		})
	}
	close(begin)
	all.Wait()
	for i, got := range answers {
		want, err := Transactions(s, queries[i%2])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked at once (-alone +at once):\n%s", diff)
		}
	}
}

// The summary needs the rates of the days that it adds up, and no others.
func TestTransactionSummary_NeedsNoOtherRates(t *testing.T) {
	t.Parallel()
	s := newCompany(rand.New(rand.NewPCG(1, 1)))
	s.Today = date("2025-01-10")
	s.Rates = nil
	bill := func(day string) ledger.Event {
		return ledger.Event{ID: day, Date: calendar.DayStamp(date(day)), Kind: ledger.OneTime, Amount: 100, Currency: currency("eur")}
	}
	for day, want := range map[string]bool{"2024-05-05": true, "2024-01-05": false, "2024-12-07": false} {
		s.Customers = []*Customer{{Ledger: ledger.NewReplayer(s.Settings, s.Plans).Replay([]ledger.Event{bill(day)}, 0, s.Today)}}
		s.Follow(nil)
		_, err := TransactionSummary(s, mustQuery(t, s, map[string][]string{"date": {"20240101-20250110"}, "baseCurrency": {"usd"}}))
		if (err == nil) != want {
			t.Errorf("an invoice of %s without a rate: %v, want an answer: %t", day, err, want)
		}
	}
}
