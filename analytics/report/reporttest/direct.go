package reporttest

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// Direct is the shortest engine: it replays the rows of a script and computes
// reports from the ledgers, with nothing in between. Every report replays
// everything, so it is also a measure for engines that keep state.
type Direct struct {
	today     calendar.Day
	settings  ledger.Settings
	weekStart time.Weekday
	rates     []fx.Rate
	plans     map[string]Plan
	customers map[string]Customer
	invoices  map[string]Invoice
	received  map[string]calendar.Stamp // when each customer first came in
}

var _ Engine = (*Direct)(nil)

// NewDirect returns an empty account with the default settings.
func NewDirect() *Direct {
	return &Direct{
		settings: ledger.DefaultSettings(), weekStart: time.Monday,
		plans: map[string]Plan{}, customers: map[string]Customer{}, invoices: map[string]Invoice{},
		received: map[string]calendar.Stamp{}, today: calendar.NoDay,
	}
}

// Today implements Engine.
func (d *Direct) Today(day calendar.Day) error {
	d.today = day
	return nil
}

// Push implements Engine.
func (d *Direct) Push(rows []Push) error {
	for i := range rows {
		switch p := &rows[i]; {
		case p.Setting != nil:
			if err := d.set(p.Setting); err != nil {
				return err
			}
		case p.Rate != nil:
			d.rates = append(d.rates, *p.Rate)
		case p.Plan != nil:
			d.plans[p.Plan.ID] = *p.Plan
		case p.Customer != nil:
			d.customers[p.Customer.ID] = *p.Customer
			d.receive(p.Customer.ID)
		case p.Invoice != nil:
			if _, ok := d.customers[p.Invoice.CustomerID]; !ok {
				return fmt.Errorf("invoice %s: no customer %q", p.Invoice.ID, p.Invoice.CustomerID)
			}
			if _, ok := d.plans[p.Invoice.PlanID]; !ok && p.Invoice.Type == "subscription" {
				return fmt.Errorf("invoice %s: no plan %q", p.Invoice.ID, p.Invoice.PlanID)
			}
			d.invoices[p.Invoice.ID] = *p.Invoice
		}
	}
	return nil
}

// receive notes that a customer comes in at noon of today.
func (d *Direct) receive(id string) {
	if _, known := d.received[id]; !known && d.today.Valid() {
		year, month, day := d.today.YMD()
		d.received[id] = calendar.Moment(time.Date(year, month, day, 12, 0, 0, 0, d.settings.Zone))
	}
}

// Delete implements Engine.
func (d *Direct) Delete(row Delete) error {
	switch row.Kind {
	case "customer":
		delete(d.customers, row.ID)
		delete(d.received, row.ID)
		maps.DeleteFunc(d.invoices, func(_ string, in Invoice) bool { return in.CustomerID == row.ID })
	case "plan":
		delete(d.plans, row.ID)
	default:
		delete(d.invoices, row.ID)
	}
	return nil
}

func (d *Direct) set(s *Setting) (err error) {
	number, _ := s.Value.(int64)
	flag, _ := s.Value.(bool)
	word, _ := s.Value.(string)
	switch s.Name {
	case "timezone":
		d.settings.Zone, err = time.LoadLocation(word)
	case "base_currency":
		d.settings.Base, err = money.Parse(word)
	case "first_day_of_week":
		d.weekStart = time.Weekday(number)
	case "churn_recognition":
		d.settings.Recognition = map[string]ledger.Recognition{"immediate": ledger.Immediate}[word]
	case "churn_grace_days":
		d.settings.GraceDays = int(number)
	case "non_renewal_churn":
		d.settings.NonRenewalChurn = flag
	case "auto_churn_days":
		d.settings.AutoChurnDays = int(number)
	case "refund_mrr":
		d.settings.RefundsReduceMRR = word == "reduce"
	case "subtract_one_time_discounts":
		d.settings.SubtractOneTimeDiscounts = flag
	case "trial_days":
		d.settings.TrialDays = int(number)
	default:
		err = fmt.Errorf("no setting %q", s.Name)
	}
	return err
}

// Report implements Engine.
func (d *Direct) Report(name string, params url.Values) (map[string]any, error) {
	s, err := d.Snapshot()
	if err != nil {
		return nil, err
	}
	return Answer(s, name, params)
}

// Answer computes a report from a snapshot in the form of Engine.Report.
func Answer(s *report.Snapshot, name string, params url.Values) (map[string]any, error) {
	q, err := report.ParseQuery(params, s)
	if err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(name, "customers/"); ok {
		c := s.Customer(id)
		if c == nil {
			return nil, errors.New("customer not found")
		}
		r, err := report.CustomerDetail(s, &q, c)
		return wireDetail(&q, r), err
	}
	switch name {
	case "summary":
		r, err := report.Summary(s, &q)
		return wireSummary(&q, r), err
	case "mrr":
		r, err := report.MRR(s, &q)
		return wireMRR(&q, r), err
	case "movement-table":
		r, err := report.MovementTable(s, &q)
		return wireTable(&q, r), err
	case "retention":
		r, err := report.Retention(s, &q)
		return wireRetention(&q, r), err
	case "cohort":
		r, err := report.Cohort(s, &q)
		return wireCohort(&q, r), err
	case "customer-concentration":
		r, err := report.CustomerConcentration(s, &q)
		return wireConcentration(&q, r), err
	case "customers":
		r, err := report.CustomerList(s, &q)
		return wireCustomers(&q, r), err
	case "plans":
		r, err := report.PlanList(s, &q)
		return wirePlans(r), err
	default:
		if body, ok, err := growth(s, &q, name); ok {
			return body, err
		}
		if body, ok, err := funnel(s, &q, name); ok {
			return body, err
		}
		q.AsCash()
		if body, ok, err := endings(s, &q, name); ok {
			return body, err
		}
		if body, ok, err := activity(s, &q, name); ok {
			return body, err
		}
		return cash(s, &q, name)
	}
}

// Snapshot replays all customers.
func (d *Direct) Snapshot() (*report.Snapshot, error) {
	b := builder{
		s: &report.Snapshot{
			Account: "script", Today: d.today, Settings: d.settings, WeekStart: d.weekStart, Plans: []ledger.Plan{{}},
			Sources: []report.Source{{ID: "script", Name: "Script", Type: "api"}}, Symbols: []string{""}, FirstDay: calendar.NoDay,
		},
		refs: map[string]ledger.PlanRef{}, symbols: map[string]ledger.Symbol{"": 0},
	}
	var err error
	if b.s.Rates, err = fx.NewTable(d.rates); err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(d.plans)) {
		if err := b.plan(d.plans[id]); err != nil {
			return nil, err
		}
	}
	events := map[string][]ledger.Event{}
	for _, id := range slices.Sorted(maps.Keys(d.invoices)) {
		ev, err := b.event(d.invoices[id])
		if err != nil {
			return nil, err
		}
		ev.Ref = uint32(len(b.ids))
		b.ids = append(b.ids, id)
		events[d.invoices[id].CustomerID] = append(events[d.invoices[id].CustomerID], ev)
	}
	b.s.InvoiceID = func(ref uint32) string { return b.ids[ref] }
	replayer := ledger.NewReplayer(d.settings, b.s.Plans)
	for _, id := range slices.Sorted(maps.Keys(d.customers)) {
		c, err := customerOf(d.customers[id])
		if err != nil {
			return nil, err
		}
		c.Received = d.received[id]
		c.Ledger = replayer.Replay(events[id], c.TrialStarted, d.today)
		if first := c.Ledger.FirstPaid; first.Valid() && (!b.s.FirstDay.Valid() || first < b.s.FirstDay) {
			b.s.FirstDay = first
		}
		b.s.Customers = append(b.s.Customers, c)
	}
	return b.s, nil
}

// builder turns pushed rows into what replay needs.
type builder struct {
	s       *report.Snapshot
	refs    map[string]ledger.PlanRef
	ids     []string // of the invoices, by Ref
	symbols map[string]ledger.Symbol
}

func (b *builder) symbol(s string) ledger.Symbol {
	y, ok := b.symbols[s]
	if !ok {
		y = ledger.Symbol(len(b.s.Symbols))
		b.s.Symbols = append(b.s.Symbols, s)
		b.symbols[s] = y
	}
	return y
}

var pricing = map[string]ledger.Pricing{"metered": ledger.Metered}

func (b *builder) plan(p Plan) error {
	unit, err := calendar.ParseUnit(p.Interval)
	if err != nil {
		return err
	}
	c, err := money.Parse(p.Currency)
	if err != nil {
		return err
	}
	ref := ledger.PlanRef(len(b.s.Plans))
	plan := ledger.Plan{ID: p.ID, Name: p.Name, Interval: calendar.Interval{Unit: unit, Count: p.IntervalCount}, Currency: c, Pricing: pricing[p.Pricing]}
	if p.Group != "" {
		plan.Groups = []string{p.Group}
		b.group(p.Group, ref)
	}
	b.refs[p.ID] = ref
	b.s.Plans = append(b.s.Plans, plan)
	return nil
}

func (b *builder) group(name string, ref ledger.PlanRef) {
	for i := range b.s.PlanGroups {
		if g := &b.s.PlanGroups[i]; g.Name == name {
			g.Plans = append(g.Plans, ref)
			return
		}
	}
	b.s.PlanGroups = append(b.s.PlanGroups, report.PlanGroup{ID: "group " + name, Name: name, Plans: []ledger.PlanRef{ref}})
}

var (
	kinds = map[string]ledger.Kind{
		"subscription": ledger.Subscription, "one-time": ledger.OneTime, "refund": ledger.Refund, "cancellation": ledger.Cancellation,
	}
	statuses = map[string]ledger.Status{
		"open": ledger.Open, "failed": ledger.Failed, "void": ledger.Void, "uncollectible": ledger.Uncollectible,
	}
)

func (b *builder) event(in Invoice) (ledger.Event, error) {
	ev := ledger.Event{
		ID: in.ID, Amount: in.Amount, Quantity: in.Quantity, Plan: b.refs[in.PlanID], Subscription: b.symbol(in.SubscriptionID),
		Method: b.symbol(in.Method), Kind: kinds[in.Type], Status: statuses[in.Status],
		Pricing: pricing[in.Pricing],
	}
	if in.Proration {
		ev.Proration = ledger.Differential
	}
	if in.ProrationType == "full" {
		ev.Proration = ledger.FullProration
	}
	x := ledger.Extra{
		Discount: in.Discount, DiscountOnce: in.DiscountOnce, Tax: in.Tax, RefundOf: in.RefundOf, CancelReason: b.symbol(in.CancelReason),
		Fee: in.Fee, FXLoss: in.FXLoss, Attempts: in.Attempts, Number: in.Number, Description: in.Description,
		CancelComment: in.CancelComment,
	}
	err := stamps([]string{in.PaymentDate, in.DueDate, in.FirstFailed}, &x.PaymentDate, &x.DueDate, &x.FirstFailed)
	if err != nil {
		return ev, err
	}
	if !reflect.ValueOf(x).IsZero() {
		ev.Extra = &x
	}
	if in.Currency != "" {
		if ev.Currency, err = money.Parse(in.Currency); err != nil {
			return ev, err
		}
	}
	return ev, stamps([]string{in.Date, in.PeriodStart, in.PeriodEnd}, &ev.Date, &ev.Start, &ev.End)
}

func customerOf(c Customer) (*report.Customer, error) {
	out := &report.Customer{
		ID: c.ID, Name: c.Name, Email: c.Email, Country: strings.ToLower(c.Country), State: strings.ToLower(c.State), Custom: report.NewVariables(c.Custom),
	}
	return out, stamps([]string{c.Created, c.TrialStarted}, &out.Created, &out.TrialStarted)
}

// stamps parses dates; an empty one stays unset.
func stamps(texts []string, to ...*calendar.Stamp) error {
	for i, s := range texts {
		if s == "" {
			continue
		}
		st, err := calendar.ParseStamp(s)
		if err != nil {
			return err
		}
		*to[i] = st
	}
	return nil
}
