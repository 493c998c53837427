package httpapi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	inUse := a.do(t, a.admin, "DELETE", "/data/plans/Alpha-pro", "")
	if inUse.status != 409 || inUse.text("code") != "in_use" {
		t.Errorf("a plan in use: %d %s", inUse.status, inUse.raw)
	}
	for _, tt := range []struct{ target, want string }{
		{"/data/invoices/Alpha-i1", `{"success":true,"id":"Alpha-i1"}`},
		{"/v1/data/invoices/Alpha-i2/?source=" + c.source, `{"success":true,"id":"Alpha-i2"}`},
		{"/data/plans/Alpha-pro?data_source=" + c.source, `{"result":"ok","deleted":"Alpha-pro"}`},
		{"/data/customers/Alpha-2", `{"success":true,"id":"Alpha-2"}`},
	} {
		wantJSON(t, a.ok(t, a.admin, "DELETE", tt.target, ""), tt.want)
		if again := a.do(t, a.admin, "DELETE", tt.target, ""); again.status != 404 {
			t.Errorf("DELETE %s again: %d %s", tt.target, again.status, again.raw)
		}
	}
	if got := a.mrr(t, a.admin); got != 0 {
		t.Errorf("MRR %v after deleting every payer, want 0", got)
	}
}

func TestDelete_AnIDInTwoSourcesNeedsItsSource(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.newSource(t, "First"), a.newSource(t, "Second")
	for _, source := range []string{first, second} {
		a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers", `{"id":"twin","name":"Twin"}`)
	}
	got := a.do(t, a.admin, "DELETE", "/data/customers/twin", "")
	var named []string
	for i := range got.list("details") {
		named = append(named, got.text("details", i, "id"))
	}
	if diff := cmp.Diff([]string{first, second}, named); got.status != 400 || got.text("code") != "ambiguous_id" || diff != "" {
		t.Errorf("%d %s; sources (-want +got):\n%s", got.status, got.raw, diff)
	}
	a.ok(t, a.admin, "DELETE", "/data/customers/twin?data_source="+second, "")
	a.ok(t, a.admin, "DELETE", "/data/customers/twin", "")
	if got := a.do(t, a.admin, "DELETE", "/data/customers/twin?data_source=ds_none", ""); got.status != 404 {
		t.Errorf("an unknown source: %d %s", got.status, got.raw)
	}
}

func TestDataSources(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	wantJSON(t, a.ok(t, a.admin, "GET", "/data/data-sources", ""), `{"result":[]}`)
	created := a.ok(t, a.admin, "POST", "/data/data-sources", `{"name":"Custom Billing System","type":"api"}`)
	id, key := created.text("id"), created.text("access_token")
	if created.status != 201 || id == "" || created.text("status") != "connected" || created.text("type") != "api" {
		t.Fatalf("%d %s", created.status, created.raw)
	}
	a.ok(t, key, "POST", "/v1/data-sources/"+id+"/customers", `{"id":"c","name":"n"}`)
	csv := a.ok(t, a.admin, "POST", "/v1/data/data_sources", `{"name":"Files","type":"csv"}`)
	if csv.at("access_token") != nil {
		t.Errorf("a csv source has a key: %s", csv.raw)
	}
	listed := a.ok(t, a.readonly, "GET", "/data/data-sources", "")
	if len(listed.list("result")) != 2 || listed.text("result", 0, "id") != id || strings.Contains(string(listed.raw), "access_token") {
		t.Errorf("listed %s", listed.raw)
	}
	if filtered := a.ok(t, a.admin, "GET", "/data/data-sources?type=csv", ""); len(filtered.list("result")) != 1 {
		t.Errorf("type=csv listed %s", filtered.raw)
	}
}

func TestDataSources_BadInputChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	longName := `{"type":"api","name":"` + strings.Repeat("x", 300) + `"}`
	for body, want := range map[string]struct{ code, field string }{
		longName:                        {"invalid_parameter", "name"},
		`{"name":"S","type":"stripe"}`:  {"unsupported_type", "type"},
		`{"name":"S","type":"carrier"}`: {"invalid_parameter", "type"},
		`{"name":"S"}`:                  {"invalid_parameter", "type"},
		`{"type":"api"}`:                {"invalid_parameter", "name"},
		`{"type":"csv","name":"  "}`:    {"invalid_parameter", "name"},
	} {
		got := a.do(t, a.admin, "POST", "/data/data-sources", body)
		if got.status != 400 || got.text("code") != want.code || got.text("details", 0, "field") != want.field {
			t.Errorf("%.60s: %d %s, want %v", body, got.status, got.raw, want)
		}
	}
	if got := a.ok(t, a.admin, "GET", "/account/api-keys", ""); got.number("result", "count") != 2 {
		t.Errorf("refused sources left keys behind: %s", got.raw)
	}
	wantJSON(t, a.ok(t, a.admin, "GET", "/data/data-sources", ""), `{"result":[]}`)
}

func TestAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	source := a.newSource(t, "Billing")
	want := `{"id":"` + a.account.ID + `","name":"Acme","base_currency":"usd","timezone":"UTC","first_day_of_week":1,"deleted_at":null,
		"created_at":"2026-06-15T12:00:00Z","role":"readonly","data_sources":[{"id":"` + source + `","name":"Billing","type":"api"}]}`
	for _, at := range []string{"/account", "/v2/account", "/account/"} {
		wantJSON(t, a.ok(t, a.readonly, "GET", at, ""), want)
	}
	email := a.ok(t, a.readonly, "GET", "/profile", "").text("email")
	wantJSON(t, a.ok(t, a.readonly, "GET", "/account/profile", ""), `{"id":"`+a.account.ID+`","name":"Acme","email":"`+email+`",
		"base_currency":"usd","timezone":"UTC","created_at":"2026-06-15T12:00:00Z"}`)
}

const defaultSettings = `{"base_currency":"usd","timezone":"UTC","first_day_of_week":1,"locale":"en","churn_recognition":"end_of_period",
	"churn_grace_days":7,"non_renewal_churn":true,"auto_churn_days":null,"refund_mrr":"reduce","subtract_one_time_discounts":true,"trial_days":14}`

func TestSettings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	wantJSON(t, a.ok(t, a.readonly, "GET", "/settings", ""), defaultSettings)
	wantJSON(t, a.ok(t, a.admin, "POST", "/settings", ``), defaultSettings)
	changed := strings.NewReplacer(`"usd"`, `"eur"`, `"UTC"`, `"Europe/Copenhagen"`, `"auto_churn_days":null`, `"auto_churn_days":30`).Replace(defaultSettings)
	wantJSON(t, a.ok(t, a.admin, "POST", "/settings", `{"base_currency":"EUR","timezone":"Europe/Copenhagen","auto_churn_days":30}`), changed)
	wantJSON(t, a.ok(t, a.readonly, "GET", "/settings", ""), changed)
	wantJSON(t, a.ok(t, a.admin, "PUT", "/settings", changed), changed)
	off := strings.Replace(changed, `"auto_churn_days":30`, `"auto_churn_days":null`, 1)
	for _, body := range []string{`{"auto_churn_days":null}`, `{"auto_churn_enabled":false}`} {
		a.ok(t, a.admin, "POST", "/settings", `{"auto_churn_days":30}`)
		wantJSON(t, a.ok(t, a.admin, "POST", "/settings", body), off)
	}
}

func TestSettings_AChangeRecomputesBeforeItAnswers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Alpha")
	a.ok(t, a.admin, "POST", "/data-sources/"+c.source+"/invoices",
		`{"id":"refund","customer_id":"Alpha-1","type":"refund","invoice_date":"2026-06-01","amount":-9950,"currency":"usd"}`)
	if got, want := a.mrr(t, a.admin), 9950.0+10000; got != want {
		t.Fatalf("MRR with a refund of half %v, want %v", got, want)
	}
	a.ok(t, a.admin, "POST", "/settings", `{"refund_mrr":"ignore"}`)
	if got, want := a.mrr(t, a.admin), 19900.0+10000; got != want {
		t.Errorf("MRR that ignores refunds %v, want %v", got, want)
	}
}

func TestSettings_BadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for body, field := range map[string]string{
		`{"base_currency":"dollars"}`:             "base_currency",
		`{"timezone":"Local"}`:                    "timezone",
		`{"timezone":"Mars/Olympus"}`:             "timezone",
		`{"churn_grace_days":91}`:                 "churn_grace_days",
		`{"churn_grace_days":-1}`:                 "churn_grace_days",
		`{"churn_grace_days":7.5}`:                "churn_grace_days",
		`{"churn_grace_days":"7"}`:                "churn_grace_days",
		`{"churn_grace_days":1e99}`:               "churn_grace_days",
		`{"churn_recognition":"sometime"}`:        "churn_recognition",
		`{"refund_mrr":true}`:                     "refund_mrr",
		`{"non_renewal_churn":"yes"}`:             "non_renewal_churn",
		`{"auto_churn_days":0}`:                   "auto_churn_days",
		`{"auto_churn_days":-1}`:                  "auto_churn_days",
		`{"auto_churn_days":9223372036854775807}`: "auto_churn_days",
		`{"auto_churn_enabled":true}`:             "auto_churn_days",
		`{"churn_grace_day":5}`:                   "churn_grace_day",
		`{"base_currency":"eur","trial_days":-1}`: "trial_days",
		`{"first_day_of_week":6}`:                 "first_day_of_week",
	} {
		got := a.do(t, a.admin, "POST", "/settings", body)
		if got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("%s: %d %s, want 400 about %s", body, got.status, got.raw, field)
		}
	}
	wantJSON(t, a.ok(t, a.readonly, "GET", "/settings", ""), defaultSettings)
}

func TestReports_SayWhichRateIsMissing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	got := a.do(t, a.admin, "GET", "/reports/mrr?baseCurrency=DKK", "")
	if got.status != 409 || got.text("code") != "fx_rate_missing" {
		t.Fatalf("%d %s", got.status, got.raw)
	}
	for _, part := range []string{"dkk", "2026-0", "growpanel admin fx import FILE"} {
		if !strings.Contains(got.text("error"), part) {
			t.Errorf("%q does not name %s", got.text("error"), part)
		}
	}
	day, err := calendar.ParseDay("2026-04-20")
	if err != nil {
		t.Fatal(err)
	}
	var rates []fx.Rate
	for d := day; d.String() <= "2026-06-15"; d++ {
		rates = append(rates, fx.Rate{Day: d, Base: "usd", Quote: "dkk", Value: "7"})
	}
	if err := a.rates.ImportRates(t.Context(), rates); err != nil {
		t.Fatal(err)
	}
	if got := a.ok(t, a.admin, "GET", "/reports/summary?baseCurrency=dkk&date=2026-06-15", ""); got.number("summary", "mrr_current") != 7*29900 {
		t.Errorf("after the import: %s", got.raw)
	}
}
