package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// What customers gave up, by reason and in words, is what their ledgers say one
// by one, also in a snapshot that follows one with other customers.
func TestLaw_EndingsAreTheLedgers(t *testing.T) {
	t.Parallel()
	quoted := 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for len(s.Customers) < 2*blockSize {
			s.Customers = append(s.Customers, s.Customers...)
		}
		s.Follow(nil)
		endingsLaw(t, rng, s)
		customers := slices.Clone(s.Customers)
		changed := *customers[0]
		changed.Ledger = customers[len(customers)-2].Ledger
		customers[0] = &changed
		after := *s
		after.Customers = customers
		after.Follow(s)
		if after.blocks[0] == s.blocks[0] || after.blocks[1] != s.blocks[1] {
			t.Fatal("the blocks that are shared are not those that stayed the same")
		}
		quoted += endingsLaw(t, rng, &after)
	})
	if quoted == 0 {
		t.Error("nobody said anything")
	}
}

// The list of cancellations has the comment of each as it was stated.
func TestLaw_CommentsAreAsStated(t *testing.T) {
	t.Parallel()
	blank := 0
	eachCompany(t, func(t *testing.T, _ *rand.Rand, s *Snapshot) {
		r, err := CancellationTimingDetail(s, mustQuery(t, s, map[string][]string{"date": {"all"}, "limit": {"10000"}}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows {
			row := &r.Rows[i]
			l := row.Customer.Ledger
			if !slices.ContainsFunc(l.Endings, func(e ledger.Ending) bool {
				_, comment := l.Stated(&e)
				return e.Request == row.Requested && e.End == row.Effective && comment == row.Comment
			}) {
				t.Errorf("%+v: no cancellation says %q", row, row.Comment)
			}
			if row.Comment == " " {
				blank++
			}
		}
	})
	if blank == 0 {
		t.Error("no comment was blank")
	}
}

// endingsLaw counts the endings of a snapshot again and returns how many came
// with a comment.
func endingsLaw(t *testing.T, rng *rand.Rand, s *Snapshot) (comments int) {
	t.Helper()
	params := randomParams(rng, []string{""})
	q := mustQuery(t, s, params)
	q.AsCash()
	got, err := ChurnReasons(s, q)
	if err != nil {
		t.Fatalf("ChurnReasons(%v): %v", params, err)
	}
	want, quotes := recountEndings(t, s, q)
	if len(got.Rows) != len(want) {
		t.Fatalf("ChurnReasons(%v): %d reasons, counted %d", params, len(got.Rows), len(want))
	}
	for i := range got.Rows {
		row := &got.Rows[i]
		if w := want[row.Reason]; w == nil || row.Cancellations != w.Cancellations || row.MRR != w.MRR || row.Customers != w.Customers {
			t.Fatalf("ChurnReasons(%v) %s: %+v, counted %+v", params, row.Reason, row.EndingMetrics, w)
		}
	}
	said, err := ChurnReasonsSummary(s, q)
	if err != nil {
		t.Fatal(err)
	}
	latest := slices.Clone(quotes[:min(quotedComments, len(quotes))])
	if said.Comments != len(quotes) || !strings.HasSuffix(said.Summary, strings.Join(latest, "; ")+strings.Repeat(".", min(1, len(quotes)))) {
		t.Fatalf("ChurnReasonsSummary(%v): %+v, the comments are %d: %q", params, said, len(quotes), latest)
	}
	return len(quotes)
}

// recountEndings looks at every ending of every ledger: the figures by reason,
// and the comments, the latest first.
func recountEndings(t *testing.T, s *Snapshot, q *Query) (reasons map[string]*EndingMetrics, quotes []string) {
	t.Helper()
	es := newEndingScan(s, q, 1, true)
	reasons = map[string]*EndingMetrics{}
	type said struct {
		lost
		text string
	}
	var all []said
	for _, c := range s.Customers {
		if !es.sel.customer(c) {
			continue
		}
		for i := range c.Ledger.Endings {
			e := &c.Ledger.Endings[i]
			symbol, comment := c.Ledger.Stated(e)
			reason := strings.ToLower(s.Symbols[symbol])
			switch e.Cause {
			case ledger.ByExpiry:
				reason = reasonExpired
			case ledger.ByInvoluntary:
				reason = reasonPaymentFailed
			default:
			}
			worth, counts := takenAway(t, es, c.Ledger, e)
			if !counts || e.Voided.Valid() || e.Request > s.Today || !q.Range.Contains(e.Request) ||
				slices.ContainsFunc(es.filters, func(f Filter) bool { return !f.keeps(reason) }) {
				continue
			}
			key := cmp.Or(reason, Unset)
			if reasons[key] == nil {
				reasons[key] = &EndingMetrics{}
			}
			reasons[key].add(c, worth)
			if strings.TrimSpace(comment) != "" {
				all = append(all, said{lost{ended: &ended{request: e.Request}, subject: &subject{customer: c}}, comment})
			}
		}
	}
	slices.SortFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(b.request, a.request), strings.Compare(a.customer().Name, b.customer().Name), strings.Compare(a.text, b.text))
	})
	for _, x := range all {
		quotes = append(quotes, fmt.Sprintf("“%s” – %s", x.text, x.customer().Name))
	}
	return reasons, quotes
}

// takenAway is what an ending took away within the view of a scan, and whether it
// took anything away.
func takenAway(t *testing.T, es *endingScan, l *ledger.Ledger, e *ledger.Ending) (worth int64, counts bool) {
	t.Helper()
	before, after := l.Latest(e.End-1), l.Latest(e.End)
	for slot := range l.Slots {
		if l.Slots[slot].Stream != e.Stream {
			continue
		}
		if st := after[slot]; st != nil && st.MRR > 0 {
			return 0, false
		}
		if st := before[slot]; st != nil && st.MRR > 0 && (es.match == nil || es.match(st)) {
			own, err := es.rates.convert(st.MRR, st.Currency, e.End)
			if err != nil {
				t.Fatal(err)
			}
			worth, counts = worth+own, true
		}
	}
	return worth, counts
}
