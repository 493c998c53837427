package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// rich is an account in which every report has something to say of every
// parameter.
type rich struct {
	*api
	t       *testing.T
	rng     *rand.Rand
	sources []string
	group   string // id of a plan group
	segment string // id
	today   calendar.Day

	customers, invoices [][]map[string]any // by data source
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func newRich(t *testing.T) *rich {
	t.Helper()
	a := newAPI(t)
	a.Handler = a.server // other tests hold answers to the contract
	r := &rich{api: a, t: t, rng: rand.New(rand.NewPCG(41, 19)), today: calendar.DayOf(startOfTests)}
	r.rates()
	r.sources = []string{a.newSource(t, "First"), a.newSource(t, "Second")}
	r.customers, r.invoices = make([][]map[string]any, 2), make([][]map[string]any, 2)
	for n := range 160 {
		r.customer(n)
	}
	for i, source := range r.sources {
		a.ok(t, a.admin, "POST", "/data-sources/"+source+"/plans", richPlans)
		r.push(source, "customers", r.customers[i])
		r.push(source, "invoices", r.invoices[i])
	}
	r.group = a.ok(t, a.admin, "GET", "/data/plan-groups", "").text("result", "list", 0, "id")
	r.segment = a.ok(t, a.admin, "POST", "/data/segments", `{"name":"Visa","filters":{"payment_method":"visa"}}`).text("id")
	return r
}

const richPlans = `[
	{"id":"month","name":"Month","interval":"month","interval_count":1,"currency":"usd","plan_group":"Core"},
	{"id":"team","name":"Team","interval":"month","interval_count":1,"currency":"usd"},
	{"id":"euro","name":"Euro","interval":"month","interval_count":1,"currency":"eur"},
	{"id":"quarter","name":"Quarter","interval":"quarter","interval_count":1,"currency":"eur"},
	{"id":"year","name":"Year","interval":"year","interval_count":1,"currency":"usd","plan_group":"Core"},
	{"id":"week","name":"Week","interval":"week","interval_count":1,"currency":"usd"},
	{"id":"day","name":"Day","interval":"day","interval_count":1,"currency":"usd"},
	{"id":"metered","name":"Metered","interval":"month","interval_count":1,"currency":"usd","pricing_model":"metered"}]`

func (r *rich) push(source, kind string, rows []map[string]any) {
	r.t.Helper()
	body, err := json.Marshal(rows)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := r.ok(r.t, r.admin, "POST", "/data-sources/"+source+"/"+kind+"?echo=errors", string(body)); got.number("failed") != 0 {
		r.t.Fatalf("push %s: %s", kind, got.raw)
	}
}

// rates drift, so that every day has its own.
func (r *rich) rates() {
	var rates []fx.Rate
	for d := calendar.Date(2023, 1, 1); d < calendar.Date(2028, 1, 1); d++ {
		rates = append(rates, fx.Rate{Day: d, Base: "eur", Quote: "usd", Value: fmt.Sprintf("1.%04d", 500+int(d)%2000)})
	}
	if err := r.api.rates.ImportRates(r.t.Context(), rates); err != nil {
		r.t.Fatal(err)
	}
}

// customer makes up a customer with its invoices.
func (r *rich) customer(n int) {
	rng, source := r.rng, n%2
	start := r.today - calendar.Day(20+rng.IntN(800))
	id := fmt.Sprintf("c%d", n)
	variables := map[string]any{}
	row := map[string]any{"id": id, "name": fmt.Sprintf("Name %d", (n*37)%160), "created": start.String(), "custom_variables": variables}
	if country := pick(rng, "us", "us", "ca", "de", "dk", "gb", "br", "jp", ""); country != "" {
		row["country"] = country
		if country == "us" || country == "ca" {
			row["state"] = pick(rng, "ny", "ca", "on")
		}
	}
	for _, v := range [][]string{
		{"industry", "software", "retail"}, {"channel", "ads", "sales"}, {"size", "small", "large"}, {"tier", "gold", "silver", "bronze"},
	} {
		if rng.IntN(4) > 0 {
			variables[v[0]] = pick(rng, v[1:]...)
		}
	}
	if rng.IntN(3) == 0 {
		row["trial_started"] = start.String()
		start += calendar.Day(rng.IntN(20))
	}
	r.customers[source] = append(r.customers[source], row)
	if rng.IntN(12) == 0 {
		return // a lead
	}
	plan := pick(rng, "month", "month", "team", "euro", "quarter", "year", "week", "day", "metered")
	method, amount := pick(rng, "visa", "sepa", ""), 1000+100*rng.IntN(90)
	step := map[string]calendar.Day{"week": 7, "day": 1}[plan]
	months := map[string]int{"quarter": 3, "year": 12}[plan]
	if months == 0 {
		months = 1
	}
	renewals, day := 1+rng.IntN(30), start
	for i := 0; i < renewals && day <= r.today; i++ {
		if rng.IntN(6) == 0 {
			amount += 100 * (rng.IntN(21) - 10)
			amount = max(amount, 500)
		}
		if rng.IntN(15) == 0 {
			plan2 := pick(rng, "month", "team", "metered")
			if step == 0 && months == 1 && plan != "euro" {
				plan = plan2
			}
		}
		r.invoice(source, id, plan, method, day, amount)
		if step > 0 {
			day += step
		} else {
			day = day.AddMonths(months)
		}
	}
	r.ending(source, id, plan, day, amount)
}

func (r *rich) add(source int, customer string, day calendar.Day, kind string, amount int, more map[string]any) string {
	id := fmt.Sprintf("i%d-%d", source, len(r.invoices[source]))
	row := map[string]any{"id": id, "customer_id": customer, "type": kind, "invoice_date": day.String(), "amount": amount, "currency": "usd"}
	maps.Copy(row, more)
	r.invoices[source] = append(r.invoices[source], row)
	return id
}

func (r *rich) invoice(source int, customer, plan, method string, day calendar.Day, amount int) {
	rng := r.rng
	more := map[string]any{"plan_id": plan, "quantity": 1 + rng.IntN(3), "number": fmt.Sprintf("N%d", rng.IntN(9999))}
	if plan == "euro" || plan == "quarter" {
		more["currency"] = "eur"
	}
	if method != "" {
		more["payment_method"] = method
	}
	if rng.IntN(4) == 0 {
		more["discount"], more["tax"], more["fee"], more["fx_loss"] = 100, 50, 30, 10
	}
	if rng.IntN(6) == 0 {
		failed := day + calendar.Day(rng.IntN(3))
		more["first_failed_date"], more["attempt_count"], more["due_date"] = failed.String(), 1+rng.IntN(4), day.String()
		if rng.IntN(2) == 0 {
			more["payment_date"] = (failed + 3).String()
		} else {
			more["status"] = pick(rng, "failed", "open")
		}
	}
	id := r.add(source, customer, day, "subscription", amount, more)
	currency := map[string]any{"currency": "usd"}
	if c, ok := more["currency"]; ok {
		currency["currency"] = c
	}
	if rng.IntN(12) == 0 && day+5 <= r.today {
		r.add(source, customer, day+5, "refund", -amount/2, map[string]any{"refund_of": id, "currency": currency["currency"], "payment_method": pick(rng, "visa", "sepa")})
	}
	if rng.IntN(15) == 0 {
		r.add(source, customer, day, "one-time", 700, currency)
	}
}

// ending lets the last subscription end in one of the ways there are: it just
// stops, was cancelled, is going to end, or gets cheaper.
func (r *rich) ending(source int, customer, plan string, next calendar.Day, amount int) {
	reason := map[string]any{"cancel_reason": pick(r.rng, "too_expensive", "unused"), "cancel_comment": "It was " + pick(r.rng, "dear", "idle")}
	asked := next - calendar.Day(1+r.rng.IntN(25))
	switch r.rng.IntN(3) {
	case 0:
		if asked <= r.today {
			reason["period_end"] = next.String()
			r.add(source, customer, asked, "cancellation", 0, reason)
		}
	case 1:
		if next > r.today {
			r.add(source, customer, next, "subscription", amount/2, map[string]any{"plan_id": plan, "currency": map[bool]string{true: "eur", false: "usd"}[plan == "euro" || plan == "quarter"]})
		}
	default:
	}
}
