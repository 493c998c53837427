package httpapi_test

import (
	"strings"
	"testing"
)

func TestIntegrations_Settings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const url = "https://hooks.slack.com/services/T0/B0/s3cr3t-token"
	fresh := a.ok(t, a.readonly, "GET", "/settings/slack", "")
	if fresh.at("enabled") != false || fresh.at("connected") != false || fresh.at("url") != nil || len(fresh.list("events")) != 7 {
		t.Errorf("fresh: %s", fresh.raw)
	}
	set := a.ok(t, a.admin, "POST", "/settings/slack", `{"enabled":true,"url":"`+url+`","threshold":500,"events":["new","churn","new"]}`)
	if set.at("enabled") != true || set.at("connected") != true || set.number("threshold") != 500 || len(set.list("events")) != 2 || set.at("secret") != nil {
		t.Errorf("set: %s", set.raw)
	}
	for _, got := range []reply{set, a.ok(t, a.admin, "GET", "/settings/slack", "")} {
		if strings.Contains(string(got.raw), "s3cr3t") || !strings.HasPrefix(got.text("url"), "https://hooks.slack.com/…") {
			t.Errorf("the URL is shown: %s", got.raw)
		}
	}
	if got := a.ok(t, a.admin, "PUT", "/settings/slack", `{"enabled":false}`); got.at("connected") != true || got.number("threshold") != 500 {
		t.Errorf("switched off: %s", got.raw)
	}
	hook := a.ok(t, a.admin, "POST", "/settings/webhook", `{"enabled":true,"url":"https://example.com/all"}`)
	if !strings.HasPrefix(hook.text("secret"), "whsec_") {
		t.Errorf("webhook: %s", hook.raw)
	}
	if again := a.ok(t, a.admin, "POST", "/settings/webhook", `{"url":"https://example.com/other"}`); again.at("secret") != nil {
		t.Errorf("the secret is shown again: %s", again.raw)
	}
	if list := a.ok(t, a.admin, "GET", "/integrations/webhooks", ""); len(list.list("webhooks")) != 0 {
		t.Errorf("an integration is listed as a webhook: %s", list.raw)
	}
}

func TestIntegrations_Refused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tt := range []struct {
		method, name, body string
		status             int
		field              string
	}{
		{"GET", "hubspot", "", 501, ""},
		{"POST", "looker-studio", `{"enabled":true}`, 501, ""},
		{"GET", "stripe", "", 501, ""},
		{"GET", "discord", "", 404, ""},
		{"POST", "discord", `{}`, 404, ""},
		{"POST", "slack", `{"enabled":true}`, 400, "url"},
		{"POST", "slack", `{"url":"https://example.com/hook"}`, 400, "url"},
		{"POST", "slack", `{"url":"https://hooks.slack.com.example.com/hook"}`, 400, "url"},
		{"POST", "teams", `{"url":"https://webhook.office.com.example.com/hook"}`, 400, "url"},
		{"POST", "webhook", `{"url":"https://10.0.0.1/hook"}`, 400, "url"},
		{"POST", "webhook", `{"threshold":-1}`, 400, "threshold"},
		{"POST", "webhook", `{"events":["all"]}`, 400, "events"},
		{"POST", "webhook", `{"evnts":["new"]}`, 400, "evnts"},
	} {
		before := string(a.do(t, a.admin, "GET", "/settings/"+tt.name, "").raw)
		got := a.do(t, a.admin, tt.method, "/settings/"+tt.name, tt.body)
		if got.status != tt.status || tt.field != "" && got.text("details", 0, "field") != tt.field {
			t.Errorf("%s %s %s: %d %s, want %d about %q", tt.method, tt.name, tt.body, got.status, got.raw, tt.status, tt.field)
		}
		if after := string(a.do(t, a.admin, "GET", "/settings/"+tt.name, "").raw); after != before {
			t.Errorf("%s %s changed the settings to %s", tt.name, tt.body, after)
		}
	}
}
