package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

const account = "acme"

// world is engine, store, service and runner under the clock of a bubble. Hosts
// are servers in memory, behind addresses that look public.
type world struct {
	engine  *analytics.Engine
	store   *sqlstore.Store
	hooks   *notify.Service
	source  string
	stop    func()
	post    *postbox
	sealer  *sealed.Box
	closing atomic.Bool // the account is

	mu    sync.Mutex
	hosts map[string]*pipeListener
	ips   map[netip.Addr]string
}

func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlstore.Open(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		links, err := sealed.NewBox("links", make([]byte, sealed.MinSecretBytes))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{store: store, post: &postbox{}, sealer: links, hosts: map[string]*pipeListener{}, ips: map[netip.Addr]string{}}
		w.engine = analytics.New(analytics.Config{Store: store.Analytics(), Outbox: store.Analytics(), Rows: ingest.Documents{}, Now: time.Now})
		w.serve()
		w.run(t)
		defer w.end(t)
		source, err := w.engine.CreateSource(t.Context(), account, analytics.NewSource{Name: "Billing", Type: analytics.SourceAPI})
		if err != nil {
			t.Fatal(err)
		}
		w.source = source.ID
		w.push(t, "plans", `[{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"}]`)
		test(t, w)
	})
}

// pass lets d go by, and then whatever is due at that very instant finish.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// end stops everything that runs in the bubble.
func (w *world) end(t *testing.T) {
	w.stop()
	for _, l := range w.hosts {
		_ = l.server.Close()
		<-l.served
	}
	w.engine.Close()
	if err := w.store.Close(); err != nil {
		t.Error(err)
	}
}

// serve makes the service of the engine.
func (w *world) serve() {
	w.hooks = notify.New(notify.Config{
		Store: w.store.Hooks(w.sealer), Queue: w.store.Jobs(), Engine: w.engine, Now: time.Now, Version: "test",
		Mailer: w.post, People: w.post, Sealer: w.sealer, PublicURL: "https://api.example", Suspended: w.suspended,
		Outgoing: httpx.OutgoingConfig{Resolver: w, Dial: w.dial, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
	})
}

func (w *world) suspended(context.Context, string) (bool, error) { return w.closing.Load(), nil }

// run starts a runner until stop.
func (w *world) run(t *testing.T) {
	t.Helper()
	runner := jobs.NewRunner(jobs.Config{Store: w.store.Jobs(), Handlers: w.hooks.Handlers(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: 20 * time.Minute})
	if err := w.hooks.Start(t.Context(), runner); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { runner.Run(ctx) })
	w.stop = func() { cancel(); wg.Wait() }
}

// LookupNetIP gives each host an address of its own in 192.0.2.0/24.
func (w *world) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if host == "inside.example" {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
	}
	addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(len(w.ips) + 1)})
	w.ips[addr] = host
	return []netip.Addr{addr}, nil
}

func (w *world) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	l := w.hosts[w.ips[addr.Addr()]]
	w.mu.Unlock()
	if l == nil {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipeListener is a net.Listener whose connections are pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	server *http.Server
	served chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// host serves a host name.
func (w *world) host(name string, h http.HandlerFunc) {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{}), served: make(chan struct{}), server: &http.Server{Handler: h}}
	w.mu.Lock()
	w.hosts[name] = l
	w.mu.Unlock()
	go func() {
		defer close(l.served)
		_ = l.server.Serve(l)
	}()
}

// inbox collects what a host is sent.
type inbox struct {
	mu     sync.Mutex
	docs   []analytics.Envelope
	answer func(n int, w http.ResponseWriter, r *http.Request) // nil: 204
	calls  int
	faults []string
	key    func() notify.Secret
}

func (b *inbox) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	b.calls++
	n := b.calls
	b.mu.Unlock()
	if b.answer != nil {
		rec := &status{ResponseWriter: w, code: http.StatusOK}
		b.answer(n, rec, r)
		if rec.code/100 != 2 {
			return
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.key != nil {
		if err := notify.Verify(b.key(), r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), r.Header.Get("Webhook-Signature"), body, time.Now()); err != nil {
			b.faults = append(b.faults, err.Error())
		}
	}
	var doc analytics.Envelope
	if json.Unmarshal(body, &doc) == nil {
		b.docs = append(b.docs, doc)
	}
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

// hang keeps the sender waiting until it gives up.
func hang(w http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	w.WriteHeader(http.StatusServiceUnavailable)
}

// told lists what arrived as "type customer change".
func (b *inbox) told(t *testing.T) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, d := range b.docs {
		var data struct {
			ID        string                 `json:"id"`
			InvoiceID string                 `json:"invoice_id"`
			Customer  analytics.CustomerData `json:"customer"`
			Change    int64                  `json:"mrr_change"`
		}
		if err := json.Unmarshal(d.Data, &data); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s%s%s %d", d.Event, data.ID, data.Customer.ID, data.InvoiceID, data.Change), " 0"))
	}
	for _, f := range b.faults {
		t.Errorf("a delivery with a bad signature: %s", f)
	}
	return out
}

// subscribe makes webhooks from a new host.
func (w *world) subscribe(t *testing.T, host string, events ...string) (*inbox, []notify.Hook) {
	t.Helper()
	b := &inbox{}
	w.host(host, b.serve)
	hooks, err := w.hooks.Create(t.Context(), account, "http://"+host+"/hook", events, "")
	if err != nil {
		t.Fatal(err)
	}
	b.key = func() notify.Secret { return hooks[0].Keys[0] }
	return b, hooks
}

// push writes rows as the API would. Days are counted from the bubble's first,
// 1 January 2000.
func (w *world) push(t *testing.T, kind, rows string) { w.pushWith(t.Context(), t, kind, rows) }

func (w *world) pushWith(ctx context.Context, t *testing.T, kind, rows string) {
	t.Helper()
	var err error
	switch body := []byte(rows); kind {
	case "customers":
		err = put(ctx, w, body, ingest.DecodeCustomers, w.engine.PutCustomers)
	case "plans":
		err = put(ctx, w, body, ingest.DecodePlans, w.engine.PutPlans)
	case "invoices":
		err = put(ctx, w, body, ingest.DecodeInvoices, w.engine.PutInvoices)
	}
	if err != nil {
		t.Fatalf("push %s: %v", kind, err)
	}
}

func put[T any](ctx context.Context, w *world, body []byte, decode func([]byte) (*ingest.Batch[T], error), write func(context.Context, string, string, []T) ([]analytics.FieldError, error)) error {
	batch, err := decode(body)
	if err != nil {
		return err
	}
	failures, err := write(ctx, account, w.source, batch.Rows)
	if err == nil && len(failures)+len(batch.Errors) > 0 {
		err = fmt.Errorf("rows failed: %v %v", failures, batch.Errors)
	}
	return err
}

// invoice is a row of a monthly subscription.
func invoice(id, customer, date string, amount int) string {
	return fmt.Sprintf(`[{"id":%q,"customer_id":%q,"type":"subscription","invoice_date":%q,"amount":%d,"currency":"usd","plan_id":"pro"}]`, id, customer, date, amount)
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestDeliver_TellsWhatIsNew(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.push(t, "customers", `[{"id":"before","name":"before"}]`)
		w.push(t, "invoices", invoice("i0", "before", "2000-01-01", 900))
		b, _ := w.subscribe(t, "good.example", notify.Events()...)
		w.push(t, "customers", `[{"id":"ann","name":"Ann"},{"id":"old","name":"old","created":"1999-06-01"}]`)
		w.push(t, "plans", `[{"id":"team","name":"Team","interval":"month","interval_count":1,"currency":"usd"}]`)
		w.push(t, "invoices", invoice("i1", "ann", "2000-01-01", 1000))
		w.push(t, "invoices", invoice("i2", "old", "1999-12-20", 2000)) // history
		w.push(t, "invoices", invoice("i1", "ann", "2000-01-01", 1000)) // nothing changed
		w.push(t, "customers", `[{"id":"before","name":"Before"}]`)
		pass(30 * time.Minute)
		want(t, "first day", b.told(t), "customer.created ann", "plan.created team", "movement.new ann 1000", "invoice.paid anni1", "customer.updated before")

		pass(24 * time.Hour)
		w.push(t, "invoices", invoice("i3", "ann", "2000-01-02", 1500))
		w.push(t, "invoices", `[{"id":"i4","customer_id":"before","type":"subscription","invoice_date":"2000-01-02","amount":900,"currency":"usd","plan_id":"pro","status":"failed"}]`)
		pass(30 * time.Minute)
		want(t, "second day", b.told(t)[5:], "movement.expansion ann 500", "invoice.paid anni3", "failed_payment beforei4")
		w.push(t, "invoices", `[{"id":"i4","customer_id":"before","type":"subscription","invoice_date":"2000-01-02","amount":900,"currency":"usd","plan_id":"pro"}]`)
		pass(30 * time.Minute)
		want(t, "paid after all", b.told(t)[8:], "invoice.paid beforei4")

		if err := w.engine.Announce(t.Context(), account, analytics.ImportCompleted, analytics.ImportData{DataSource: w.source}, "run 1"); err != nil {
			t.Fatal(err)
		}
		pass(30 * time.Minute)
		want(t, "import", b.told(t)[9:], "data_source.import_completed ")
	})
}

// TestDeliver_RecomputationTellsNothing corrects what was told and undoes it.
func TestDeliver_RecomputationTellsNothing(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		b, _ := w.subscribe(t, "good.example", analytics.MovementNew, analytics.MovementExpansion)
		w.push(t, "customers", `[{"id":"ann","name":"ann"}]`)
		for _, amount := range []int{1000, 1200, 1000, 1200} {
			w.push(t, "invoices", invoice("i1", "ann", "2000-01-01", amount))
		}
		days := 30
		zone := "Pacific/Kiritimati"
		for range 2 {
			if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &days}); err != nil {
				t.Fatal(err)
			}
			days = 7
		}
		if _, err := w.engine.UpdateSettings(t.Context(), account, analytics.SettingsPatch{Timezone: &zone}); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		want(t, "told", b.told(t), "movement.new ann 1000", "movement.new ann 1200")
	})
}

// TestDeliver_DaysTell lets subscriptions end by the passing of days: nothing is
// written, and one end falls while no process runs.
func TestDeliver_DaysTell(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.push(t, "customers", `[{"id":"ann","name":"ann"},{"id":"bob","name":"bob"}]`)
		w.push(t, "invoices", invoice("i1", "ann", "1999-11-26", 1000)) // paid through 26 December, 7 days of grace
		w.push(t, "invoices", invoice("i2", "bob", "1999-12-03", 2000)) // 3 January
		b, _ := w.subscribe(t, "good.example", analytics.MovementChurn)
		pass(3 * 24 * time.Hour)
		want(t, "after 3 days", b.told(t), "movement.churn ann -1000")
		w.stop()
		pass(8 * 24 * time.Hour) // bob's grace ends on the 10th: two days before
		w.engine.Close()
		w.engine = analytics.New(analytics.Config{Store: w.store.Analytics(), Outbox: w.store.Analytics(), Rows: ingest.Documents{}, Now: time.Now})
		w.serve()
		w.run(t)
		pass(2 * time.Hour)
		want(t, "after a restart", b.told(t), "movement.churn ann -1000", "movement.churn bob -2000")
	})
}

func TestDeliver_ImportsAreSilent(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		b, _ := w.subscribe(t, "good.example", notify.Events()...)
		pass(24 * time.Hour)
		silent := analytics.Silently(t.Context())
		w.pushWith(silent, t, "customers", `[{"id":"ann","name":"ann"},{"id":"bob","name":"bob"}]`)
		w.pushWith(silent, t, "invoices", invoice("i1", "ann", "2000-01-02", 1000))
		w.pushWith(silent, t, "invoices", invoice("i2", "bob", "1999-11-27", 2000)) // ends on 3 January
		pass(2 * 24 * time.Hour)
		want(t, "told", b.told(t), "movement.churn bob -2000")
	})
}

// TestDeliver_RetriesForThreeDays has a receiver that comes back after two days,
// and one that never does.
func TestDeliver_RetriesForThreeDays(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		start := time.Now()
		late, _ := w.subscribe(t, "late.example", analytics.CustomerCreated)
		late.answer = func(n int, w http.ResponseWriter, r *http.Request) {
			switch {
			case n == 1:
				hang(w, r)
			case time.Since(start) < 48*time.Hour:
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
		dead, hooks := w.subscribe(t, "dead.example", analytics.CustomerCreated)
		dead.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
		inside, err := w.hooks.Create(t.Context(), account, "https://inside.example/", []string{analytics.CustomerCreated}, "")
		if err != nil {
			t.Fatal(err)
		}
		w.push(t, "customers", `[{"id":"ann","name":"ann"}]`)
		pass(4 * 24 * time.Hour)
		want(t, "late", late.told(t), "customer.created ann")
		if late.calls < 6 || len(dead.docs) > 0 || dead.calls != 10 {
			t.Errorf("%d calls of the late receiver, %d of the dead one", late.calls, dead.calls)
		}
		for _, h := range []notify.Hook{hooks[0], inside[0]} {
			list, err := w.hooks.Deliveries(t.Context(), account, h.ID, jobs.Filter{State: jobs.Failed, Limit: 10})
			if err != nil || len(list) != 1 {
				t.Fatalf("dead letters: %v, %v", list, err)
			}
			if gave := list[0].Ended.Sub(start); gave < 72*time.Hour || gave > 96*time.Hour {
				t.Errorf("given up after %s", gave)
			}
			if strings.Contains(list[0].Error, "10.0.0.1") || strings.Contains(list[0].Error, "/hook") {
				t.Errorf("the error tells too much: %s", list[0].Error)
			}
		}
		dead.answer = nil
		list, _ := w.hooks.Deliveries(t.Context(), account, hooks[0].ID, jobs.Filter{Limit: 10})
		if _, err := w.hooks.Resend(t.Context(), account, hooks[0].ID, list[0].ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		want(t, "resent", dead.told(t), "customer.created ann")
	})
}

func TestDeliver_Gone(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		b, hooks := w.subscribe(t, "gone.example", analytics.CustomerCreated)
		b.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
		w.push(t, "customers", `[{"id":"ann","name":"ann"}]`)
		pass(time.Hour)
		w.push(t, "customers", `[{"id":"bob","name":"bob"}]`)
		pass(time.Hour)
		h, pending, err := w.hooks.Get(t.Context(), account, hooks[0].ID)
		if err != nil || h.Paused == "" || pending != 0 || b.calls != 1 {
			t.Errorf("hook %+v, %d pending, %d calls, %v", h, pending, b.calls, err)
		}
		b.answer = nil
		if _, err := w.hooks.Resume(t.Context(), account, h.ID); err != nil {
			t.Fatal(err)
		}
		w.push(t, "customers", `[{"id":"cy","name":"cy"}]`)
		pass(time.Hour)
		want(t, "after resuming", b.told(t), "customer.created cy")
	})
}

// TestDeliver_SlowReceiverDoesNotHoldOthers has a queue for a receiver that
// hangs, and one event for another.
func TestDeliver_SlowReceiverDoesNotHoldOthers(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		slow, _ := w.subscribe(t, "slow.example", analytics.CustomerCreated)
		slow.answer = func(_ int, w http.ResponseWriter, r *http.Request) { hang(w, r) }
		var rows []string
		for i := range 500 {
			rows = append(rows, fmt.Sprintf(`{"id":"c%d","name":"c"}`, i))
		}
		w.push(t, "customers", "["+strings.Join(rows, ",")+"]")
		pass(30 * time.Minute)
		good, _ := w.subscribe(t, "good.example", analytics.PlanCreated)
		w.push(t, "plans", `[{"id":"team","name":"Team","interval":"month","interval_count":1,"currency":"usd"}]`)
		pass(30 * time.Minute)
		want(t, "told", good.told(t), "plan.created team")
	})
}

// TestDeliver_Integrations posts to Slack, Teams and the account's own webhook.
func TestDeliver_Integrations(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		got := map[string][]string{}
		take := func(name string) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				got[name] = append(got[name], string(body))
			}
		}
		on := true
		for name, host := range map[string]string{"slack": "hooks.slack.com", "teams": "acme.webhook.office.com", "webhook": "all.example"} {
			w.host(host, take(name))
			target := "http://" + host + "/x"
			threshold := int64(500)
			if _, err := w.hooks.SetIntegration(t.Context(), account, name, notify.IntegrationChange{Enabled: &on, URL: &target, Threshold: &threshold}); err != nil {
				t.Fatal(err)
			}
		}
		w.push(t, "customers", `[{"id":"ann","name":"<!channel> & *Ann*"},{"id":"bob","name":"Bob"}]`)
		w.push(t, "invoices", invoice("i1", "ann", "2000-01-01", 1050))
		w.push(t, "invoices", invoice("i2", "bob", "2000-01-01", 499)) // below the threshold
		pass(24 * time.Hour)
		w.push(t, "invoices", `[{"id":"c1","customer_id":"ann","type":"cancellation","invoice_date":"2000-01-02"}]`)
		pass(time.Hour)
		want(t, "slack", got["slack"],
			`{"mrkdwn":false,"text":"New: \u0026lt;!channel\u0026gt; \u0026amp; *Ann*, MRR +10.50 USD (0.00 USD → 10.50 USD)","unfurl_links":false}`,
			`{"mrkdwn":false,"text":"Scheduled cancellation: \u0026lt;!channel\u0026gt; \u0026amp; *Ann* leaves on 2000-02-01, MRR -10.50 USD","unfurl_links":false}`)
		if len(got["teams"]) != 2 || len(got["webhook"]) != 2 {
			t.Fatalf("teams got %v, the webhook %v", got["teams"], got["webhook"])
		}
		var doc struct {
			Event, ID string
			Customer  analytics.CustomerData
			Movements []analytics.MovementData
		}
		if err := json.Unmarshal([]byte(got["webhook"][0]), &doc); err != nil || doc.Event != "mrr_movement" || doc.Customer.ID != "ann" || len(doc.Movements) != 1 || doc.Movements[0].MRRChange != 1050 {
			t.Errorf("the webhook got %s: %v", got["webhook"][0], err)
		}
		off := false
		if _, err := w.hooks.SetIntegration(t.Context(), account, "slack", notify.IntegrationChange{Enabled: &off}); err != nil {
			t.Fatal(err)
		}
		w.push(t, "invoices", invoice("i3", "bob", "2000-01-01", 2000))
		pass(time.Hour)
		if len(got["slack"]) != 2 || len(got["webhook"]) != 3 {
			t.Errorf("after switching Slack off: %v, %v", got["slack"], got["webhook"])
		}
	})
}
