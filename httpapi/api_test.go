package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/ingest/pull"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/openapi/contracttest"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// api is a whole API over an SQLite file, with one account and two keys. Every
// answer of every test is held to the contract.
type api struct {
	http.Handler                 // the server, watched
	server       *httpapi.Server // the server itself, for benchmarks
	contract     *contracttest.Contract
	identity     *identity.Service
	engine       *analytics.Engine
	rates        analytics.Store
	store        *sqlstore.Store
	folder       string        // of the store
	clock        *atomic.Int64 // Unix seconds
	stopJobs     func()        // as a shutdown does

	account         identity.Account
	admin, readonly string // keys
}

// startOfTests is what the API of a test calls now at first.
var startOfTests = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func newAPI(t testing.TB) *api { return newAPIWith(t, httpapi.Config{}) }

// newAPIWith starts an API; cfg sets what a test cares about.
func newAPIWith(t testing.TB, cfg httpapi.Config) *api {
	t.Helper()
	folder := t.TempDir()
	store, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	a := &api{clock: new(atomic.Int64), rates: store.Analytics(), store: store, folder: folder, contract: contracttest.New(t)}
	a.clock.Store(startOfTests.Unix())
	now := func() time.Time { return time.Unix(a.clock.Load(), 0).UTC() }
	logger := slog.New(slog.DiscardHandler)
	a.identity = identity.New(identity.Config{
		Store: store.Identity(), Now: now, Logger: logger, UserTokenKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		SignUp: true,
	})
	a.engine = analytics.New(analytics.Config{Store: store.Analytics(), Rows: ingest.Documents{}, Now: now, Outbox: store.Analytics()})
	t.Cleanup(func() {
		a.engine.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.Engine, cfg.Identity, cfg.Billing, cfg.Logger, cfg.Now = a.engine, a.identity, store.Billing(), logger, now
	cfg.Imports = a.runJobs(t, now, logger)
	links, err := sealed.NewBox("links", make([]byte, sealed.MinSecretBytes))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Hooks = notify.New(notify.Config{
		Store: store.Hooks(links), Queue: store.Jobs(), Engine: a.engine, Now: now, People: directory{a.identity}, Sealer: links, PublicURL: "https://api.example",
		Outgoing: httpx.OutgoingConfig{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	a.server = httpapi.New(cfg)
	a.Handler = a.contract.Watch(t, a.server)
	a.account, a.admin, a.readonly = a.newAccount(t, "Acme")
	return a
}

// runJobs starts what works outside requests. It may reach this machine, over
// http as well.
func (a *api) runJobs(t testing.TB, now func() time.Time, logger *slog.Logger) *pull.Control {
	t.Helper()
	box, err := sealed.NewBox("test", make([]byte, sealed.MinSecretBytes))
	if err != nil {
		t.Fatal(err)
	}
	importer := pull.NewImporter(pull.Config{
		Engine: a.engine, Sealer: box, Now: now, Logger: logger,
		Outgoing: httpx.OutgoingConfig{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true},
		Sleep:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	runner := jobs.NewRunner(jobs.Config{
		Store: a.store.Jobs(), Handlers: map[string]jobs.Handler{pull.JobKind: importer.Handler()}, Now: now, Logger: logger,
	})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { runner.Run(ctx) })
	a.stopJobs = func() {
		stop()
		running.Wait()
	}
	t.Cleanup(a.stopJobs)
	return pull.NewControl(a.engine, runner, importer)
}

// newAccount adds an account with an admin and a readonly key.
func (a *api) newAccount(t testing.TB, name string) (account identity.Account, admin, readonly string) {
	t.Helper()
	account, err := a.identity.CreateAccount(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := a.identity.CreateUser(t.Context(), "owner-"+account.ID+"@example.com", "", identity.Profile{FirstName: name})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.identity.AddMember(t.Context(), account.ID, owner.ID, identity.Owner); err != nil {
		t.Fatal(err)
	}
	return account, a.newKey(t, account, identity.Admin), a.newKey(t, account, identity.Readonly)
}

// newKey makes a key of the account's owner.
func (a *api) newKey(t testing.TB, account identity.Account, role identity.Role) string {
	t.Helper()
	_, token, err := a.identity.CreateKey(t.Context(), identity.NewKey{Account: account.ID, Name: string(role), Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// breakStore makes every later read and write of the data fail.
func (a *api) breakStore(t *testing.T) {
	t.Helper()
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
}

func (a *api) pass(d time.Duration) { a.clock.Add(int64(d / time.Second)) }

// reply is an answer that was checked to be JSON, or a CSV file.
type reply struct {
	status int
	header http.Header
	raw    []byte
	body   any
}

// do sends a request with a key; an empty body is none.
func (a *api) do(t testing.TB, key, method, target, body string) reply {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return a.send(t, r)
}

func (a *api) send(t testing.TB, r *http.Request) reply {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	out := reply{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if r.Method == http.MethodOptions || r.Method == http.MethodHead {
		return out
	}
	if w.Code == http.StatusOK && strings.Contains(r.URL.Path, "/exports/") {
		if got := w.Header().Get("Content-Type"); got != "text/csv; charset=utf-8" {
			t.Errorf("%s %s: Content-Type %q", r.Method, r.URL, got)
		}
		return out
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("%s %s: Content-Type %q", r.Method, r.URL, got)
	}
	if err := json.Unmarshal(out.raw, &out.body); err != nil {
		t.Fatalf("%s %s: %d %q: %v", r.Method, r.URL, w.Code, out.raw, err)
	}
	return out
}

// ok sends a request that must succeed and returns its answer.
func (a *api) ok(t testing.TB, key, method, target, body string) reply {
	t.Helper()
	got := a.do(t, key, method, target, body)
	if got.status >= 300 {
		t.Fatalf("%s %s: %d %s", method, target, got.status, got.raw)
	}
	return got
}

// at walks the answer by object keys and array indexes; nil when there is
// nothing.
func (r reply) at(path ...any) any {
	value := r.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			array, _ := value.([]any)
			if step >= len(array) {
				return nil
			}
			value = array[step]
		}
	}
	return value
}

func (r reply) text(path ...any) string {
	s, _ := r.at(path...).(string)
	return s
}

func (r reply) number(path ...any) float64 {
	n, _ := r.at(path...).(float64)
	return n
}

func (r reply) list(path ...any) []any {
	l, _ := r.at(path...).([]any)
	return l
}
