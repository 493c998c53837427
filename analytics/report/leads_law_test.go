package report

import (
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// The scheduled movements of a period add up to its row, the values of a
// breakdown to the whole, and all of it is in the movement table.
func TestLaw_ChurnScheduled(t *testing.T) {
	t.Parallel()
	scheduled := 0
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		params := randomParams(rng, allBreakdowns)
		params["date"] = []string{[]string{"", "20241201-20270101", "20250101-20250301"}[rng.IntN(3)]}
		q := mustQuery(t, s, params)
		r, err := ChurnScheduled(s, q)
		if err != nil {
			t.Fatalf("ChurnScheduled(%v): %v", params, err)
		}
		plain := *q
		plain.Breakdown = Dimension{}
		for i := range r.Rows {
			row := &r.Rows[i]
			plain.SelectedDate = row.Period.To
			moves, err := ChurnScheduledMovements(s, &plain)
			if err != nil {
				t.Fatal(err)
			}
			want := scheduledSums(moves)
			if row.ScheduledChurn != want {
				t.Fatalf("ChurnScheduled(%v) %s: %+v, its movements say %+v", params, row.Period, row.ScheduledChurn, want)
			}
			scheduled += len(moves.Rows)
			if q.Breakdown == (Dimension{}) || q.Breakdown.ofState() {
				continue // single subscriptions move between the values
			}
			sum := int64(0)
			for v := range row.Breakdown {
				sum += row.Breakdown[v].TotalMRR
			}
			if sum != row.TotalMRR {
				t.Fatalf("ChurnScheduled(%v) %s: values add up to %d of %d", params, row.Period, sum, row.TotalMRR)
			}
		}
		if len(r.Rows) == 0 {
			return
		}
		plain.SelectedDate, plain.Committed, plain.DateGiven, plain.UnitGiven = calendar.NoDay, true, true, false
		fixed := plain.Range
		plain.Range = r.Days
		all, err := MovementTable(s, &plain)
		if err != nil {
			t.Fatal(err)
		}
		if q.FixFX && fixed.From != r.Days.From {
			return // the two ranges begin on different days
		}
		got, want := int64(0), scheduledSums(all)
		for i := range r.Rows {
			got += r.Rows[i].TotalMRR
		}
		if got != want.TotalMRR {
			t.Fatalf("ChurnScheduled(%v): %d in all, the movement table has %d", params, got, want.TotalMRR)
		}
	})
	if scheduled == 0 {
		t.Error("no company had anything scheduled")
	}
}

func scheduledSums(r *MovementTableReport) ScheduledChurn {
	var sum ScheduledChurn
	left, lowered, either := map[*Customer]bool{}, map[*Customer]bool{}, map[*Customer]bool{}
	for i := range r.Rows {
		row := &r.Rows[i]
		switch row.Type {
		case ledger.Churn:
			sum.Churn += row.ChangeBase
			left[row.Customer] = true
		case ledger.Contraction:
			sum.Contraction += row.ChangeBase
			lowered[row.Customer] = true
		default:
			continue
		}
		sum.TotalMRR += row.ChangeBase
		either[row.Customer] = true
	}
	sum.ChurnCustomers, sum.ContractionCustomers, sum.TotalCustomers = int64(len(left)), int64(len(lowered)), int64(len(either))
	return sum
}

// A period has as many leads, trials and conversions as its table lists; the
// values of a breakdown add up to the whole; and a leads report is what counting
// the customers one by one gives.
func TestLaw_Leads(t *testing.T) {
	t.Parallel()
	trials := int64(0)
	eachCompany(t, func(t *testing.T, rng *rand.Rand, s *Snapshot) {
		for _, c := range s.Customers {
			if c != nil && rng.IntN(3) == 0 {
				c.Created = calendar.DayStamp(date("2023-11-01") + calendar.Day(rng.IntN(400)))
			}
		}
		params := randomParams(rng, allBreakdowns)
		q := mustQuery(t, s, params)
		r, err := Leads(s, q)
		if err != nil {
			t.Fatalf("Leads(%v): %v", params, err)
		}
		plain := *q
		plain.Breakdown = Dimension{}
		for i := range r.Rows {
			row := &r.Rows[i]
			plain.SelectedDate = row.Period.From
			for stage, want := range map[LeadStage]int64{AnyLead: row.Leads, TrialLead: row.Trials, ConvertedLead: row.Converted} {
				plain.Selected = stage.String()
				table, err := LeadsTable(s, &plain)
				if err != nil {
					t.Fatal(err)
				}
				if int64(table.Count) != want {
					t.Fatalf("Leads(%v) %s: %d %v, the table lists %d", params, row.Period, want, stage, table.Count)
				}
			}
			trials += row.Trials
			if row.TrialsConverted > min(row.Trials, row.Converted) || row.Converted > row.Leads || row.Trials > row.Leads {
				t.Fatalf("Leads(%v) %s: no funnel: %+v", params, row.Period, row.LeadMetrics)
			}
			if row.Breakdown == nil {
				continue
			}
			var sum LeadMetrics
			for _, part := range row.Breakdown {
				sum.Leads, sum.Trials, sum.Converted = sum.Leads+part.Leads, sum.Trials+part.Trials, sum.Converted+part.Converted
			}
			if sum.Leads != row.Leads || sum.Trials != row.Trials || sum.Converted != row.Converted {
				t.Fatalf("Leads(%v) %s: values add up to %+v of %+v", params, row.Period, sum, row.LeadMetrics)
			}
		}
		if len(r.Rows) == 0 {
			return
		}
		whole := *q
		whole.Range = calendar.Range{From: r.Rows[0].Period.From, To: r.Rows[len(r.Rows)-1].Period.To}
		days, err := LeadsDays(s, &whole)
		if err != nil {
			t.Fatal(err)
		}
		var counted, converted int64
		for _, d := range days {
			counted += d.Count
		}
		for i := range r.Rows {
			converted += r.Rows[i].Converted
		}
		if counted != converted {
			t.Fatalf("LeadsDays(%v): %d paid, the report says %d", params, counted, converted)
		}
		whole.Range = calendar.Range{From: s.Today - 29, To: s.Today}
		whole.DateGiven, whole.UnitGiven = true, false
		summary, err := LeadsSummary(s, &whole)
		if err != nil {
			t.Fatal(err)
		}
		table, err := LeadsTable(s, &whole)
		if err != nil {
			t.Fatal(err)
		}
		if int64(table.Count) != summary[0].Leads {
			t.Fatalf("LeadsSummary(%v): %d leads in 30 days, the table lists %d", params, summary[0].Leads, table.Count)
		}
	})
	if trials == 0 {
		t.Error("no company had a trial")
	}
}
