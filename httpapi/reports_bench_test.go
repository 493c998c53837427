package httpapi_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// history is an account that bills each of its customers once a month for 34
// months: seats, plans and prices change, months are skipped, and payments fail,
// are refunded or taxed as in real ones.
type history struct {
	customers  int
	currencies []string
	plans      int
}

const (
	historyMonths = 34
	historyStart  = "2023-08-01"
	historyToday  = "2026-06-01"
	historyBatch  = 10_000
)

var (
	historyCountries  = strings.Fields("us us us us de gb fr dk se nl es it ca au jp br mx in pl pt ie at ch no fi be cz za sg nz")
	historyIndustries = []string{"saas", "retail", "health", "media", "finance"}
	historyMethods    = []string{"card", "sepa", "paypal"}
)

// subscriber is what the next invoice of a customer looks like.
type subscriber struct {
	first    calendar.Day
	plan     int
	price    int
	seats    int
	currency string
	method   string
	gone     bool
}

// fill pushes the account into an API whose clock stands at historyToday.
func (h history) fill(b *testing.B, f *bench) {
	b.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(len(h.currencies))))
	var plans []string
	for i := range h.plans {
		plans = append(plans, fmt.Sprintf(`{"id":"plan_%d","name":"Plan %d","interval":"month","interval_count":1,"currency":"usd"}`, i, i))
	}
	f.push(b, "plans", plans)
	subscribers := make([]subscriber, h.customers)
	rows := make([]string, 0, historyBatch)
	add := func(kind, row string) {
		if rows = append(rows, row); len(rows) == historyBatch {
			f.push(b, kind, rows)
			rows = rows[:0]
		}
	}
	for i := range subscribers {
		s := &subscribers[i]
		*s = subscriber{
			first: historyDay(historyStart) + calendar.Day(i*28/h.customers), plan: rng.IntN(h.plans), price: 900 + 100*rng.IntN(90), seats: 1,
			currency: h.currencies[rng.IntN(len(h.currencies))], method: historyMethods[rng.IntN(len(historyMethods))],
		}
		trial := ""
		if i%5 == 0 {
			trial = fmt.Sprintf(`,"trial_started":%q`, s.first-14)
		}
		add("customers", fmt.Sprintf(`{"id":"cus_%06d","name":"Customer %d","email":"c%d@example.com","country":%q,"created":%q%s,"metadata":{"tier":"t%d","industry":%q}}`,
			i, i, i, historyCountries[rng.IntN(len(historyCountries))], s.first-calendar.Day(rng.IntN(40)), trial, i%4, historyIndustries[i%len(historyIndustries)]))
	}
	f.push(b, "customers", rows)
	rows = rows[:0]
	for month := range historyMonths {
		for i := range subscribers {
			if row := subscribers[i].bill(rng, i, month, h.plans); row != "" {
				add("invoices", row)
			}
		}
	}
	f.push(b, "invoices", rows)
}

func historyDay(text string) calendar.Day {
	day, err := calendar.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return day
}

// bill returns the invoice of a month, "" for none.
func (s *subscriber) bill(rng *rand.Rand, customer, month, plans int) string {
	day := s.first.AddMonths(month)
	id := fmt.Sprintf(`{"id":"inv_%06d_%02d","customer_id":"cus_%06d","invoice_date":%q,"currency":%q`, customer, month, customer, day, s.currency)
	if s.gone && rng.IntN(6) > 0 {
		return ""
	}
	s.gone = false
	switch n := rng.IntN(1000); {
	case n < 20:
		s.plan, s.price = rng.IntN(plans), 900+100*rng.IntN(90)
	case n < 60:
		s.seats++
	case n < 80:
		s.price += 100 * (rng.IntN(5) - 2)
	case n < 86:
		s.gone = true
		return fmt.Sprintf(`%s,"type":"cancellation","amount":0,"cancel_reason":"reason_%d"}`, id, rng.IntN(6))
	case n < 90:
		s.gone = true
		return ""
	case n < 105 && month > 0:
		return fmt.Sprintf(`%s,"type":"refund","amount":-%d}`, id, s.price/2)
	case n < 115:
		return fmt.Sprintf(`%s,"type":"one-time","amount":%d}`, id, s.price*3)
	}
	rare := ""
	switch n := rng.IntN(1000); {
	case n < 100:
		rare = fmt.Sprintf(`,"tax":%d`, s.price*s.seats/5)
	case n < 150:
		rare = fmt.Sprintf(`,"discount":%d`, s.price/10)
	case n < 175:
		rare = fmt.Sprintf(`,"first_failed_date":%q,"attempt_count":%d`, day, 1+n%4)
		if n < 155 {
			rare += `,"status":"failed"`
		}
	}
	return fmt.Sprintf(`%s,"type":"subscription","amount":%d,"plan_id":"plan_%d","payment_method":%q,"quantity":%d%s}`,
		id, s.price*s.seats, s.plan, s.method, s.seats, rare)
}

// push sends rows of a kind, if there are any.
func (f *bench) push(b *testing.B, kind string, rows []string) {
	b.Helper()
	if len(rows) > 0 {
		f.post(b, kind, []byte("["+strings.Join(rows, ",")+"]"))
	}
}

// begin fills the API with the account and with rates for its currencies.
func (h history) begin(b *testing.B, f *bench) {
	b.Helper()
	f.clock.Store(historyDay(historyToday).Time().Add(12 * time.Hour).Unix())
	var rates []fx.Rate
	rng := rand.New(rand.NewPCG(1, 1))
	for day := historyDay(historyStart) - 400; day <= historyDay(historyToday); day++ {
		for _, about := range []struct {
			quote string
			value int // in ten thousandths
		}{{"usd", 10500}, {"gbp", 8300}} {
			n := about.value + rng.IntN(about.value/20)
			rates = append(rates, fx.Rate{Day: day, Base: "eur", Quote: about.quote, Value: fmt.Sprintf("%d.%04d", n/10000, n%10000)})
		}
	}
	if err := f.rates.ImportRates(b.Context(), rates); err != nil {
		b.Fatal(err)
	}
	f.source = f.newSource(b, "Billing")
	h.fill(b, f)
}

// reportQueries are what each report is asked for. The filters of the second
// keep about a fifth of everything, those of the third nearly all.
var reportQueries = []struct{ name, query string }{
	{"plain", ""},
	{"two filters by country", "plan=plan_1~~plan_2~~plan_3~~plan_4&payment_method=card~~sepa&breakdown=country"},
	{"two filters by plan", "region=~apac&payment_method=~paypal&breakdown=plan"},
}

// reportTarget returns a report's path and parameters over the whole history; number n
// makes it one that the cache of answers has not seen.
func reportTarget(op *openapi.Operation, query string, n int) string {
	at := needed(fmt.Sprintf("%s?date=20230801-20260601&n=%d&%s", op.Path, n, query))
	if strings.HasSuffix(op.Path, "-detail") || strings.HasSuffix(op.Path, "-table") || strings.HasSuffix(op.Path, "-movements") {
		at += "&limit=100"
	}
	return at
}

// BenchmarkEveryReport asks for every report on one core, each time computed
// anew, over a million invoices of 30,000 customers. p50-ms is the figure to watch.
func BenchmarkEveryReport(b *testing.B) {
	for _, account := range []struct {
		name string
		history
	}{
		{"usd, 12 plans", history{customers: 30_000, currencies: []string{"usd"}, plans: 12}},
		{"usd eur gbp, 200 plans", history{customers: 30_000, currencies: []string{"usd", "usd", "eur", "gbp"}, plans: 200}},
	} {
		b.Run(account.name, func(b *testing.B) {
			f := &bench{api: newAPI(b)}
			account.begin(b, f)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			f.benchReports(b)
		})
	}
}

func (f *bench) benchReports(b *testing.B) {
	for _, op := range openapi.Operations() {
		if !strings.HasPrefix(op.Path, "/reports/") {
			continue
		}
		for _, asked := range reportQueries {
			b.Run(strings.TrimPrefix(op.Path, "/reports/")+"/"+asked.name, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					f.get(b, reportTarget(&op, asked.query, len(took)))
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			})
		}
	}
}
