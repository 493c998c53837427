// Package reporttest is a test language for reports: a script tells what
// happened to some customers and what the reports then say, in a form that
// somebody who keeps the books can check. Any engine that takes pushed rows and
// answers with the contract's JSON can be held to the same scripts.
//
// A script is read line by line; # begins a comment.
//
//	today 2024-05-15                            what reports call today; what is pushed next comes in then
//	setting churn_recognition immediate         a setting of the contract
//	rate 2024-01-05 eur usd 1.0796              one eur costs 1.0796 usd
//	plan pro monthly usd "Pro Plan" group=Paid  or quarterly, yearly, weekly, daily, "every 2 weeks"
//	customer acme "Acme Inc" country=us custom_tier=gold
//	2024-02-01 acme pays 99.00 for pro seats=3  a subscription invoice, paid
//	2024-02-02 acme pays 500.00 once            a one-time charge
//	2024-02-10 acme refunded 49.50 of=i1        a refund
//	2024-05-01 acme cancels reason=unused       a cancellation
//	delete invoice i1                           or customer, plan
//
// Invoices are called i1, i2, ... in the order of the script unless id= says
// otherwise; one that comes again replaces the former. An amount may be
// followed by its currency, which is that of the plan by default. Further words
// of an invoice: period=2024-02-01..2024-03-01, sub=, seats=, discount=, tax=,
// status=, method=, model=, of a cancellation reason=, comment= and at= (the end
// that it states), prorated, prorated-full, once-discount; and for cash fee=, fx_loss=, paid=, due= and
// failed= (days), attempts=, number=, text=.
//
// A report is asked for by its name and parameters, and followed by a table of
// the fields that matter, indented: a line of field names, then one line per
// row of the answer.
//
//	report mrr date=2024-02-01:2024-05-15 breakdown=plan
//	  date        new    churn   total_mrr  "breakdown/Pro Plan/total_mrr"
//	  2024-02-01  99.00  0.00    99.00      99.00
//
// Money is written in units of its currency, 99.00 for 9900 cents; "-" is null
// or absent; a word with spaces is quoted. A field within a field is reached
// with slashes, one of the whole answer with a slash in front. A request that
// must be refused is written
//
//	report mrr date=yesteryear refused "date"
//
// with a part of the error's text.
package reporttest

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Script is a parsed script: its steps in order.
type Script struct {
	Name  string
	Steps []Step
}

// Step is one line that acts, or one report with its table. Exactly one field
// besides Line is set.
type Step struct {
	Line   int
	Today  calendar.Day // NoDay when another field is set
	Push   *Push
	Delete *Delete
	Report *Report
}

// Push is something to store: exactly one field is set.
type Push struct {
	Setting  *Setting
	Rate     *fx.Rate
	Plan     *Plan
	Customer *Customer
	Invoice  *Invoice
}

// Setting is a setting by its name in the contract. Value is what JSON carries:
// a string, a bool or an int64.
type Setting struct {
	Name  string
	Value any
}

// Plan is a plan in the push format.
type Plan struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Interval      string `json:"interval"`
	IntervalCount int32  `json:"interval_count"`
	Currency      string `json:"currency"`
	Group         string `json:"plan_group,omitempty"`
	Pricing       string `json:"pricing_model,omitempty"`
}

// Customer is a customer in the push format.
type Customer struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Email        string            `json:"email,omitempty"`
	Country      string            `json:"country,omitempty"`
	State        string            `json:"state,omitempty"`
	Created      string            `json:"created,omitempty"`
	TrialStarted string            `json:"trial_started,omitempty"`
	Custom       map[string]string `json:"custom_variables,omitempty"`
}

// Invoice is an invoice in the push format; amounts are minor units.
type Invoice struct {
	ID             string `json:"id"`
	CustomerID     string `json:"customer_id"`
	Type           string `json:"type"`
	Date           string `json:"invoice_date"`
	Amount         int64  `json:"amount"`
	Currency       string `json:"currency,omitempty"`
	PlanID         string `json:"plan_id,omitempty"`
	SubscriptionID string `json:"subscription_id,omitempty"`
	PeriodStart    string `json:"period_start,omitempty"`
	PeriodEnd      string `json:"period_end,omitempty"`
	Proration      bool   `json:"proration,omitempty"`
	ProrationType  string `json:"proration_type,omitempty"`
	Quantity       int32  `json:"quantity,omitempty"`
	Discount       int64  `json:"discount,omitempty"`
	DiscountOnce   bool   `json:"discount_once,omitempty"`
	Tax            int64  `json:"tax,omitempty"`
	Status         string `json:"status,omitempty"`
	Method         string `json:"payment_method,omitempty"`
	Pricing        string `json:"pricing_model,omitempty"`
	RefundOf       string `json:"refund_of,omitempty"`
	CancelReason   string `json:"cancel_reason,omitempty"`
	CancelComment  string `json:"cancel_comment,omitempty"`
	Fee            int64  `json:"fee,omitempty"`
	FXLoss         int64  `json:"fx_loss,omitempty"`
	PaymentDate    string `json:"payment_date,omitempty"`
	DueDate        string `json:"due_date,omitempty"`
	FirstFailed    string `json:"first_failed_date,omitempty"`
	Attempts       int32  `json:"attempt_count,omitempty"`
	Number         string `json:"number,omitempty"`
	Description    string `json:"description,omitempty"`
}

// Delete names a row to delete: kind is customer, plan or invoice.
type Delete struct{ Kind, ID string }

// Report is a request and the answer that is expected.
type Report struct {
	Name    string // mrr, ..., customers, customers/ID, plans
	Params  url.Values
	Fields  []string
	Rows    [][]string
	Refused string // part of the expected error's text; "" when the request is good
}

// Parse reads a script. Errors name the line.
func Parse(name, text string) (*Script, error) {
	p := parser{script: &Script{Name: name}, plans: map[string]string{}}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(i+1, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return p.script, nil
}

type parser struct {
	script   *Script
	plans    map[string]string // currency by plan
	invoices int
	table    *Report // whose table the following indented lines are
}

func (p *parser) line(number int, line string) error {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return err
	}
	if line[0] == ' ' || line[0] == '\t' {
		return p.row(words)
	}
	p.table = nil
	step := Step{Line: number, Today: calendar.NoDay}
	switch words[0] {
	case "today":
		err = p.today(&step, words[1:])
	case "setting":
		err = p.setting(&step, words[1:])
	case "rate":
		err = p.rate(&step, words[1:])
	case "plan":
		err = p.plan(&step, words[1:])
	case "customer":
		err = p.customer(&step, words[1:])
	case "delete":
		err = p.delete(&step, words[1:])
	case "report":
		err = p.report(&step, words[1:])
	default:
		err = p.invoice(&step, words)
	}
	if err != nil {
		return err
	}
	p.script.Steps = append(p.script.Steps, step)
	return nil
}

// split cuts a line into words. Quotes hold words with spaces together, also
// behind an equals sign; # begins a comment.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, quoted := false, false
	for _, r := range line {
		switch {
		case r == '"':
			open, quoted = !open, true
		case open:
			word.WriteRune(r)
		case r == '#' && word.Len() == 0 && !quoted:
			return words, nil
		case r == ' ' || r == '\t' || r == '\r':
			if word.Len() > 0 || quoted {
				words = append(words, word.String())
			}
			word.Reset()
			quoted = false
		default:
			word.WriteRune(r)
		}
	}
	if open {
		return nil, errors.New("a quote is not closed")
	}
	if word.Len() > 0 || quoted {
		words = append(words, word.String())
	}
	return words, nil
}

func (p *parser) row(words []string) error {
	switch {
	case p.table == nil:
		return errors.New("an indented line belongs to the table of a report, and there is none above")
	case p.table.Fields == nil:
		p.table.Fields = words
	case len(words) != len(p.table.Fields):
		return fmt.Errorf("the row has %d cells, the table %d fields", len(words), len(p.table.Fields))
	default:
		p.table.Rows = append(p.table.Rows, words)
	}
	return nil
}

func (p *parser) today(step *Step, words []string) error {
	if len(words) != 1 {
		return errors.New("expected: today DATE")
	}
	day, err := calendar.ParseDay(words[0])
	step.Today = day
	return err
}

func (p *parser) setting(step *Step, words []string) error {
	if len(words) != 2 {
		return errors.New("expected: setting NAME VALUE")
	}
	s := &Setting{Name: words[0], Value: words[1]}
	if b, err := strconv.ParseBool(words[1]); err == nil && len(words[1]) > 1 {
		s.Value = b
	} else if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
		s.Value = n
	}
	step.Push = &Push{Setting: s}
	return nil
}

func (p *parser) rate(step *Step, words []string) error {
	if len(words) != 4 {
		return errors.New("expected: rate DATE BASE QUOTE VALUE")
	}
	rates, err := fx.ReadCSV(strings.NewReader(strings.Join(words, ",")))
	if err != nil {
		return err
	}
	step.Push = &Push{Rate: &rates[0]}
	return nil
}

var frequencies = map[string]string{"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}

func (p *parser) plan(step *Step, words []string) error {
	if len(words) < 3 {
		return errors.New("expected: plan ID FREQUENCY CURRENCY [NAME] [group=NAME] [model=metered]")
	}
	plan := &Plan{ID: words[0], Name: words[0], Interval: frequencies[words[1]], IntervalCount: 1, Currency: words[2]}
	if plan.Interval == "" {
		if _, err := fmt.Sscanf(words[1], "every %d %s", &plan.IntervalCount, &plan.Interval); err != nil {
			return fmt.Errorf("%q is not monthly, quarterly, yearly, weekly, daily or, quoted, every 2 weeks", words[1])
		}
		plan.Interval = strings.TrimSuffix(plan.Interval, "s")
	}
	for _, word := range words[3:] {
		switch key, value, named := strings.Cut(word, "="); {
		case !named:
			plan.Name = word
		case key == "group":
			plan.Group = value
		case key == "model":
			plan.Pricing = value
		default:
			return fmt.Errorf("a plan has no %q", key)
		}
	}
	p.plans[plan.ID] = plan.Currency
	step.Push = &Push{Plan: plan}
	return nil
}

func (p *parser) customer(step *Step, words []string) error {
	if len(words) == 0 {
		return errors.New("expected: customer ID [NAME] [country=us] [custom_tier=gold] and so on")
	}
	c := &Customer{ID: words[0], Name: words[0]}
	for _, word := range words[1:] {
		key, value, named := strings.Cut(word, "=")
		custom, isCustom := strings.CutPrefix(key, "custom_")
		switch {
		case !named:
			c.Name = word
		case isCustom:
			if c.Custom == nil {
				c.Custom = map[string]string{}
			}
			c.Custom[custom] = value
		case key == "email":
			c.Email = value
		case key == "country":
			c.Country = value
		case key == "state":
			c.State = value
		case key == "created":
			c.Created = value
		case key == "trial_started":
			c.TrialStarted = value
		default:
			return fmt.Errorf("a customer has no %q", key)
		}
	}
	step.Push = &Push{Customer: c}
	return nil
}

func (p *parser) delete(step *Step, words []string) error {
	if len(words) != 2 || words[0] != "customer" && words[0] != "plan" && words[0] != "invoice" {
		return errors.New("expected: delete customer|plan|invoice ID")
	}
	step.Delete = &Delete{words[0], words[1]}
	return nil
}

func (p *parser) report(step *Step, words []string) error {
	if len(words) == 0 {
		return errors.New("expected: report NAME [PARAMETER=VALUE ...] [refused TEXT]")
	}
	r := &Report{Name: words[0], Params: url.Values{}}
	for i, word := range words[1:] {
		key, value, named := strings.Cut(word, "=")
		switch {
		case named:
			r.Params.Add(key, value)
		case word == "refused" && i == len(words)-3:
			r.Refused = words[len(words)-1]
		case r.Refused == "":
			return fmt.Errorf("%q is not PARAMETER=VALUE", word)
		}
	}
	p.table = r
	step.Report = r
	return nil
}

// invoice reads DATE CUSTOMER VERB ...
func (p *parser) invoice(step *Step, words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("%q begins no line of a script", words[0])
	}
	if _, err := calendar.ParseStamp(words[0]); err != nil {
		return err
	}
	p.invoices++
	in := &Invoice{ID: fmt.Sprint("i", p.invoices), Date: words[0], CustomerID: words[1]}
	rest := words[3:]
	amount := ""
	switch words[2] {
	case "pays", "refunded":
		if len(rest) == 0 {
			return fmt.Errorf("%s needs an amount", words[2])
		}
		amount, rest = rest[0], rest[1:]
		in.Type = map[string]string{"pays": "subscription", "refunded": "refund"}[words[2]]
	case "cancels":
		in.Type = "cancellation"
	default:
		return fmt.Errorf("%q is not pays, refunded or cancels", words[2])
	}
	fields, err := p.words(in, rest)
	if err != nil {
		return err
	}
	if err := p.amounts(in, amount, fields); err != nil {
		return err
	}
	if in.Type == "refund" {
		in.Amount = -in.Amount
	}
	step.Push = &Push{Invoice: in}
	return nil
}

// words reads what follows the amount and returns the fields that hold money.
func (p *parser) words(in *Invoice, words []string) (amounts map[string]string, err error) {
	amounts = map[string]string{}
	for i := 0; i < len(words); i++ {
		key, value, named := strings.Cut(words[i], "=")
		switch {
		case words[i] == "for" && i+1 < len(words):
			i++
			in.PlanID = words[i]
		case words[i] == "once":
			in.Type = "one-time"
		case words[i] == "prorated":
			in.Proration = true
		case words[i] == "prorated-full":
			in.Proration, in.ProrationType = true, "full"
		case words[i] == "once-discount":
			in.DiscountOnce = true
		case !named:
			if _, err := money.Parse(words[i]); err != nil {
				return nil, err
			}
			in.Currency = words[i]
		case key == "discount" || key == "tax" || key == "fee" || key == "fx_loss":
			amounts[key] = value
		default:
			if err := in.set(key, value); err != nil {
				return nil, err
			}
		}
	}
	return amounts, nil
}

func (in *Invoice) set(key, value string) error {
	switch key {
	case "id":
		in.ID = value
	case "sub":
		in.SubscriptionID = value
	case "of":
		in.RefundOf = value
	case "reason":
		in.CancelReason = value
	case "comment":
		in.CancelComment = value
	case "status":
		in.Status = value
	case "method":
		in.Method = value
	case "model":
		in.Pricing = value
	case "paid":
		in.PaymentDate = value
	case "due":
		in.DueDate = value
	case "failed":
		in.FirstFailed = value
	case "number":
		in.Number = value
	case "text":
		in.Description = value
	case "attempts":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is not a number of attempts", value)
		}
		in.Attempts = int32(n)
	case "at":
		in.PeriodEnd = value
	case "period":
		from, to, ok := strings.Cut(value, "..")
		if !ok {
			return fmt.Errorf("%q is not a period such as 2024-02-01..2024-03-01", value)
		}
		in.PeriodStart, in.PeriodEnd = from, to
	case "seats":
		n, err := strconv.ParseInt(value, 10, 32)
		in.Quantity = int32(n)
		return err
	default:
		return fmt.Errorf("an invoice has no %q", key)
	}
	return nil
}

// amounts reads the invoice's amounts in units of its currency.
func (p *parser) amounts(in *Invoice, amount string, more map[string]string) error {
	code := in.Currency
	if code == "" {
		code = p.plans[in.PlanID]
	}
	if code == "" {
		code = "usd"
	}
	currency, err := money.Parse(code)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		to   *int64
		text string
	}{{&in.Amount, amount}, {&in.Discount, more["discount"]}, {&in.Tax, more["tax"]}, {&in.Fee, more["fee"]}, {&in.FXLoss, more["fx_loss"]}} {
		if f.text == "" {
			continue
		}
		if *f.to, err = parseAmount(f.text, currency); err != nil {
			return err
		}
	}
	return nil
}

// parseAmount reads 99.00 as 9900 cents. The decimals must be the currency's,
// all or none.
func parseAmount(s string, c money.Currency) (int64, error) {
	whole, decimals, dotted := strings.Cut(s, ".")
	if dotted && len(decimals) != c.Exponent() {
		return 0, fmt.Errorf("%q does not have the %d decimals of %s", s, c.Exponent(), c)
	}
	if !dotted {
		decimals = strings.Repeat("0", c.Exponent())
	}
	n, err := strconv.ParseInt(whole+decimals, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not an amount such as 99.00", s)
	}
	return n, nil
}

// formatAmount is the inverse of parseAmount.
func formatAmount(n int64, c money.Currency) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	e := c.Exponent()
	digits := fmt.Sprintf("%0*d", e+1, n)
	if e == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-e] + "." + digits[len(digits)-e:]
}
