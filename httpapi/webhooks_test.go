package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
)

// receiver is an HTTP server that remembers what it was sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []taken
	answer int
}

type taken struct {
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{answer: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Errorf("read the delivery: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, taken{q.Header, body})
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// newWebhook subscribes a receiver of its own and returns the webhook's id.
func (a *api) newWebhook(t testing.TB, event string) string {
	t.Helper()
	return a.ok(t, a.admin, "POST", "/integrations/webhooks", fmt.Sprintf(`{"url":%q,"event_type":%q}`, newReceiver(t).URL, event)).text("id")
}

// deliver adds a delivery that succeeded.
func (a *api) deliver(t testing.TB, hook, id string) {
	t.Helper()
	queue, now := a.store.Jobs(), time.Unix(a.clock.Load(), 0).UTC()
	j := jobs.Job{ID: id, Account: a.account.ID, Kind: notify.JobKind, Lane: notify.Lane(hook), Payload: json.RawMessage(`{"event":"movement.churn"}`), RunAt: now, Created: now}
	if err := queue.Enqueue(t.Context(), j, false); err != nil {
		t.Fatal(err)
	}
	leased, _, err := queue.Claim(t.Context(), notify.JobKind, nil, now, now)
	if err != nil || leased == nil {
		t.Fatalf("Claim: %v, %v", leased, err)
	}
	if err := queue.Finish(t.Context(), leased.ID, leased.Lease, jobs.Outcome{State: jobs.Done, EndedAt: now}); err != nil {
		t.Fatal(err)
	}
}

func TestWebhooks_Life(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	to := newReceiver(t)
	made := a.ok(t, a.admin, "POST", "/integrations/webhooks", fmt.Sprintf(`{"url":%q,"events":["movement.churn","customer.created","movement.churn"]}`, to.URL+"/a-long-secret-path"))
	id, secret := made.text("id"), made.text("secret")
	if made.status != 201 || !strings.HasPrefix(secret, "whsec_") || made.text("event_type") != "movement.churn" || made.text("webhooks", 1, "event_type") != "customer.created" {
		t.Fatalf("created %d %s", made.status, made.raw)
	}
	again := a.do(t, a.admin, "POST", "/integrations/webhooks", fmt.Sprintf(`{"url":%q,"event_type":"movement.churn"}`, to.URL+"/a-long-secret-path"))
	if again.status != 409 || again.text("existing_id") != id || again.text("code") != "webhook_exists" {
		t.Errorf("the same again: %d %s", again.status, again.raw)
	}
	for _, read := range []string{"/integrations/webhooks", "/integrations/webhooks/" + id} {
		if got := a.ok(t, a.admin, "GET", read, ""); strings.Contains(string(got.raw), secret) || !strings.Contains(string(got.raw), "a-long-secret-path") {
			t.Errorf("GET %s: %s", read, got.raw)
		}
		if got := a.ok(t, a.readonly, "GET", read, ""); strings.Contains(string(got.raw), "a-long-secret") || !strings.Contains(string(got.raw), to.URL) {
			t.Errorf("GET %s with a readonly key: %s", read, got.raw)
		}
	}

	if got := a.ok(t, a.admin, "POST", "/integrations/webhooks/"+id+"/test", ""); got.at("success") != true {
		t.Errorf("test: %s", got.raw)
	}
	to.answer = http.StatusTeapot
	if got := a.ok(t, a.admin, "POST", "/integrations/webhooks/"+id+"/test", ""); got.at("success") == true || !strings.Contains(got.text("message"), "418") {
		t.Errorf("test with a receiver that refuses: %s", got.raw)
	}
	rotated := a.ok(t, a.admin, "POST", "/integrations/webhooks/"+id+"/rotate-secret", "").text("secret")
	a.ok(t, a.admin, "POST", "/integrations/webhooks/"+id+"/test", "")
	sent := to.all()
	if len(sent) != 3 || rotated == secret {
		t.Fatalf("%d deliveries, rotated = %v", len(sent), rotated != secret)
	}
	now := time.Unix(a.clock.Load(), 0)
	verify := func(r taken, key string) error {
		return notify.Verify(notify.Secret(key), r.header.Get("webhook-id"), r.header.Get("webhook-timestamp"), r.header.Get("webhook-signature"), r.body, now)
	}
	for i, keys := range [][]string{{secret}, {secret}, {secret, rotated}} {
		for _, key := range keys {
			if err := verify(sent[i], key); err != nil {
				t.Errorf("delivery %d: %v", i, err)
			}
		}
	}
	if verify(sent[0], rotated) == nil {
		t.Errorf("the first delivery was signed with a key that was made later")
	}

	if got := a.ok(t, a.admin, "DELETE", "/integrations/webhooks/"+id, ""); got.at("success") != true {
		t.Errorf("delete: %s", got.raw)
	}
	if got := a.do(t, a.admin, "GET", "/integrations/webhooks/"+id, ""); got.status != 404 {
		t.Errorf("a deleted webhook: %d %s", got.status, got.raw)
	}
}

func TestWebhooks_RefusesWhatCannotBeCalled(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for body, field := range map[string]string{
		`{}`:                            "url",
		`{"url":"https://example.com"}`: "event_type",
		`{"url":"https://example.com","event_type":"movement.none"}`:                            "event_type",
		`{"url":"https://example.com","events":["movement.new",""]}`:                            "event_type",
		`{"url":"https://10.0.0.1/","event_type":"movement.new"}`:                               "url",
		`{"url":"https://169.254.169.254/latest","event_type":"movement.new"}`:                  "url",
		`{"url":"https://u:p@example.com/","event_type":"movement.new"}`:                        "url",
		`{"url":"ftp://example.com/","event_type":"movement.new"}`:                              "url",
		`{"url":"https://e.com/` + strings.Repeat("x", 3000) + `","event_type":"movement.new"}`: "url",
		`{"url":"https://example.com","event_type":"movement.new","secret":"mine"}`:             "secret",
	} {
		got := a.do(t, a.admin, "POST", "/integrations/webhooks", body)
		if got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("%.80s: %d %s, want a fault of %s", body, got.status, got.raw, field)
		}
	}
	if got := a.ok(t, a.admin, "GET", "/integrations/webhooks", ""); !strings.Contains(string(got.raw), `"webhooks":[]`) {
		t.Errorf("a refused webhook is there: %s", got.raw)
	}
	for range 100 {
		a.newWebhook(t, "movement.new")
	}
	if got := a.do(t, a.admin, "POST", "/integrations/webhooks", `{"url":"https://example.com/","event_type":"movement.new"}`); got.status != 409 || got.text("code") != "too_many_webhooks" {
		t.Errorf("webhook 101: %d %s", got.status, got.raw)
	}
}

func TestWebhooks_Deliveries(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook, other := a.newWebhook(t, "movement.new"), a.newWebhook(t, "movement.churn")
	for i := range 5 {
		a.deliver(t, hook, fmt.Sprintf("evt_%d.%s", i, hook))
	}
	var seen []string
	next := ""
	for range 3 {
		page := a.ok(t, a.admin, "GET", "/integrations/webhooks/"+hook+"/deliveries?limit=2&status=delivered&after="+next, "")
		for i := range page.list("deliveries") {
			seen = append(seen, page.text("deliveries", i, "event_id"))
		}
		next, _ = page.at("next").(string)
	}
	if got := strings.Join(seen, " "); got != "evt_4 evt_3 evt_2 evt_1 evt_0" || next != "" {
		t.Errorf("pages list %s, next %q", got, next)
	}
	resend := "/deliveries/evt_1." + hook + "/resend"
	if got := a.ok(t, a.admin, "POST", "/integrations/webhooks/"+hook+resend, ""); got.text("status") != "pending" {
		t.Errorf("resend: %s", got.raw)
	}
	if got := a.do(t, a.admin, "POST", "/integrations/webhooks/"+hook+resend, ""); got.status != 409 {
		t.Errorf("resend of what is pending: %d %s", got.status, got.raw)
	}
	if got := a.do(t, a.admin, "POST", "/integrations/webhooks/"+other+resend, ""); got.status != 404 {
		t.Errorf("resend by another webhook: %d %s", got.status, got.raw)
	}
	if got := a.ok(t, a.admin, "GET", "/integrations/webhooks/"+hook, ""); got.number("pending") != 1 {
		t.Errorf("pending: %s", got.raw)
	}
	for _, bad := range []string{"?limit=0", "?limit=101", "?status=gone"} {
		if got := a.do(t, a.admin, "GET", "/integrations/webhooks/"+hook+"/deliveries"+bad, ""); got.status != 400 {
			t.Errorf("%s: %d %s", bad, got.status, got.raw)
		}
	}
}

func TestWebhooks_EveryEventHasASample(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, event := range notify.Events() {
		got := a.ok(t, a.readonly, "GET", "/integrations/sample/"+event, "")
		if got.text("event") != event || got.text("account_id") != a.account.ID {
			t.Errorf("%s: %s", event, got.raw)
		}
	}
	if got := a.do(t, a.admin, "GET", "/integrations/sample/movement.none", ""); got.status != 404 || !strings.Contains(got.text("error"), "movement.churn") {
		t.Errorf("unknown event: %d %s", got.status, got.raw)
	}
}

// TestWebhooks_AFullImportTellsItsEndAlone fetches rows of today, as a schedule
// or a push would tell them one by one.
func TestWebhooks_AFullImportTellsItsEndAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	e := newEndpoint(t)
	e.answer(pages{
		"/customers": pulledCustomers, "/plans": pulledPlans,
		"/invoices": `[` + strings.ReplaceAll(pulledInvoice("i1", "c1", 9900), "2026-06-01", "2026-06-15") + `]`,
	})
	hooks := a.ok(t, a.admin, "POST", "/integrations/webhooks",
		fmt.Sprintf(`{"url":%q,"events":["movement.new","customer.created","invoice.paid","plan.created","data_source.import_completed"]}`, e.URL))
	source := a.newConnected(t, e.URL)
	if got := a.imported(t, source); got.text("phase") != "done" {
		t.Fatalf("import: %s", got.raw)
	}
	var told []string
	for i := range hooks.list("webhooks") {
		page := a.ok(t, a.admin, "GET", "/integrations/webhooks/"+hooks.text("webhooks", i, "id")+"/deliveries", "")
		for j := range page.list("deliveries") {
			told = append(told, page.text("deliveries", j, "event_type"))
		}
	}
	if got := strings.Join(told, " "); got != "data_source.import_completed" {
		t.Errorf("told %q", got)
	}
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/invoices", strings.ReplaceAll(pulledInvoice("i2", "c2", 500), "2026-06-01", "2026-06-15"))
	page := a.ok(t, a.admin, "GET", "/integrations/webhooks/"+hooks.text("id")+"/deliveries", "")
	if page.text("deliveries", 0, "event_type") != "movement.new" {
		t.Errorf("a push after the import tells %s", page.raw)
	}
}

func TestWebhooks_RowsOfFilesAreNoNews(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook := a.newWebhook(t, "customer.created")
	told := func() int {
		return len(a.ok(t, a.admin, "GET", "/integrations/webhooks/"+hook+"/deliveries", "").list("deliveries"))
	}
	file := a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Files","type":"csv"}`).text("id")
	a.ok(t, a.admin, "POST", "/data-sources/"+file+"/customers", `{"id":"c1","name":"One"}`)
	a.ok(t, a.admin, "POST", "/data/customers?source="+file, `{"id":"c2","name":"Two"}`)
	a.ok(t, a.admin, "POST", "/data/customers", `{"id":"c3","name":"Three","data_source":"`+file+`"}`)
	if n := told(); n != 0 {
		t.Errorf("%d events of rows of files", n)
	}
	ended := a.newWebhook(t, "data_source.import_completed")
	a.ok(t, a.admin, "POST", "/data/data-sources/"+file+"/imported", `{"stored":3,"failed":1}`)
	if got := a.ok(t, a.admin, "GET", "/integrations/webhooks/"+ended+"/deliveries", ""); got.text("deliveries", 0, "event_type") != "data_source.import_completed" {
		t.Errorf("the end of the import is told as %s", got.raw)
	}
	live := a.newSource(t, "Live")
	for body, at := range map[string]string{`{"stored":1,"failed":0}`: live, `{"stored":-1,"failed":0}`: file, `{"stored":1,"failed":0,"lost":1}`: file} {
		if got := a.do(t, a.admin, "POST", "/data/data-sources/"+at+"/imported", body); got.status != 400 {
			t.Errorf("%s: %d %s", body, got.status, got.raw)
		}
	}
	a.ok(t, a.admin, "POST", "/data-sources/"+live+"/customers", `{"id":"c1","name":"One"}`)
	if n := told(); n != 1 {
		t.Errorf("%d events of a row that is news, want 1", n)
	}
}
