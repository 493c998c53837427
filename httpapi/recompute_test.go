package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/ingest"
)

// heldStore holds back the commit that puts asked settings in force.
type heldStore struct {
	analytics.Store
	release chan struct{}
}

func (s *heldStore) Commit(ctx context.Context, account string, c analytics.Changeset) error {
	if len(c.Delete) > 0 {
		<-s.release
	}
	return s.Store.Commit(ctx, account, c)
}

// While a large account is on its way to other settings the API tells how far it
// is, and reports show the state before.
func TestSettings_ChangeInTheBackground(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	a.engine.Close()
	held := &heldStore{Store: a.rates, release: make(chan struct{})}
	now := func() time.Time { return time.Unix(a.clock.Load(), 0).UTC() }
	engine := analytics.New(analytics.Config{Store: held, Rows: ingest.Documents{}, Now: now, Background: 1})
	release := sync.OnceFunc(func() { close(held.release) })
	t.Cleanup(engine.Close)
	t.Cleanup(release) // first: the engine waits for its commit
	a.Handler = a.contract.Watch(t, httpapi.New(httpapi.Config{Engine: engine, Identity: a.identity, Logger: slog.New(slog.DiscardHandler), Now: now}))

	before := a.ok(t, a.readonly, "GET", "/reports/mrr?date=ytd", "")
	asked := a.ok(t, a.admin, "POST", "/settings", `{"churn_grace_days":0,"timezone":"Asia/Tokyo"}`)
	for _, got := range []reply{asked, a.ok(t, a.readonly, "GET", "/settings", "")} {
		if got.text("timezone") != "Asia/Tokyo" || got.text("recompute", "state") != "running" || got.number("recompute", "total") != 3 {
			t.Errorf("settings under way: %s", got.raw)
		}
	}
	if during := a.ok(t, a.readonly, "GET", "/reports/mrr?date=ytd", ""); string(during.raw) != string(before.raw) {
		t.Errorf("a report under way: %s, want %s", during.raw, before.raw)
	}
	// As it was read; it may have to wait for the commit that is held back.
	put := make(chan reply, 1)
	go func() { put <- a.do(t, a.admin, "PUT", "/settings", string(asked.raw)) }()
	release()
	if got := <-put; got.status != 200 {
		t.Errorf("settings put back as they were read: %d %s", got.status, got.raw)
	}
	eventually(t, "the settings are in force", func() bool {
		return a.ok(t, a.readonly, "GET", "/settings", "").at("recompute") == nil
	})
	after := a.ok(t, a.readonly, "GET", "/reports/mrr?date=ytd", "")
	if !strings.Contains(string(after.raw), "Asia/Tokyo") {
		t.Errorf("a report under the new settings: %s", after.raw)
	}
}

// ofRequest marks what a request does; the rest an engine does by itself.
type ofRequest struct{}

// stalledStore holds back what an engine does by itself, until release or the
// engine's end.
type stalledStore struct {
	analytics.Store
	release chan struct{}
}

func (s *stalledStore) Version(ctx context.Context, account string) (uint64, error) {
	if ctx.Value(ofRequest{}) == nil {
		select {
		case <-s.release:
		case <-ctx.Done():
		}
	}
	return s.Store.Version(ctx, account)
}

// A plan of many customers changes in the background: the answers tell so, and
// until it is done reports show the state before.
func TestPlans_ChangeInTheBackground(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ method, target, body string }{
		"patched":      {"PUT", "/data/plans/pro", `{"interval":"year"}`},
		"pushed":       {"POST", "/data/plans", `{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}`},
		"in a batch":   {"POST", "/data/plans?echo=errors", `[{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}]`},
		"of a source":  {"POST", "/data-sources/%s/plans", `{"plans":[{"id":"pro","name":"Pro","interval":"year","interval_count":1,"currency":"usd"}]}`},
		"same in name": {"PUT", "/data/plans/pro", `{"interval":"year","name":"Pro Yearly"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			source := a.newSource(t, "Billing")
			a.ok(t, a.admin, "POST", "/data/plans", `{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"}`)
			a.ok(t, a.admin, "POST", "/data/customers", `[{"id":"c1","name":"A"},{"id":"c2","name":"B"},{"id":"c3","name":"C"}]`)
			today := time.Unix(a.clock.Load(), 0).UTC().Format(time.DateOnly)
			for _, n := range []string{"1", "2"} {
				a.ok(t, a.admin, "POST", "/data/invoices", `{"id":"i`+n+`","customer_id":"c`+n+`","plan_id":"pro","invoice_date":"`+today+`","amount":1200}`)
			}
			a.engine.Close()
			stalled := &stalledStore{Store: a.rates, release: make(chan struct{})}
			now := func() time.Time { return time.Unix(a.clock.Load(), 0).UTC() }
			engine := analytics.New(analytics.Config{Store: stalled, Rows: ingest.Documents{}, Now: now, Background: 1})
			t.Cleanup(engine.Close)
			server := a.contract.Watch(t, httpapi.New(httpapi.Config{Engine: engine, Identity: a.identity, Logger: slog.New(slog.DiscardHandler), Now: now}))
			a.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				server.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ofRequest{}, true)))
			})

			const report = "/reports/mrr?date=today&breakdown=plan"
			before := a.ok(t, a.readonly, "GET", report, "")
			if before.number("result", 0, "total_mrr") != 2400 {
				t.Fatalf("before: %s", before.raw)
			}
			answer := a.ok(t, a.admin, change.method, strings.Replace(change.target, "%s", source, 1), change.body)
			for _, got := range []reply{answer, a.ok(t, a.readonly, "GET", "/settings", "")} {
				if got.text("recompute", "state") != "running" || got.number("recompute", "total") != 3 {
					t.Errorf("under way: %s", got.raw)
				}
			}
			if during := a.ok(t, a.readonly, "GET", report, ""); string(during.raw) != string(before.raw) {
				t.Errorf("a report under way: %s, want %s", during.raw, before.raw)
			}
			close(stalled.release)
			eventually(t, "the plans are in force", func() bool {
				return a.ok(t, a.readonly, "GET", "/settings", "").at("recompute") == nil
			})
			if after := a.ok(t, a.readonly, "GET", report, ""); after.number("result", 0, "total_mrr") != 200 {
				t.Errorf("a report under the new terms: %s", after.raw)
			}
			again := a.ok(t, a.admin, change.method, strings.Replace(change.target, "%s", source, 1), change.body)
			if again.at("recompute") != nil {
				t.Errorf("the same once more: %s", again.raw)
			}
		})
	}
}
