package httpapi_test

import (
	"context"
	"log/slog"
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
	for {
		got := a.ok(t, a.readonly, "GET", "/settings", "")
		if got.at("recompute") == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	after := a.ok(t, a.readonly, "GET", "/reports/mrr?date=ytd", "")
	if !strings.Contains(string(after.raw), "Asia/Tokyo") {
		t.Errorf("a report under the new settings: %s", after.raw)
	}
}
