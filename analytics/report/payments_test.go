package report

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestPaymentList_PagesOfALongList compares pages of lists that are much longer
// than a page, of which most rows are only counted, with the whole list.
func TestPaymentList_PagesOfALongList(t *testing.T) {
	t.Parallel()
	s := largeAccount(150, "usd", "eur")
	s.InvoiceID = func(ref uint32) string { return fmt.Sprint(ref) }
	for i, c := range s.Customers {
		c.ID, c.Name = fmt.Sprint("c", i*37%150), fmt.Sprint("Customer ", i*91%150) // in no order
		for k := range c.Ledger.Invoices {
			inv := &c.Ledger.Invoices[k]
			inv.Ref = uint32(i*1000 + k)
			inv.Day -= inv.Day % 60 // many on one day
			if (i+k)%50 == 0 {
				inv.Amount = 0 // an invoice, and no transaction
			}
		}
	}
	same := cmpopts.IgnoreFields(PaymentReport{}, "Page")
	names := cmp.Comparer(func(a, b *Customer) bool { return a == b })
	for _, params := range []map[string][]string{
		{},
		{"payment_method": {"visa"}},
		{"order": {"asc"}},
		{"sort": {"amount"}},
		{"breakdown": {"plan"}},
		{"sort": {"customer_name"}},
		{"sort": {"customer_name"}, "order": {"asc"}},
		{"sort": {"type"}},
		{"sort": {"amount_base_currency"}, "order": {"asc"}},
	} {
		ask := func(limit, offset int) *Query {
			p := map[string][]string{"date": {"20230101-20251220"}, "limit": {fmt.Sprint(limit)}, "offset": {fmt.Sprint(offset)}}
			maps.Copy(p, params)
			return mustQuery(t, s, p)
		}
		for name, list := range map[string]func(*Snapshot, *Query) (*PaymentReport, int, error){
			"transactions": func(s *Snapshot, q *Query) (*PaymentReport, int, error) {
				r, err := TransactionDetail(s, q)
				return r, r.Count, err
			},
			"invoices": func(s *Snapshot, q *Query) (*PaymentReport, int, error) {
				r, err := InvoiceDetail(s, q)
				rows := &PaymentReport{Days: r.Days}
				for _, row := range r.Rows {
					rows.Rows = append(rows.Rows, PaymentRow{Date: row.Date, Customer: row.Customer, Currency: row.Currency, Amount: row.Total, AmountBase: row.TotalBase})
				}
				return rows, r.Count, err
			},
		} {
			whole, count, err := list(s, ask(maxLimit, 0))
			if err != nil || count != len(whole.Rows) || count < 1200 {
				t.Fatalf("%s %v: %d of %d rows, %v", name, params, len(whole.Rows), count, err)
			}
			for _, offset := range []int{0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, count / 2, count - 5, count, count + 5} {
				page, got, err := list(s, ask(10, offset))
				if err != nil || got != count {
					t.Errorf("%s %v from %d: %d rows in all, want %d, %v", name, params, offset, got, count, err)
				}
				if diff := cmp.Diff(whole.Rows[min(offset, count):min(offset+10, count)], page.Rows, same, names, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s %v from %d (-whole list +page):\n%s", name, params, offset, diff)
				}
			}
		}
	}
}
