package httpapi_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/ingest"
)

// Many who ask at once, also while rows come in, each get the answers of a server
// that reads the account anew: those before the rows or those with them. What one
// report finds out, others may be reading.
func TestLaw_AskedAtOnceWhileRowsComeIn(t *testing.T) {
	t.Parallel()
	r := newRich(t)
	var asked []string
	for _, name := range []string{
		"mrr", "retention", "cohort", "map", "leads", "transactions", "transactions-detail", "invoices-detail", "cashflow-failure-rate",
		"cashflow-refunds-detail", "churn-reasons", "cancellation-timing-detail", "customer-concentration", "movement-table", "latest-activity",
	} {
		for _, more := range []string{"", "&base_currency=eur&breakdown=plan", "&payment_method=visa&breakdown=country"} {
			asked = append(asked, "/reports/"+name+"?date=20250101-20260615&limit=50"+more)
		}
	}
	before := r.anew(asked)
	for round := range 3 {
		var all sync.WaitGroup
		answers := make([][]string, 3)
		all.Go(func() {
			r.ok(t, r.admin, "POST", "/data-sources/"+r.sources[0]+"/invoices", fmt.Sprintf(`[
				{"id":"more-%d","customer_id":"c%d","type":"subscription","plan_id":"team","invoice_date":"2026-04-0%d","amount":9100,"currency":"usd","payment_method":"new-%d"}]`,
				round, 40*round, round+1, round))
		})
		for reader := range answers {
			all.Go(func() {
				for i := range asked {
					i = (i + reader*len(asked)/len(answers)) % len(asked)
					got := r.do(t, r.readonly, "GET", fmt.Sprintf("%s&reader=%d-%d", asked[i], round, reader), "")
					answers[reader] = append(answers[reader], string(got.raw))
				}
			})
		}
		all.Wait()
		after := r.anew(asked)
		for reader, got := range answers {
			for n := range got {
				i := (n + reader*len(asked)/len(answers)) % len(asked)
				if got[n] != before[i] && got[n] != after[i] {
					t.Fatalf("round %d: %s:\n%.600s\nbefore the row came in %.600s\nwith it %.600s", round, asked[i], got[n], before[i], after[i])
				}
			}
		}
		before = after
	}
}

// anew asks a server that has just been started.
func (r *rich) anew(targets []string) (answers []string) {
	now := func() time.Time { return time.Unix(r.clock.Load(), 0).UTC() }
	engine := analytics.New(analytics.Config{Store: r.api.rates, Rows: ingest.Documents{}, Now: now})
	defer engine.Close()
	cold := *r.api
	cold.Handler = httpapi.New(httpapi.Config{Engine: engine, Identity: r.identity, Logger: slog.New(slog.DiscardHandler), Now: now})
	for _, target := range targets {
		answers = append(answers, string(cold.do(r.t, r.readonly, "GET", target, "").raw))
	}
	return answers
}
