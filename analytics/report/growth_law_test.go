package report

import (
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// An MRR table opens with what the period before closed with, its rows add up
// to what it closes with, and with a breakdown its rows add up to those of the
// report mrr.
func TestLaw_MRRTable(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		q := mustQuery(t, s, params)
		split, err := MRRTable(s, q)
		if err != nil {
			t.Fatalf("MRRTable(%v): %v", params, err)
		}
		plain := *q
		plain.Breakdown = Dimension{}
		whole, err := MRRTable(s, &plain)
		if err != nil {
			t.Fatalf("MRRTable(%v) without a breakdown: %v", params, err)
		}
		r, err := MRR(s, &plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(whole) != 8*len(r.Rows) {
			t.Fatalf("MRRTable(%v): %d rows for %d periods", params, len(whole), len(r.Rows))
		}
		for i := range r.Rows {
			rows := whole[8*i : 8*i+8]
			sum := int64(0)
			for _, row := range rows[:7] {
				sum += row.Amount
			}
			if closing := rows[7]; closing.Amount != sum || closing.Amount != r.Rows[i].TotalMRR || closing.Customers != r.Rows[i].TotalCustomers {
				t.Fatalf("MRRTable(%v): rows %v add up to %d, the report says %d", params, rows, sum, r.Rows[i].TotalMRR)
			}
			if i > 0 && rows[0].Amount != r.Rows[i-1].TotalMRR {
				t.Fatalf("MRRTable(%v): opens with %d after a close of %d", params, rows[0].Amount, r.Rows[i-1].TotalMRR)
			}
		}
		if q.Breakdown.ofState() || q.Breakdown == (Dimension{}) {
			return // single subscriptions move between the values
		}
		type cell struct {
			date calendar.Day
			kind string
		}
		sums := map[cell]int64{}
		for _, row := range split {
			sums[cell{row.Date, row.Type}] += row.Amount
		}
		for _, row := range whole {
			moves := row.Type != openingRow && row.Type != closingRow && row.Type != adjustmentRow
			if got := sums[cell{row.Date, row.Type}]; got != row.Amount && (moves || q.Breakdown.kind != subtypeDimension) {
				t.Fatalf("MRRTable(%v) %s %s: values add up to %d, the whole is %d", params, row.Date, row.Type, got, row.Amount)
			}
		}
	})
}

// The subtypes of a type add up to what the report mrr says of it.
func TestLaw_MRRSubtypes(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		delete(params, "breakdown")
		q := mustQuery(t, s, params)
		r, err := MRR(s, q)
		if err != nil {
			t.Fatalf("MRR(%v): %v", params, err)
		}
		table, err := MRRTableSubtypes(s, q)
		if err != nil {
			t.Fatalf("MRRTableSubtypes(%v): %v", params, err)
		}
		type cell struct {
			date calendar.Day
			kind ledger.Type
		}
		sums := map[cell]int64{}
		for _, row := range table {
			sums[cell{row.Date, row.Type}] += row.Amount
		}
		for _, kind := range ledger.Types {
			for i := range r.Rows {
				want, _ := r.Rows[i].of(kind)
				if got := sums[cell{r.Rows[i].Period.From, kind}]; got != want {
					t.Fatalf("MRRTableSubtypes(%v) %s %v: %d, want %d", params, r.Rows[i].Period, kind, got, want)
				}
			}
			if kind == ledger.New || kind == ledger.Reactivation {
				continue
			}
			q.Own.Type = kind.String()
			one, err := MRRSubtypes(s, q)
			if err != nil {
				t.Fatalf("MRRSubtypes(%v, %v): %v", params, kind, err)
			}
			for i := range one.Rows {
				sum := int64(0)
				for _, f := range one.Rows[i].Values {
					sum += f.Amount
				}
				want, customers := r.Rows[i].of(kind)
				if total := one.Rows[i].Total; sum != want || total != (SubtypeFigure{want, customers}) {
					t.Fatalf("MRRSubtypes(%v, %v) %s: sum %d, total %v, want %d", params, kind, one.Rows[i].Period, sum, total, want)
				}
			}
		}
	})
}

// The growth of a month is what the report mrr says of its days.
func TestLaw_MRRGrowth(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		delete(params, "breakdown")
		delete(params, "committed")
		delete(params, "fix_fx") // the two reports' ranges begin on different days
		q := mustQuery(t, s, params)
		r, err := MRRGrowth(s, q)
		if err != nil {
			t.Fatalf("MRRGrowth(%v): %v", params, err)
		}
		for _, days := range [][]GrowthDay{r.Days, r.Compare} {
			byDay := *q
			byDay.Unit, byDay.Range = calendar.UnitDay, calendar.Range{From: days[0].Date, To: days[len(days)-1].Date}
			want, err := MRR(s, &byDay)
			if err != nil {
				t.Fatal(err)
			}
			sum := int64(0)
			for i := range days {
				sum += want.Rows[i].NetMRRDiff
				for _, kind := range ledger.Types {
					if amount, _ := want.Rows[i].of(kind); amount != days[i].Amount[kind] {
						t.Fatalf("MRRGrowth(%v) %s: %v %d, want %d", params, days[i].Date, kind, days[i].Amount[kind], amount)
					}
				}
				if days[i].Cumulative != sum {
					t.Fatalf("MRRGrowth(%v) %s: %d so far, want %d", params, days[i].Date, days[i].Cumulative, sum)
				}
			}
		}
		if rows := r.Rows(); len(rows) != len(r.Days)+1 || rows[0] != (GrowthRow{}) {
			t.Fatalf("MRRGrowth(%v): rows %v", params, rows)
		}
	})
}

// Committed MRR is MRR with the movements that the report mrr has for the
// future: all of them, and those of the coming days.
func TestLaw_CMRR(t *testing.T) {
	t.Parallel()
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		delete(params, "breakdown")
		q := mustQuery(t, s, params)
		r, err := CMRRSummary(s, q)
		if err != nil {
			t.Fatalf("CMRRSummary(%v): %v", params, err)
		}
		ahead := *q
		ahead.Unit, ahead.Committed = calendar.UnitDay, true
		for i, n := range append([]int{0}, SummaryDays[:]...) {
			last := s.Today + calendar.Day(n)
			ahead.Range = calendar.Range{From: q.Range.From, To: last}
			if !q.FixFX {
				ahead.Range.From = last
			}
			ahead.Unit = calendar.UnitDay
			want, err := MRR(s, &ahead)
			if err != nil {
				t.Fatal(err)
			}
			got := r.MRR
			if i > 0 {
				got = r.Ahead[i-1]
			}
			if total := want.Rows[len(want.Rows)-1].TotalMRR; got != total {
				t.Fatalf("CMRRSummary(%v) in %d days: %d, want %d", params, n, got, total)
			}
		}
		table := *q
		table.Committed, table.DateGiven, table.UnitGiven = true, true, false
		table.Range.To = s.Today + 5000
		moves, err := MovementTable(s, &table)
		if err != nil {
			t.Fatal(err)
		}
		sum := r.MRR
		for i := range moves.Rows {
			sum += moves.Rows[i].ChangeBase
		}
		if sum != r.Current {
			t.Fatalf("CMRRSummary(%v): %d, MRR with the scheduled movements is %d", params, r.Current, sum)
		}
	})
}
