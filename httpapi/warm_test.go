package httpapi_test

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// Whatever is written, a server that has answered before answers as one that
// reads the account anew: nothing of what it keeps outlives what it was made from.
func TestLaw_WarmAnswersAreThoseOfAServerJustStarted(t *testing.T) {
	t.Parallel()
	r := newRich(t)
	now := func() time.Time { return time.Unix(r.clock.Load(), 0).UTC() }
	var asked []string
	for _, op := range openapi.Operations() {
		if op.Method != "GET" || op.Status != http.StatusOK || !strings.HasPrefix(op.Path, "/reports/") {
			continue
		}
		for _, more := range []string{"", "&base_currency=eur&breakdown=plan", "&breakdown=country&payment_method=visa", "&segment=" + r.segment, "&compare=last-year&fix_fx=true"} {
			asked = append(asked, needed(op.Path+"?date=20250601-20260701"+more))
		}
	}
	asked = append(asked, "/customers?limit=7", "/customers?limit=7&offset=9&date=20250101-20261231", "/plans", "/exports/customers.csv", "/exports/mrr-movements.csv?date=20240101-20261231")
	send := func(method, target, body string) func() {
		return func() { r.ok(t, r.admin, method, target, body) }
	}
	source := r.sources[0]
	changes := map[string]func(){
		"customer":  send("PUT", "/data/customers/c4", `{"country":"fr","created":"2026-02-03"}`),
		"invoice":   send("POST", "/data-sources/"+source+"/invoices", `[{"id":"late","customer_id":"c80","type":"subscription","plan_id":"euro","invoice_date":"2026-03-01","amount":77700,"currency":"eur"}]`),
		"deletion":  send("DELETE", "/data/customers/c6", ""),
		"plan":      send("PUT", "/data/plans/month?data_source="+source, `{"interval":"year"}`),
		"plan name": send("PUT", "/data/plans/team?data_source="+source, `{"name":"Crew"}`),
		"group":     send("PUT", "/data/plans/year?data_source="+source, `{"plan_group":"Other"}`),
		"segment":   send("PUT", "/data/segments/"+r.segment, `{"name":"Visa","filters":{"country":"us"}}`),
		"currency":  send("POST", "/settings", `{"base_currency":"eur"}`),
		"zone":      send("POST", "/settings", `{"timezone":"Asia/Tokyo","churn_grace_days":0}`),
		"midnight":  func() { r.pass(13 * time.Hour) },
		"month":     func() { r.pass(31 * 24 * time.Hour) },
		"rates": func() {
			rate := fx.Rate{Day: calendar.Date(2026, 4, 30), Base: "eur", Quote: "usd", Value: "1.9"}
			if err := r.api.rates.ImportRates(t.Context(), []fx.Rate{rate}); err != nil {
				t.Fatal(err)
			}
		},
		"source": send("DELETE", "/data/data-sources/"+r.sources[1], ""),
	}
	names := slices.Sorted(maps.Keys(changes))
	r.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for n, name := range append([]string{""}, names...) {
		if name != "" {
			changes[name]()
		}
		engine := analytics.New(analytics.Config{Store: r.api.rates, Rows: ingest.Documents{}, Now: now})
		cold := *r.api
		cold.Handler = httpapi.New(httpapi.Config{Engine: engine, Identity: r.identity, Logger: slog.New(slog.DiscardHandler), Now: now})
		for i, target := range asked {
			if i%3 != n%3 { // in turn, because all of them take long
				continue
			}
			want, got := cold.do(t, r.readonly, "GET", target, ""), r.do(t, r.readonly, "GET", target, "")
			if got.status != want.status || string(got.raw) != string(want.raw) {
				t.Errorf("%s after %s: %d\n%.600s\nwant %d\n%.600s", target, names[:n], got.status, got.raw, want.status, want.raw)
			}
		}
		engine.Close()
		if t.Failed() {
			return
		}
	}
}
