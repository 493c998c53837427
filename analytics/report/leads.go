package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// LeadMetrics are the customers who were created in one period, and what has
// become of them until today.
type LeadMetrics struct {
	Leads           int64
	Trials          int64 // of them who ever had a trial
	Converted       int64 // of them who ever paid
	TrialsConverted int64 // of the trials who ever paid

	LeadToTrial, TrialToPaid, LeadToPaid             Ratio // percent; 0 of nobody
	LeadToPaidDays, TrialToPaidDays                  Ratio // means of whole days to one decimal; null of nobody
	LeadsChange, TrialsChange                        Ratio // percent against the period before; null when that had 0
	LeadToTrialChange, TrialToPaidChange, PaidChange Ratio // the same of the three rates
}

// LeadRow is one period.
type LeadRow struct {
	Period calendar.Range
	LeadMetrics
	Breakdown []LeadMetrics // per value of LeadReport.Values; nil without a breakdown
	Compare   *LeadRow      // the period that the query compares this one with; nil if none
}

// LeadReport is the funnel by period of creation, oldest first.
type LeadReport struct {
	Values []Value
	Rows   []LeadRow
}

// lead is a customer as the funnel sees it at the end of today.
type lead struct {
	created calendar.Day // NoDay when nothing is known of it
	trial   calendar.Day // start, NoDay if none
	paid    calendar.Day // first paid day, NoDay if none
}

func (s *Snapshot) leadOf(a *arrival) lead {
	f := lead{created: calendar.NoDay, trial: a.trial, paid: a.paid}
	if at := s.createdAt(a); !at.IsZero() {
		f.created = at.Day(s.Settings.Zone)
	}
	if f.trial > s.Today {
		f.trial = calendar.NoDay
	}
	return f
}

// leadCell is what one row of one value adds up.
type leadCell struct {
	leads, trials, converted, trialsConverted int64
	leadDays, trialDays                       int64 // sums over who converted
}

func (c *leadCell) add(f lead) {
	c.leads++
	if f.trial.Valid() {
		c.trials++
	}
	if !f.paid.Valid() {
		return
	}
	c.converted++
	c.leadDays += f.daysToPaid()
	if f.trial.Valid() {
		c.trialsConverted++
		c.trialDays += int64(max(0, f.paid-f.trial))
	}
}

// daysToPaid is how long the lead took, 0 for one that was recorded later.
func (f lead) daysToPaid() int64 { return int64(max(0, f.paid-f.created)) }

// leadScan walks the leads that a query selects. A filter on subscriptions keeps
// who ever had such a one.
type leadScan struct {
	s     *Snapshot
	sel   selection
	match func(*ledger.State) bool
	split *split // nil without a breakdown
}

func newLeadScan(s *Snapshot, q *Query, rows int) *leadScan {
	ls := &leadScan{s: s, sel: newSelection(s, q)}
	ls.match = ls.sel.match()
	if q.Breakdown != (Dimension{}) {
		ls.split = newSplit(s, q, rows)
	}
	return ls
}

// each calls visit for every selected customer.
func (ls *leadScan) each(visit func(*subject, lead) error) error {
	return ls.s.each(func(x *subject) error {
		if !ls.sel.keeps(x) || !ls.has(x) {
			return nil
		}
		return visit(x, ls.s.leadOf(&x.arrival))
	})
}

// has reports whether the filters on subscriptions keep a customer.
func (ls *leadScan) has(x *subject) bool { return ls.match == nil || ls.first(x) != nil }

// first is the largest state, or one that filters cannot tell from it, that
// passes the filters on the first day that has any, up to today; nil if none has.
func (ls *leadScan) first(x *subject) *ledger.State {
	if x.varied {
		return ls.firstState(x.ledger)
	}
	in := x.matching(ls.match)
	switch {
	case in == 0:
		return nil
	case !x.single:
		return ls.firstState(x.ledger)
	}
	for i := range x.moves {
		if x.moves[i].Day > ls.s.Today {
			break
		}
		if term := x.marks[i].term; x.moves[i].After != 0 && in.has(term) {
			return &x.terms[term]
		}
	}
	return nil
}

// firstState is first for what the ledger alone knows.
func (ls *leadScan) firstState(l *ledger.Ledger) *ledger.State {
	var first *ledger.State
	day := ls.s.Today
	for i := range l.Changes {
		if l.Changes[i].Day > day {
			break
		}
		st := &l.Changes[i].After
		if st.MRR > 0 && (ls.match == nil || ls.match(st)) && (first == nil || st.MRR > first.MRR) {
			first, day = st, l.Changes[i].Day
		}
	}
	return first
}

// valuesOf numbers a lead's breakdown values: of what it first paid for, or of
// the customer.
func (ls *leadScan) valuesOf(x *subject) ([]int32, error) {
	if ls.split == nil {
		return nil, nil
	}
	if ls.split.d.ofState() {
		if st := ls.first(x); st != nil {
			return ls.split.ofState(st)
		}
		v, err := ls.split.value("", "")
		return []int32{v}, err
	}
	v, err := ls.split.ofSubject(x)
	return []int32{v}, err
}

// Leads computes the report leads. Its errors are *ParamError.
func Leads(s *Snapshot, q *Query) (*LeadReport, error) {
	q = q.untilToday()
	shown, err := q.periods(s)
	if err != nil || len(shown) == 0 {
		return &LeadReport{}, err
	}
	// The first row is compared with the period before it.
	periods := append([]calendar.Range{calendar.Shift(shown[0], q.Unit, -1)}, shown...)
	at, sheet, ls := newRows(periods), newSheet[leadCell](len(periods)+1), newLeadScan(s, q, len(periods))
	err = ls.each(func(x *subject, f lead) error {
		if f.created > s.Today || !f.created.Valid() {
			return nil
		}
		row := at.of(f.created)
		if row == 0 || row > len(periods) {
			return nil
		}
		values, err := ls.valuesOf(x)
		if err != nil {
			return err
		}
		sheet.total[row].add(f)
		for _, v := range values {
			sheet.part(v)[row].add(f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := &LeadReport{Rows: make([]LeadRow, len(shown))}
	var order []int32
	if ls.split != nil {
		order = ls.split.sorted()
		r.Values = ls.split.values(order)
	}
	for i := range r.Rows {
		r.Rows[i] = LeadRow{Period: shown[i], LeadMetrics: leadMetrics(sheet.total[i+1], sheet.total[i+2])}
		for _, v := range order {
			part := sheet.part(v)
			r.Rows[i].Breakdown = append(r.Rows[i].Breakdown, leadMetrics(part[i+1], part[i+2]))
		}
	}
	return r, compareRows(q, shown, r.Rows, func(q *Query) ([]LeadRow, error) {
		r, err := Leads(s, q)
		if err != nil {
			return nil, err
		}
		return r.Rows, nil
	}, func(row *LeadRow) (calendar.Day, **LeadRow) { return row.Period.From, &row.Compare })
}

// untilToday is the query without what is scheduled and without subtypes: leads
// are people who came.
func (q *Query) untilToday() *Query {
	past := *q
	past.AsCash()
	return &past
}

func leadMetrics(then, now leadCell) LeadMetrics {
	return LeadMetrics{
		Leads: now.leads, Trials: now.trials, Converted: now.converted, TrialsConverted: now.trialsConverted,
		LeadToTrial: share(now.trials, now.leads), TrialToPaid: share(now.trialsConverted, now.trials), LeadToPaid: share(now.converted, now.leads),
		LeadToPaidDays: meanDays(now.leadDays, now.converted), TrialToPaidDays: meanDays(now.trialDays, now.trialsConverted),
		LeadsChange: change(then.leads, now.leads), TrialsChange: change(then.trials, now.trials),
		LeadToTrialChange: rateChange(then.trials, then.leads, now.trials, now.leads),
		TrialToPaidChange: rateChange(then.trialsConverted, then.trials, now.trialsConverted, now.trials),
		PaidChange:        rateChange(then.converted, then.leads, now.converted, now.leads),
	}
}

// share is percent with 0 for a part of nothing, which is nothing too.
func share(part, whole int64) Ratio { return percent(part, max(1, whole)) }

// meanDays is to one decimal; null over nobody.
func meanDays(sum, n int64) Ratio {
	if n == 0 {
		return null()
	}
	return Ratio{Value: rounded(float64(sum)/float64(n), 1)}
}

// rateChange is by how many percent the rate c/d differs from a/b; null when
// that is 0.
func rateChange(a, b, c, d int64) Ratio {
	b, d = max(1, b), max(1, d)
	return change(a*d, c*b)
}

// LeadWindow is a rolling window of days and its change against the one before.
type LeadWindow struct {
	Leads, Trials             int64
	LeadsChange, TrialsChange Ratio // percent; null when there was none before
}

// LeadSummaryReport has the windows in order of SummaryDays.
type LeadSummaryReport [len(SummaryDays)]LeadWindow

// LeadsSummary computes the report leads-summary: leads by creation and trials by
// their start in the days up to the end of the range, but not after today.
func LeadsSummary(s *Snapshot, q *Query) (*LeadSummaryReport, error) {
	anchor := min(q.Range.To, s.Today)
	var now, then [len(SummaryDays)]LeadWindow
	err := newLeadScan(s, q.untilToday(), 1).each(func(_ *subject, f lead) error {
		for i, n := range SummaryDays {
			length := calendar.Day(n)
			for w, last := range [...]calendar.Day{anchor, anchor - length} {
				window := [...]*LeadWindow{&now[i], &then[i]}[w]
				days := calendar.Range{From: last - length + 1, To: last}
				if days.Contains(f.created) {
					window.Leads++
				}
				if days.Contains(f.trial) {
					window.Trials++
				}
			}
		}
		return nil
	})
	for i := range now {
		now[i].LeadsChange = change(then[i].Leads, now[i].Leads)
		now[i].TrialsChange = change(then[i].Trials, now[i].Trials)
	}
	r := LeadSummaryReport(now)
	return &r, err
}

// LeadDays is how many leads took so many days to pay.
type LeadDays struct {
	Days    int64
	Count   int64
	Percent Ratio // of the leads who paid
}

// LeadsDays computes the report leads-days over the leads of the range, fewest
// days first; numbers of days that nobody took are left out.
func LeadsDays(s *Snapshot, q *Query) ([]LeadDays, error) {
	counts, paid := map[int64]int64{}, int64(0)
	err := newLeadScan(s, q.untilToday(), 1).each(func(_ *subject, f lead) error {
		if q.Range.Contains(f.created) && f.created <= s.Today && f.paid.Valid() {
			counts[f.daysToPaid()]++
			paid++
		}
		return nil
	})
	out := make([]LeadDays, 0, len(counts))
	for days, n := range counts {
		out = append(out, LeadDays{days, n, percent(n, paid)})
	}
	slices.SortFunc(out, func(a, b LeadDays) int { return cmp.Compare(a.Days, b.Days) })
	return out, err
}

// LeadStage is how far a lead came.
type LeadStage uint8

// The stages: every lead is one, whoever had a trial and whoever paid.
const (
	AnyLead LeadStage = iota
	TrialLead
	ConvertedLead
)

var leadStageNames = [...]string{"lead", "trial", "converted"}

// String returns the contract's name.
func (l LeadStage) String() string { return leadStageNames[l] }

// LeadTableRow is a lead, without its revenue.
type LeadTableRow struct {
	CustomerState
	PlanName       string // of the subscription it has or had last
	BreakdownValue string // "" without a breakdown; the first of several
}

// LeadTableReport is a page of leads.
type LeadTableReport struct {
	Page
	Days calendar.Range // of creation
	Rows []LeadTableRow
}

// LeadsTable computes the report leads-table: the leads behind Leads, the latest
// first. With an interval, or without a date, they are those of whole periods;
// with SelectedDate those of the period around it. Its errors are *ParamError
// and *fx.MissingRateError.
func LeadsTable(s *Snapshot, q *Query) (*LeadTableReport, error) {
	q = q.untilToday()
	stage, _, err := selected(q, []LeadStage{AnyLead, TrialLead, ConvertedLead})
	if err != nil {
		return nil, err
	}
	days := daysOf(s, q)
	days.To = min(days.To, s.Today)
	_, _, last, err := q.page(1<<31-1, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	rows := front[leadRow]{compare: func(a, b *leadRow) int { return a.compare(b, q) }, most: last}
	ls := newLeadScan(s, q, 1)
	err = ls.each(func(x *subject, f lead) error {
		if !days.Contains(f.created) || stage == TrialLead && !f.trial.Valid() || stage == ConvertedLead && !f.paid.Valid() {
			return nil
		}
		values, err := ls.valuesOf(x)
		if err != nil {
			return err
		}
		value := ""
		if len(values) > 0 {
			value = ls.split.keys[values[0]]
		}
		if want := q.BreakdownValue; want != nil {
			if !slices.ContainsFunc(values, func(v int32) bool { return ls.split.keys[v] == *want }) {
				return nil
			}
			value = *want
		}
		rows.add(leadRow{x.customer, f.created, value})
		return nil
	})
	if err != nil {
		return nil, err
	}
	page, from, to, err := q.page(rows.count, maxLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	rows.cut()
	r := &LeadTableReport{Page: page, Days: days, Rows: make([]LeadTableRow, 0, to-from)}
	for _, row := range rows.items[from:to] {
		out := LeadTableRow{CustomerState: s.stateOf(row.c), BreakdownValue: row.value}
		if n := len(row.c.Ledger.Streams); n > 0 {
			out.PlanName = s.planName(row.c.Ledger.Streams[n-1].Plan)
		}
		r.Rows = append(r.Rows, out)
	}
	return r, nil
}

// leadRow is a lead as far as sorting needs it.
type leadRow struct {
	c       *Customer
	created calendar.Day
	value   string // of the breakdown
}

// compare orders leads as asked, then by customer.
func (r *leadRow) compare(o *leadRow, q *Query) int {
	order := cmp.Compare(r.created, o.created)
	if q.Sort == ByCustomerName {
		order = compareFold(r.c.Name, o.c.Name)
	}
	if !q.Ascending {
		order = -order
	}
	if order != 0 {
		return order
	}
	return cmp.Or(strings.Compare(r.c.ID, o.c.ID), cmp.Compare(r.c.Source, o.c.Source))
}
