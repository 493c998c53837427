package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/notify"
)

// directory is whom the notifications of a test would go to.
type directory struct{ users *identity.Service }

func (d directory) Recipient(ctx context.Context, account, user string) (notify.Recipient, error) {
	member, err := d.users.Member(ctx, account, user)
	if err != nil {
		return notify.Recipient{}, err
	}
	company, err := d.users.Account(ctx, account)
	return notify.Recipient{Address: mail.Address{Address: member.Email}, Account: company.Name}, err
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	// Whoever may only read chooses their own mails.
	own := a.keyOf(t, a.account, a.newUser(t, a.account, "reader@example.com", identity.Readonly), identity.Readonly)
	fresh := a.ok(t, own, "GET", "/settings/notifications", "")
	if fresh.at("daily_report") != nil || fresh.at("expansion_alert_threshold") != nil {
		t.Errorf("fresh: %s", fresh.raw)
	}
	set := a.ok(t, own, "PUT", "/settings/notifications", `{"daily_report":false,"expansion_alert_threshold":-1}`)
	if set.at("daily_report") != false || set.at("weekly_report") != nil || set.at("expansion_alert_threshold") != nil {
		t.Errorf("set: %s", set.raw)
	}
	if got := a.ok(t, own, "PUT", "/settings/notifications", `{"daily_report":null}`); got.at("daily_report") != nil {
		t.Errorf("set to null: %s", got.raw)
	}
	for _, on := range []string{`{"email_reports":true}`, `{"daily_report":true}`, `{"contraction_alert_threshold":0}`} {
		if got := a.do(t, a.admin, "PUT", "/settings/notifications", on); got.status != 501 || got.text("code") != "not_available" {
			t.Errorf("%s without a mail server: %d %s", on, got.status, got.raw)
		}
	}
	if got := a.do(t, a.admin, "PUT", "/settings/notifications", `{"expansion_alert_threshold":-2}`); got.status != 400 {
		t.Errorf("a negative threshold: %d %s", got.status, got.raw)
	}
	if got := a.do(t, a.admin, "PUT", "/settings/notifications", `{"dayly_report":true}`); got.status != 400 || got.text("details", 0, "field") != "dayly_report" {
		t.Errorf("a misspelled field: %d %s", got.status, got.raw)
	}
}

func TestNotifications_Preview(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	source := a.newSource(t, "More")
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers", `{"id":"x","name":"<b>Evil & Co</b>"}`)
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/plans", `{"id":"p","name":"P","interval":"month","interval_count":1,"currency":"usd"}`)
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/invoices", `{"id":"i","customer_id":"x","type":"subscription","invoice_date":"2026-06-14","amount":2500,"plan_id":"p"}`)
	got := a.ok(t, a.readonly, "GET", "/settings/notifications/preview", "")
	// Alpha One pays 199.00 a month and Alpha Two 1,200.00 a year.
	if got.text("subject") != "Acme: MRR 324.00 USD, +25.00 USD (2026-06-14)" {
		t.Errorf("subject %q", got.text("subject"))
	}
	if text := got.text("text"); !strings.Contains(text, "- New: <b>Evil & Co</b>, +25.00 USD\n") || !strings.Contains(text, "https://api.example/mail/unsubscribe\n") {
		t.Errorf("text:\n%s", text)
	}
	if html := got.text("html"); strings.Contains(html, "<b>Evil") || !strings.Contains(html, "&lt;b&gt;Evil &amp; Co") {
		t.Errorf("HTML:\n%s", html)
	}
	for report, days := range map[string]string{"weekly": "2026-06-08 to 2026-06-14", "monthly": "2026-05-01 to 2026-05-31"} {
		if got := a.ok(t, a.admin, "GET", "/settings/notifications/preview?report="+report, ""); !strings.Contains(got.text("subject"), days) {
			t.Errorf("%s: %q, want %s", report, got.text("subject"), days)
		}
	}
	if got := a.do(t, a.admin, "GET", "/settings/notifications/preview?report=hourly", ""); got.status != 400 {
		t.Errorf("an unknown report: %d %s", got.status, got.raw)
	}
}

func TestMailLinks_AskBeforeTheyDo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/mail/confirm", "/mail/unsubscribe"} {
		for method, status := range map[string]int{"GET": http.StatusOK, "POST": http.StatusNotFound} {
			w := httptest.NewRecorder()
			a.server.ServeHTTP(w, httptest.NewRequest(method, path+"?token=%3Cscript%3E", nil))
			if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || strings.Contains(w.Body.String(), "script") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
}
