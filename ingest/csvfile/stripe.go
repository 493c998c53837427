package csvfile

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Stripe is the preset for the files that Stripe's dashboard exports: customers,
// subscriptions and invoices. The file of invoices names no plans; they come
// from the subscriptions, and so do cancellations.
const Stripe = "stripe"

// stripeSteps is the order of an import: what is named before what names it.
func stripeSteps(o *Options) ([]step, error) {
	var steps []step
	files := map[Kind]File{}
	for _, f := range o.Files {
		files[f.Kind] = f
	}
	subscriptions, subscribed := files[Subscriptions]
	if _, ok := files[Plans]; ok {
		return nil, errors.New("the preset stripe takes no file of plans: give the file of subscriptions")
	}
	if f, ok := files[Customers]; ok {
		steps = append(steps, step{file: f, kind: Customers, prepare: stripeCustomers})
	}
	if subscribed {
		steps = append(steps, step{file: subscriptions, kind: Plans, prepare: stripePlans})
	}
	if f, ok := files[Invoices]; ok {
		steps = append(steps, step{file: f, kind: Invoices, prepare: func(header []string) (rowFunc, error) {
			var plans map[string]string
			if subscribed {
				var err error
				if plans, err = stripeSubscriptionPlans(o, subscriptions); err != nil {
					return nil, fmt.Errorf("%s: %w", subscriptions.Name, err)
				}
			}
			return stripeInvoices(header, plans)
		}})
	}
	if subscribed {
		steps = append(steps, step{file: subscriptions, kind: Invoices, what: "cancellations", prepare: stripeCancellations})
	}
	return steps, nil
}

// table finds the columns of a file by name.
type table struct {
	index  map[string]int
	header []string
}

func newTable(header []string, needs ...string) (*table, error) {
	t := &table{index: map[string]int{}, header: header}
	for i, name := range header {
		if _, ok := t.index[plain(name)]; !ok {
			t.index[plain(name)] = i
		}
	}
	for _, name := range needs {
		if _, ok := t.index[plain(name)]; !ok {
			return nil, fmt.Errorf("there is no column %q: is this the file that Stripe exports, with all columns?", name)
		}
	}
	return t, nil
}

// get returns the first of the named columns that has a value.
func (t *table) get(record []string, names ...string) string {
	for _, name := range names {
		if i, ok := t.index[plain(name)]; ok && i < len(record) {
			if text := strings.TrimSpace(record[i]); text != "" {
				return text
			}
		}
	}
	return ""
}

// builder writes one row and remembers what was wrong first.
type builder struct {
	object
	fault *Fault
}

func (b *builder) fail(field string, err error) {
	if b.fault == nil {
		b.fault = &Fault{Field: field, Message: err.Error()}
	}
}

func (b *builder) optional(name, value string) {
	if value != "" {
		b.text(name, value)
	}
}

func (b *builder) date(name, text string) {
	if text == "" {
		return
	}
	date, err := dateText(text, "")
	if err != nil {
		b.fail(name, err)
		return
	}
	b.text(name, date)
}

func (b *builder) amount(name, text, code string) int64 {
	if text == "" {
		return 0
	}
	currency, err := money.Parse(code)
	if err != nil {
		b.fail("currency", err)
		return 0
	}
	n, err := majorUnits(text, currency, Point)
	if err != nil {
		b.fail(name, err)
		return 0
	}
	b.integer(name, n)
	return n
}

func (b *builder) row(id string) ([]byte, *Fault) {
	if id == "" {
		b.fail("id", errors.New("is required"))
	}
	if b.fault != nil {
		b.fault.ID = id
		return nil, b.fault
	}
	return b.json(), nil
}

func stripeCustomers(header []string) (rowFunc, error) {
	t, err := newTable(header, "id", "Email", "Created (UTC)")
	if err != nil {
		return nil, err
	}
	return func(record []string) ([]byte, *Fault) {
		b := &builder{}
		b.text("id", t.get(record, "id"))
		b.optional("name", t.get(record, "Name", "Description", "Email", "id"))
		b.optional("email", t.get(record, "Email"))
		b.date("created", t.get(record, "Created (UTC)"))
		if country := t.get(record, "Address Country", "Card Address Country", "Card Issue Country"); len(country) == 2 {
			b.text("country", country)
		}
		b.custom = map[string]string{}
		for i, name := range t.header {
			if key, ok := strings.CutSuffix(name, " (metadata)"); ok && i < len(record) && record[i] != "" {
				b.custom[key] = record[i]
			}
		}
		return b.row(t.get(record, "id"))
	}, nil
}

// stripePlan is the plan of a subscription. One that has several items names
// none of them in the export: what it pays is then put on a plan of its rhythm.
type stripePlan struct {
	id, name, unit string
	count          int64
	currency       string
}

func readStripePlan(t *table, record []string) (p stripePlan, err error) {
	p.currency = strings.ToLower(t.get(record, "Currency"))
	p.unit, p.count, err = stripeInterval(t.get(record, "Interval"), t.get(record, "Interval Count"))
	p.id = t.get(record, "Plan")
	p.name = t.get(record, "Plan Name", "Product Name", "Plan Nickname", "Product", "Plan")
	if p.id == "" && err == nil {
		p.id = fmt.Sprintf("several-%d-%s-%s", p.count, p.unit, p.currency)
		p.name = fmt.Sprintf("Several plans, every %d %s (%s)", p.count, plural(p.unit, p.count), strings.ToUpper(p.currency))
	}
	return p, err
}

func plural(unit string, n int64) string {
	if n == 1 {
		return unit
	}
	return unit + "s"
}

// stripeInterval reads month, 3 months or every 3 months.
func stripeInterval(text, count string) (unit string, n int64, err error) {
	n = 1
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if number, err := strconv.ParseInt(word, 10, 64); err == nil {
			n = number
			continue
		}
		if parsed, err := calendar.ParseUnit(strings.TrimSuffix(word, "s")); err == nil {
			unit = parsed.String()
		}
	}
	if number, err := strconv.ParseInt(count, 10, 64); err == nil {
		n = number
	}
	if unit == "" || n < 1 {
		return "", 0, fmt.Errorf("%q is not an interval such as month", clip(text))
	}
	return unit, n, nil
}

// stripePlans makes a plan of every one that a subscription is the first to be on.
func stripePlans(header []string) (rowFunc, error) {
	t, err := newTable(header, "id", "Customer ID", "Currency", "Interval")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	return func(record []string) ([]byte, *Fault) {
		p, err := readStripePlan(t, record)
		if err != nil {
			return nil, &Fault{ID: t.get(record, "id"), Field: "interval", Message: err.Error()}
		}
		if seen[p.id] {
			return nil, nil
		}
		seen[p.id] = true
		b := &builder{}
		b.text("id", p.id)
		b.text("name", p.name)
		b.text("interval", p.unit)
		b.integer("interval_count", p.count)
		b.text("currency", p.currency)
		return b.row(p.id)
	}, nil
}

// stripeSubscriptionPlans returns the plan of every subscription.
func stripeSubscriptionPlans(o *Options, f File) (map[string]string, error) {
	file, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	r, err := openFile(file, o.Encoding, o.Delimiter)
	if err != nil {
		return nil, err
	}
	t, err := newTable(r.header, "id", "Currency", "Interval")
	if err != nil {
		return nil, err
	}
	plans, ids := map[string]string{}, map[string]string{}
	for {
		record, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return plans, nil
		case unreadable(err):
			continue // the step that imports the file tells
		case err != nil:
			return nil, err
		}
		p, err := readStripePlan(t, record)
		if err != nil {
			continue // likewise
		}
		id, ok := ids[p.id]
		if !ok {
			id = strings.Clone(p.id)
			ids[id] = id
		}
		plans[strings.Clone(t.get(record, "id"))] = id
	}
}

func stripeInvoices(header []string, plans map[string]string) (rowFunc, error) {
	t, err := newTable(header, "id", "Customer", "Currency", "Date (UTC)")
	if err != nil {
		return nil, err
	}
	return func(record []string) ([]byte, *Fault) {
		id, subscription, code := t.get(record, "id"), t.get(record, "Subscription"), strings.ToLower(t.get(record, "Currency"))
		status := stripeStatus(t.get(record, "Status"), t.get(record, "Paid"))
		if status == "draft" || status == "deleted" {
			return nil, nil // was never issued
		}
		b := &builder{}
		b.text("id", id)
		b.text("customer_id", t.get(record, "Customer"))
		b.date("invoice_date", t.get(record, "Date (UTC)", "Finalized At (UTC)"))
		total := b.amount("amount", t.get(record, "Total", "Amount Due"), code)
		b.text("currency", code)
		if subscription == "" {
			b.text("type", "one-time")
		} else {
			b.text("type", "subscription")
			b.text("subscription_id", subscription)
			plan, ok := plans[subscription]
			if !ok {
				b.fail("plan_id", fmt.Errorf("is not known: the file of subscriptions does not have %s", clip(subscription)))
			}
			b.text("plan_id", plan)
			b.date("period_start", t.get(record, "Minimum Line Item Period Start (UTC)", "Period Start (UTC)"))
			b.date("period_end", t.get(record, "Maximum Line Item Period End (UTC)", "Period End (UTC)"))
			if total < 0 {
				b.raw("proration", []byte("true")) // a credit for the rest of a period
			}
		}
		b.amount("discount", t.get(record, "Total Discount Amount"), code)
		b.amount("tax", t.get(record, "Tax"), code)
		b.text("status", status)
		b.date("due_date", t.get(record, "Due Date (UTC)"))
		b.date("payment_date", t.get(record, "Paid At (UTC)"))
		b.optional("description", t.get(record, "Description"))
		b.optional("number", t.get(record, "Number"))
		return b.row(id)
	}, nil
}

// stripeStatus returns the status of an invoice; older exports only have the
// column Paid.
func stripeStatus(status, paid string) string {
	switch {
	case status != "":
		return strings.ToLower(status)
	case strings.EqualFold(paid, "true"):
		return "paid"
	default:
		return "open"
	}
}

// stripeCancellations makes a cancellation of every subscription that ended or is
// going to.
func stripeCancellations(header []string) (rowFunc, error) {
	t, err := newTable(header, "id", "Customer ID", "Canceled At (UTC)")
	if err != nil {
		return nil, err
	}
	return func(record []string) ([]byte, *Fault) {
		at := t.get(record, "Canceled At (UTC)", "Ended At (UTC)")
		if at == "" {
			return nil, nil
		}
		subscription := t.get(record, "id")
		b := &builder{}
		b.text("id", subscription+"-canceled")
		b.text("customer_id", t.get(record, "Customer ID"))
		b.text("type", "cancellation")
		b.date("invoice_date", at)
		b.integer("amount", 0)
		b.optional("currency", strings.ToLower(t.get(record, "Currency")))
		b.text("subscription_id", subscription)
		b.optional("cancel_reason", t.get(record, "Cancellation Reason"))
		b.optional("cancel_comment", t.get(record, "Cancellation Comment"))
		return b.row(subscription)
	}, nil
}
