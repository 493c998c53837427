package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// TestLaw_ReportsAreThoseOfTheOracle pushes random companies and compares
// every report with a recomputation that shares no code with the product.
func TestLaw_ReportsAreThoseOfTheOracle(t *testing.T) {
	t.Parallel()
	companies := 12
	if s := os.Getenv("GROWPANEL_SOAK_COMPANIES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		companies = max(companies, n/10)
	}
	a := newAPI(t)
	rates := oracleRates(t, a)
	failures := 0
	for seed := range companies {
		o := oracled{api: a, t: t, rng: rand.New(rand.NewPCG(uint64(seed), 27)), seed: seed}
		o.found(rates)
		if failures += o.compare(); failures > 5 {
			t.Fatal("and so on")
		}
	}
}

// oracleRates imports rates with gaps, and returns them.
func oracleRates(t *testing.T, a *api) oracletest.Rates {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 28))
	rates := oracletest.Rates{}
	var rows []fx.Rate
	for d := oracletest.Date(2021, 1, 1); d < oracletest.Date(2045, 1, 1); d += oracletest.Day(1 + rng.IntN(3)) {
		usd, jpy, kwd := strconv.Itoa(10000+rng.IntN(2000)), strconv.Itoa(15000+rng.IntN(2000)), strconv.Itoa(320+rng.IntN(40))
		usd, jpy, kwd = usd[:1]+"."+usd[1:], jpy[:3]+"."+jpy[3:], "0."+kwd
		rates[d] = map[string]*big.Rat{}
		for code, value := range map[string]string{"usd": usd, "jpy": jpy, "kwd": kwd} {
			rates[d][code] = rational(value)
			rows = append(rows, fx.Rate{Day: calendar.Day(d), Base: "eur", Quote: code, Value: value})
		}
	}
	if err := a.rates.ImportRates(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	return rates
}

func rational(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

// oracled is a company that both the API and the oracle know.
type oracled struct {
	*api
	t    *testing.T
	rng  *rand.Rand
	seed int

	key     string
	last    string // what was asked for last
	company *oracletest.Company
	single  bool // one currency
	sources [2]string
	groups  []group
}

// found pushes a random company.
func (o *oracled) found(rates oracletest.Rates) {
	o.t.Helper()
	_, o.key, _ = o.newAccount(o.t, fmt.Sprintf("Company %d", o.seed))
	set := oracletest.RandomSettings(o.rng)
	o.single = o.rng.IntN(2) == 0
	currencies := 2
	if o.single {
		currencies = 1
	}
	c := &oracletest.Company{Settings: set, Plans: oracletest.Catalog(), Base: "usd", Rates: rates, WeekStart: o.rng.IntN(2)}
	if !o.single {
		c.Base = []string{"usd", "usd", "eur", "jpy", "kwd"}[o.rng.IntN(5)]
	}
	o.company = c
	var today oracletest.Day
	for n := range 4 + o.rng.IntN(12) {
		invoices, day := oracletest.RandomInvoices(o.rng, set.Zone, fmt.Sprintf("i%d-", n), currencies)
		if n == 0 || day < today && day > today-300 {
			today = day // early, so that many pay
		}
		c.Members = append(c.Members, o.invent(n, invoices, day))
	}
	today = o.turning(today)
	for noon(today, set.Zone).Day() != today.Time().Day() {
		today++ // which some clocks skipped
	}
	c.Today = today
	c.Members = slices.DeleteFunc(c.Members, func(m *oracletest.Member) bool {
		m.History = oracletest.Replay(set, c.Plans, m.Invoices, today)
		for d := m.History.First; d <= m.History.Last; d++ {
			if _, plain := m.History.Plans(d); !plain {
				return true
			}
		}
		// The lines of one plan are rounded one by one in another currency, and
		// which of several a prorated row is for, the rules leave open.
		listed := func(i oracletest.Invoice) bool { return len(i.Lines) > 0 }
		prorated := func(l oracletest.Line) bool { return l.Proration != "" }
		open := func(i oracletest.Invoice) bool { return i.Proration != "" || slices.ContainsFunc(i.Lines, prorated) }
		reason, sure := c.Reason(m)
		if m.Reason = reason; !sure {
			return true
		}
		return slices.ContainsFunc(m.Invoices, listed) && (!o.single || slices.ContainsFunc(m.Invoices, open))
	})
	// The rows come in before today, and days pass until then.
	came := today - oracletest.Day(o.rng.IntN(300)*o.rng.IntN(2))
	for _, m := range c.Members {
		m.Received = came
	}
	o.setClock(came)
	o.push()
	o.ok(o.t, o.key, "GET", "/reports/summary", "")
	o.setClock(today - oracletest.Day(o.rng.IntN(20)*o.rng.IntN(2)))
	o.ok(o.t, o.key, "GET", "/reports/summary", "")
	o.setClock(today)
}

// turning is at times not a day but one near it on which something changes by
// itself: a trial or a subscription ends, or the grace after it.
func (o *oracled) turning(today oracletest.Day) oracletest.Day {
	if o.rng.IntN(2) == 0 {
		return today
	}
	var days []oracletest.Day
	for _, m := range o.company.Members {
		if !m.TrialStarted.IsZero() {
			days = append(days, oracletest.Date(m.TrialStarted.Date())+oracletest.Day(o.company.Settings.TrialDays))
		}
		for _, e := range oracletest.Replay(o.company.Settings, o.company.Plans, m.Invoices, today).Endings {
			days = append(days, e.Request, e.End, e.End+oracletest.Day(o.company.Settings.GraceDays))
		}
	}
	days = slices.DeleteFunc(days, func(d oracletest.Day) bool { return d < today-60 || d > today+60 })
	if len(days) == 0 {
		return today
	}
	return days[o.rng.IntN(len(days))]
}

// setClock makes it any second of a day, also where clocks change on it.
func (o *oracled) setClock(d oracletest.Day) {
	zone := o.company.Settings.Zone
	year, month, dom := d.Time().Date()
	midnight := time.Date(year, month, dom, 0, 0, 0, 0, zone)
	next := time.Date(year, month, dom+1, 0, 0, 0, 0, zone)
	now := []time.Time{midnight, midnight.Add(12 * time.Hour), next.Add(-time.Second)}[o.rng.IntN(3)]
	o.clock.Store(now.Unix())
}

func (o *oracled) push() {
	o.t.Helper()
	set := o.company.Settings
	body := map[string]any{
		"base_currency": o.company.Base, "timezone": set.Zone.String(), "churn_grace_days": set.GraceDays, "non_renewal_churn": set.NonRenewalChurn, "first_day_of_week": o.company.WeekStart,
		"refund_mrr": "reduce", "churn_recognition": "end_of_period", "subtract_one_time_discounts": set.SubtractOneTimeDiscounts, "auto_churn_days": nil, "trial_days": set.TrialDays,
	}
	if set.RefundsIgnored {
		body["refund_mrr"] = "ignore"
	}
	if set.Immediate {
		body["churn_recognition"] = "immediate"
	}
	if set.AutoChurnDays >= 0 {
		body["auto_churn_days"] = set.AutoChurnDays
	}
	late := o.rng.IntN(2) == 0
	if !late {
		o.send("/settings", body)
	}
	for k := range o.sources {
		o.sources[k] = o.ok(o.t, o.key, "POST", "/data/data-sources", `{"name":"Source","type":"api"}`).text("id")
	}
	for _, m := range o.company.Members {
		m.Source = o.sources[o.rng.IntN(2)]
	}
	for _, source := range o.sources {
		o.rows(source)
	}
	o.group()
	if late {
		o.ok(o.t, o.key, "GET", "/reports/summary", "")
		o.send("/settings", body)
	}
}

// rows pushes the rows of a data source.
func (o *oracled) rows(source string) {
	o.t.Helper()
	var plans, customers, invoices []any
	var drafts []any    // what rows say at first
	var extras []string // rows that are taken back
	for _, p := range o.company.Plans {
		pricing := "licensed"
		if p.Metered {
			pricing = "metered"
		}
		plans = append(plans, map[string]any{"id": p.ID, "name": planName(p.ID), "billing_freq": p.Unit, "billing_freq_count": p.Count, "currency": p.Currency, "pricing_model": pricing})
	}
	for _, m := range o.company.Members {
		if m.Source != source {
			continue
		}
		customers = append(customers, o.customer(m))
		for _, i := range m.Invoices {
			invoices = append(invoices, o.invoice(m, i))
			if o.rng.IntN(10) == 0 {
				drafts = append(drafts, map[string]any{"id": i.ID, "customer_id": m.ID, "type": "one-time", "amount": 1, "currency": "usd", "invoice_date": o.moment(i.Date)})
			}
			if o.rng.IntN(20) == 0 {
				extra := o.invoice(m, i)
				extra["id"] = "extra-" + i.ID
				drafts, extras = append(drafts, extra), append(extras, "extra-"+i.ID)
			}
		}
	}
	o.rng.Shuffle(len(invoices), func(a, b int) { invoices[a], invoices[b] = invoices[b], invoices[a] })
	o.send("/data-sources/"+source+"/plans", plans)
	if len(customers) > 0 {
		o.send("/data-sources/"+source+"/customers", customers)
	}
	for _, rows := range [][]any{drafts, invoices} {
		for len(rows) > 0 {
			n := min(len(rows), 1+o.rng.IntN(60))
			o.send("/data-sources/"+source+"/invoices", rows[:n])
			rows = rows[n:]
		}
	}
	for _, id := range extras {
		o.ok(o.t, o.key, "DELETE", "/data/invoices/"+id, "")
	}
}

// group makes plan groups: by name of plans, or of a rule. A plan may be in two.
func (o *oracled) group() {
	o.t.Helper()
	for _, g := range []struct {
		group
		kind, selector string
	}{
		{group{name: "Standard", plans: []string{"monthly", "yearly"}}, "", ""},
		{group{name: "quarterly", plans: []string{"monthly-pro", "yearly"}}, "", ""}, // named as a plan is
		{group{name: "Days of all kinds", plans: []string{"daily", "thirty-days"}}, "id", "*da*y*"},
		{group{name: "Weeks", plans: []string{"weekly", "two-weeks"}}, "name", "WEEK"},
	} {
		if o.rng.IntN(2) == 0 {
			continue
		}
		body := map[string]any{"name": g.name, "plans": g.plans}
		if g.kind != "" {
			body = map[string]any{"name": g.name, "type": "auto", "selector_type": g.kind, "selector": g.selector}
		}
		g.id = o.ok(o.t, o.key, "POST", "/data/plan-groups", encoded(o.t, body)).text("id")
		o.groups = append(o.groups, g.group)
	}
}

// invoice is the pushed form of an invoice.
func (o *oracled) invoice(m *oracletest.Member, i oracletest.Invoice) map[string]any {
	row := map[string]any{"id": i.ID, "customer_id": m.ID, "type": i.Type, "amount": i.Amount, "currency": i.Currency, "invoice_date": o.moment(i.Date)}
	set := func(name, value string) {
		if value != "" {
			row[name] = value
		}
	}
	set("plan_id", i.Plan)
	set("subscription_id", i.Subscription)
	set("status", i.Status)
	set("refund_of", i.RefundOf)
	if i.Type != "refund" && i.Type != "subscription" {
		delete(row, "plan_id")
	}
	if !i.Start.IsZero() {
		row["period_start"] = o.moment(i.Start)
	}
	if !i.End.IsZero() {
		row["period_end"] = o.moment(i.End)
	}
	if i.Tax != 0 {
		row["tax"] = i.Tax
	}
	if i.Discount != 0 {
		row["discount"] = i.Discount
	}
	if i.DiscountOnce {
		row["discount_once"] = true
	}
	if i.Quantity != 0 {
		row["quantity"] = i.Quantity
	}
	o.payment(row, i)
	for _, l := range i.Lines {
		list, _ := row["lines"].([]any)
		row["lines"] = append(list, o.line(l))
	}
	if i.Proration != "" {
		row["proration"] = true
		if i.Proration == "full" || o.rng.IntN(2) == 0 {
			row["proration_type"] = i.Proration
		}
	}
	return row
}

func (o *oracled) line(l oracletest.Line) map[string]any {
	row := map[string]any{"plan_id": l.Plan, "amount": l.Amount, "quantity": l.Quantity, "tax": l.Tax, "discount": l.Discount, "discount_once": l.DiscountOnce}
	if l.OneTime {
		row["type"] = "one-time"
	}
	if !l.Start.IsZero() {
		row["period_start"], row["period_end"] = o.moment(l.Start), o.moment(l.End)
	}
	if l.Proration != "" {
		row["proration"], row["proration_type"] = true, l.Proration
	}
	return row
}

// moment is one of the forms in which a time may be pushed.
func (o *oracled) moment(at time.Time) string {
	if at.Unix()%86400 == 0 {
		return at.UTC().Format([]string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05.000Z"}[o.rng.IntN(3)])
	}
	if o.rng.IntN(2) == 0 {
		at = at.In(time.FixedZone("", 3600*(o.rng.IntN(20)-10)))
	}
	return at.Format(time.RFC3339)
}

func (o *oracled) send(target string, body any) {
	o.t.Helper()
	if got := o.ok(o.t, o.key, "POST", target, encoded(o.t, body)); got.number("failed") != 0 {
		o.t.Fatalf("push to %s: %s", target, got.raw)
	}
}

func encoded(t *testing.T, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// question is a query as both sides understand it.
type question struct {
	oracletest.Query
	params url.Values
	notes  string // for a failing test
}

func (o *oracled) question() question { return o.about(o.days()) }

// about asks about some days, which text words.
func (o *oracled) about(from, to oracletest.Day, text string) question {
	rng := o.rng
	q := question{params: url.Values{}}
	q.From, q.To = from, to
	if text != "" {
		q.params.Set("date", text)
	}
	q.Interval = []string{"month", "month", "quarter", "week", "year", "day"}[rng.IntN(6)]
	if q.Interval == "day" && to-from > 45 {
		q.Interval = "month"
	}
	if q.Interval != "month" || rng.IntN(2) == 0 {
		q.params.Set("interval", q.Interval)
	}
	if rng.IntN(8) == 0 {
		q.params.Set([]string{"show", "subtypes", "custom_"}[rng.IntN(3)], "query") // which means nothing
	}
	q.Currency = o.company.Base
	if !o.single && rng.IntN(4) == 0 {
		q.Currency = []string{"eur", "jpy", "kwd", "usd"}[rng.IntN(4)]
		q.params.Set("baseCurrency", []string{q.Currency, strings.ToUpper(q.Currency)}[rng.IntN(2)])
	}
	if rng.IntN(4) == 0 {
		q.FixFX = true
		q.params.Set("fix_fx", "true")
	}
	o.narrow(&q)
	return q
}

// both restricts a view further.
func both(v oracletest.View, item func(oracletest.Item) bool, member func(*oracletest.Member) bool) oracletest.View {
	narrowed := v
	if item != nil {
		narrowed.Item = func(i oracletest.Item) bool { return (v.Item == nil || v.Item(i)) && item(i) }
	}
	if member != nil {
		narrowed.Member = func(m *oracletest.Member) bool { return (v.Member == nil || v.Member(m)) && member(m) }
	}
	return narrowed
}

// checks compare the answers to a question. Each returns what it asked for, and how
// the answer differs.
func (o *oracled) checks() []func(question) (string, string) {
	return []func(question) (string, string){
		o.mrr, o.compared, o.comparedTables, o.tables, o.details, o.losing, o.pages, o.why, o.whyCompared, o.subtyped,
		o.trailed, o.losses, o.committed, o.breakdowns, o.longParts, o.leadParts, o.leadRows, o.unasked, o.movements,
		o.movementLines, o.cohorts, o.summary, o.cmrr, o.growth, o.concentration, o.customers, o.exported, o.cash, o.leads,
		o.churn, o.lately, o.countries, o.cohortParts, o.undated,
	}
}

func (o *oracled) compare() int {
	o.t.Helper()
	failures := 0
	for range 4 {
		q := o.question()
		for _, check := range o.checks() {
			if name, diff := check(q); diff != "" {
				diff = diff[:min(len(diff), 4000)]
				o.t.Errorf("seed %d, %s (%s%s): the oracle (-) and the API (+) differ:\n%s\ntoday %v, %+v, zone %v, %d customers",
					o.seed, name, o.last, q.notes, diff, o.company.Today, o.company.Settings, o.company.Settings.Zone, len(o.company.Members))
				failures++
			}
		}
	}
	return failures
}

func (o *oracled) get(name string, q question, more ...string) reply {
	o.t.Helper()
	params := maps.Clone(q.params)
	for k := 0; k < len(more); k += 2 {
		if params.Set(more[k], more[k+1]); more[k+1] == "" {
			params.Del(more[k])
		}
	}
	o.last = name + "?" + params.Encode()
	return o.ok(o.t, o.key, "GET", o.last, "")
}

// rowsOf picks the fields that the oracle knows.
func rowsOf(list []any, want []oracletest.Row) []oracletest.Row {
	var rows []oracletest.Row
	for k, item := range list {
		object, _ := item.(map[string]any)
		row := oracletest.Row{}
		for field := range want[min(k, len(want)-1)] {
			row[field] = object[field]
		}
		rows = append(rows, row)
	}
	return rows
}

func diffRows(want []oracletest.Row, list []any) string {
	if len(want) == 0 && len(list) == 0 {
		return ""
	}
	if len(want) == 0 {
		return fmt.Sprintf("wanted nothing, got %v", list)
	}
	return cmp.Diff(want, rowsOf(list, want))
}

func (o *oracled) mrr(q question) (string, string) {
	return "mrr", diffRows(o.company.MRR(q.Query), o.get("/reports/mrr", q).list("result"))
}

// ahead asks about days to come, at times about days before as well.
func (o *oracled) ahead() question {
	today := o.company.Today
	from := today + oracletest.Day(o.rng.IntN(60)*o.rng.IntN(2))
	if o.rng.IntN(3) == 0 {
		from = today - oracletest.Day(o.rng.IntN(200))
	}
	to := max(from, today) + oracletest.Day(o.rng.IntN(400))
	return o.about(from, to, dates(from, to))
}

// committed is the MRR with what is scheduled.
func (o *oracled) committed(question) (string, string) {
	q := o.ahead()
	q.Committed = true
	q.params.Set("committed", "true")
	if name, diff := o.mrr(q); diff != "" || o.rng.IntN(2) == 0 {
		return name + " committed" + q.notes, diff
	}
	by, views := o.dimension(&q)
	diff := parted(by, views, o.get("/reports/mrr", q).list("result"), func(v oracletest.View) []oracletest.Row {
		narrow := q.Query
		narrow.View = v
		return o.company.MRR(narrow)
	})
	return "mrr committed by " + by + q.notes, diff
}

func sorted(list []any) []any {
	slices.SortStableFunc(list, func(a, b any) int {
		x, _ := a.(map[string]any)
		y, _ := b.(map[string]any)
		return strings.Compare(fmt.Sprint(x["date"], " ", x["customer_id"]), fmt.Sprint(y["date"], " ", y["customer_id"]))
	})
	return list
}

func (o *oracled) summary(q question) (string, string) {
	want := []oracletest.Row{o.company.Summary(q.Query)}
	return "summary", diffRows(want, []any{o.get("/reports/summary", q).at("summary")})
}

func (o *oracled) cmrr(q question) (string, string) {
	return "cmrr-summary", diffRows([]oracletest.Row{o.company.Committed(q.Query)}, []any{o.get("/reports/cmrr-summary", q).at("summary")})
}
