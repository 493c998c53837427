package report

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// TestLaw_TransactionDetailAddsUp checks that the single transactions are those
// counted by hand, and add up to the cash report.
func TestLaw_TransactionDetailAddsUp(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		b := newBooks(rng, s)
		coins := b.coins()
		for _, ask := range cashAsks() {
			params := maps.Clone(ask.params)
			if params == nil {
				params = map[string][]string{}
			}
			params["interval"] = append(params["interval"], "month") // whole months, as the report has
			q := mustQuery(t, s, params)
			r, err := Transactions(s, q)
			if err != nil {
				t.Fatal(err)
			}
			detail, err := TransactionDetail(s, q)
			if err != nil {
				t.Fatal(err)
			}
			checkSums(t, r, detail)
			checkRows(t, b, q, ask, coins, detail)
		}
		checkPages(t, s, rng)
	})
}

// checkSums compares the sums of a list with the report, per period, value and
// kind.
func checkSums(t *testing.T, r *TransactionReport, detail *PaymentReport) {
	t.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	note := func(from calendar.Day, value string, m *TransactionMetrics) {
		for k := range NetCash {
			if k != TaxCash && m.Count[k] > 0 {
				want[fmt.Sprintln(from, value, k)] = m.Amount[k]
			}
		}
	}
	for i := range r.Rows {
		if r.Values == nil {
			note(r.Rows[i].Period.From, "", &r.Rows[i].TransactionMetrics)
		}
		for v := range r.Values {
			note(r.Rows[i].Period.From, r.Values[v].Key, &r.Rows[i].Breakdown[v])
		}
	}
	for i := range detail.Rows {
		row := &detail.Rows[i]
		got[fmt.Sprintln(row.Period, row.BreakdownValue, row.Type)] += row.AmountBase
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("sums of %v (-report +detail):\n%s", detail.Days, diff)
	}
}

// checkRows compares the rows one by one with those counted by hand.
func checkRows(t *testing.T, b *books, q *Query, ask cashAsk, coins []coin, detail *PaymentReport) {
	t.Helper()
	var want, got []string
	for i := range coins {
		c := &coins[i]
		if c.kind == "tax" || c.day < detail.Days.From || c.day > detail.Days.To || !ask.keep(b, c) {
			continue
		}
		values := ask.value(b, c)
		if q.Breakdown == (Dimension{}) {
			values = []string{""}
		}
		for _, v := range values {
			want = append(want, fmt.Sprintln(c.day, c.customer.ID, c.id, c.kind, c.currency, c.amount, b.inBase(t, q, c.amount, c.currency, c.day), v))
		}
	}
	for i := range detail.Rows {
		row := &detail.Rows[i]
		got = append(got, fmt.Sprintln(row.Date, row.Customer.ID, row.Ref, row.Type, row.Currency, row.Amount, row.AmountBase, row.BreakdownValue))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%v (-counted +detail):\n%s", ask.params, diff)
	}
}

// checkPages reads a list in pages and in one piece.
func checkPages(t *testing.T, s *Snapshot, rng *rand.Rand) {
	t.Helper()
	params := map[string][]string{
		"sort":  {[]string{"date", "amount", "amount_base_currency", "customer_name", "type"}[rng.IntN(5)]},
		"order": {[]string{"asc", "desc"}[rng.IntN(2)]}, "date": {"20240101-20251231"},
	}
	whole, err := TransactionDetail(s, mustQuery(t, s, params))
	if err != nil {
		t.Fatal(err)
	}
	if whole.Count != len(whole.Rows) || whole.HasMore {
		t.Fatalf("count %d, has more %t, of %d rows", whole.Count, whole.HasMore, len(whole.Rows))
	}
	size := 1 + rng.IntN(7)
	var rows []PaymentRow
	for {
		params["limit"], params["offset"] = []string{fmt.Sprint(size)}, []string{fmt.Sprint(len(rows))}
		page, err := TransactionDetail(s, mustQuery(t, s, params))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, page.Rows...)
		if !page.HasMore {
			break
		}
	}
	if diff := cmp.Diff(refs(whole.Rows), refs(rows)); diff != "" {
		t.Fatalf("%v in pages of %d (-whole +pages):\n%s", params, size, diff)
	}
}

func refs(rows []PaymentRow) []string {
	var out []string
	for i := range rows {
		out = append(out, fmt.Sprintln(rows[i].Date, rows[i].Ref, rows[i].Type, rows[i].Amount))
	}
	return out
}

// TestLaw_InvoiceDetailListsTheRows compares the list of invoices with the rows
// themselves.
func TestLaw_InvoiceDetailListsTheRows(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		b := newBooks(rng, s)
		q := mustQuery(t, s, map[string][]string{"date": {"20240201-20250131"}, "baseCurrency": {"eur"}, "order": {"asc"}})
		r, err := InvoiceDetail(s, q)
		if err != nil {
			t.Fatal(err)
		}
		transactions, err := TransactionDetail(s, mustQuery(t, s, map[string][]string{"date": {"20240101-20270101"}}))
		if err != nil {
			t.Fatal(err)
		}
		parts := map[string]int{}
		for i := range transactions.Rows {
			parts[transactions.Rows[i].Ref]++
		}
		var want, got []string
		for i, events := range b.events {
			for j := range events {
				ev := &events[j]
				day := ev.Date.Day(s.Settings.Zone)
				if day < q.Range.From || day > min(q.Range.To, s.Today) || ev.Kind == ledger.Refund || ev.Kind == ledger.Cancellation && ev.Amount == 0 {
					continue
				}
				paid := calendar.NoDay
				if ev.Status == ledger.Paid {
					if paid = day; ev.Extra != nil && !ev.Extra.PaymentDate.IsZero() {
						paid = ev.Extra.PaymentDate.Day(s.Settings.Zone)
					}
				}
				want = append(want, fmt.Sprintln(day, b.Customers[i].ID, ev.ID, ev.Status, paid, ev.Amount, b.inBase(t, q, ev.Amount, ev.Currency, day), parts[ev.ID]))
			}
		}
		for i := range r.Rows {
			row := &r.Rows[i]
			got = append(got, fmt.Sprintln(row.Date, row.Customer.ID, row.Ref, row.Status, row.PaidOn, row.Total, row.TotalBase, row.Transactions))
			if i > 0 && row.Date < r.Rows[i-1].Date {
				t.Fatalf("row %d of %v comes after one of %v", i, row.Date, r.Rows[i-1].Date)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("invoices (-rows +report):\n%s", diff)
		}
	})
}
