package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// run executes a command line against a handler and returns what it printed.
func run(t *testing.T, handler http.HandlerFunc, tty bool, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var out, errs bytes.Buffer
	root := &cobra.Command{Use: "growpanel", SilenceUsage: true, SilenceErrors: true}
	root.SetErr(&errs)
	Attach(root, "", Env{
		In: strings.NewReader(stdin), Out: &out, Err: &errs, InTTY: stdin == "", OutTTY: tty,
		Connect: func(key apiclient.Secret, _ string) (*apiclient.Client, error) {
			return apiclient.New(apiclient.Options{BaseURL: server.URL, Key: key})
		},
	})
	root.SetArgs(append(args, "--api-key", "k"))
	err = root.ExecuteContext(context.Background()) //nolint:usetesting // the server outlives the test's context otherwise
	return out.String(), errs.String(), err
}

// answer replies with a JSON body.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, body)
	}
}

func TestCommands_Requests(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "row.json")
	if err := os.WriteFile(file, []byte(`{"id":"from-file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args  string
		stdin string
		want  string
	}{
		{"reports mrr --date last-12-months --breakdown plan", "", "GET /reports/mrr?breakdown=plan&date=last-12-months"},
		{"reports mrr --param custom_size=a=b", "", "GET /reports/mrr?custom_size=a%3Db"},
		{"reports custom-variables --key industry --search soft", "", "GET /reports/custom-variables?key=industry&search=soft"},
		{"reports latest-activity --days 7", "", "GET /reports/latest-activity?days=7"},
		{"reports anything-new", "", "GET /reports/anything-new"},
		{"customers list --limit 5 --offset 10 --search acme", "", "GET /customers?limit=5&offset=10&search=acme"},
		{"customers list --date this-year", "", "GET /customers?date=this-year&limit=50&offset=0"},
		{"customers get a/b", "", "GET /customers/a%2Fb"},
		{"customers get u+x@e.com", "", "GET /customers/u+x@e.com"},
		{"customers resync a/b", "", "POST /customers/a%2Fb/resync"},
		{"plans list --no-color", "", "GET /plans"},
		{`account update --body {"name":"n"}`, "", `POST /account {"name":"n"}`},
		{"account delete --yes", "", "DELETE /account"},
		{"account undo-deletion", "", "POST /account/undo-deletion"},
		{"account billing details", "", "GET /account/billing"},
		{"account billing invoices", "", "GET /account/billing/invoices"},
		{"account billing portal", "", "GET /account/billing/portal"},
		{"account billing check-vat DE136695976", "", "GET /account/billing/check-vat?vat_number=DE136695976"},
		{`account billing check-vat --body {"vat_number":"DK1"}`, "", "GET /account/billing/check-vat?vat_number=DK1"},
		{`account billing subscribe --body {"plan":"p"}`, "", `POST /account/billing/subscribe {"plan":"p"}`},
		{`account billing address --body {"city":"c"}`, "", `POST /account/billing/address {"city":"c"}`},
		{"account billing setup", "", "POST /account/billing/setup"},
		{`account billing preview-change --body {"plan":"p"}`, "", `POST /account/billing/preview-change {"plan":"p"}`},
		{`account billing change-plan --body {"plan":"p"}`, "", `POST /account/billing/change-plan {"plan":"p"}`},
		{"account billing undo-cancellation", "", "POST /account/billing/undo-cancellation"},
		{"account billing delete-card card_1", "", "DELETE /account/billing/cards/card_1"},
		{"account team list", "", "GET /account/team"},
		{`account team invite --body {"email":"a@b.c"}`, "", `POST /account/team/invite {"email":"a@b.c"}`},
		{`account team edit u1 --body {"role":"admin"}`, "", `PUT /account/team/u1 {"role":"admin"}`},
		{"account team remove u1", "", "DELETE /account/team/u1"},
		{"account team revoke-invite u+x@e.com", "", "DELETE /account/team/invites/u+x@e.com"},
		{"account team resend-invite u+x@e.com", "", "POST /account/team/resend/u+x@e.com"},
		{`data invoices create --body {"id":"i"}`, "", `POST /data/invoices {"id":"i"}`},
		{"data customers create --data-source s1", `[{"id":"c"}]`, `POST /data/customers?data_source=s1 [{"id":"c"}]`},
		{"data customers create --body @" + file, "", `POST /data/customers {"id":"from-file"}`},
		{"data plans delete p1", "", "DELETE /data/plans/p1"},
		{"data customers list", "", "GET /data/customers?limit=100&offset=0"},
		{"data invoices list --customer c --status open --date ytd --data-source s --limit 5 --param plan=p", "", "GET /data/invoices?customer=c&data_source=s&date=ytd&limit=5&offset=0&plan=p&status=open"},
		{"data invoices get a/b --data-source s", "", "GET /data/invoices/a%2Fb?data_source=s"},
		{`data plans update p --body {"name":"n"}`, "", `PUT /data/plans/p {"name":"n"}`},
		{"data data-sources get d", "", "GET /data/data-sources/d"},
		{`data data-sources update d --body {"name":"n"}`, "", `PUT /data/data-sources/d {"name":"n"}`},
		{"data data-sources delete d", "", "DELETE /data/data-sources/d"},
		{"data data-sources reset d", "", "POST /data/data-sources/d/reset"},
		{`data data-sources connect d --body {"endpoint_url":"https://x"}`, "", `POST /data/data-sources/d/connect {"endpoint_url":"https://x"}`},
		{"data data-sources connect d", "", "POST /data/data-sources/d/connect"},
		{"data data-sources full-import d", "", "POST /data/data-sources/d/full-import"},
		{"data data-sources progress d", "", "GET /data/data-sources/d/progress"},
		{"data data-sources abort d", "", "POST /data/data-sources/d/abort"},
		{"data data-sources list", "", "GET /data/data-sources"},
		{"exports customers --date 20240101-20241231", "", "GET /exports/customers.csv?date=20240101-20241231"},
		{"exports mrr-movements --param country=de --base-currency eur", "", "GET /exports/mrr-movements.csv?baseCurrency=eur&country=de"},
		{"exports mrr-growth --category new,churn", "", "GET /exports/mrr-growth.csv?category=new%2Cchurn"},
		{"settings get", "", "GET /settings"},
		{`settings update --body {"trial_days":7}`, "", `POST /settings {"trial_days":7}`},
		{"settings slack", "", "GET /settings/slack"},
		{"settings stripe", "", "GET /settings/stripe"},
		{`settings hubspot --body {"enabled":true}`, "", `POST /settings/hubspot {"enabled":true}`},
		{"settings looker-studio", "", "GET /settings/looker-studio"},
		{"--format csv --no-color plans list", "", "GET /plans"},
		{"--verbose reports --api-url x mrr --date ytd", "", "GET /reports/mrr?date=ytd"},
		{`settings notifications --body {"email_reports":true}`, "", `PUT /settings/notifications {"email_reports":true}`},
		{"settings notifications preview --report weekly", "", "GET /settings/notifications/preview?report=weekly"},
		{`settings webhook --body {"enabled":false}`, "", `POST /settings/webhook {"enabled":false}`},
		{"integrations verify", "", "GET /integrations/verify"},
		{"integrations webhooks list", "", "GET /integrations/webhooks"},
		{"integrations webhooks get wh_1", "", "GET /integrations/webhooks/wh_1"},
		{"integrations webhooks create", `{"url":"https://example.com/hook","events":["customer.created"]}`, `POST /integrations/webhooks {"url":"https://example.com/hook","events":["customer.created"]}`},
		{"integrations webhooks delete wh_1", "", "DELETE /integrations/webhooks/wh_1"},
		{"integrations webhooks sample customer.created", "", "GET /integrations/sample/customer.created"},
		{"integrations webhooks test wh_1", "", "POST /integrations/webhooks/wh_1/test"},
		{"integrations webhooks resume wh_1", "", "POST /integrations/webhooks/wh_1/resume"},
		{"integrations webhooks rotate-secret wh_1", "", "POST /integrations/webhooks/wh_1/rotate-secret"},
		{"integrations webhooks deliveries wh_1 --status failed --limit 5", "", "GET /integrations/webhooks/wh_1/deliveries?limit=5&status=failed"},
		{"integrations webhooks resend wh_1 evt_1.wh_1", "", "POST /integrations/webhooks/wh_1/deliveries/evt_1.wh_1/resend"},
		{"account get", "", "GET /account"},
		{"account api-keys list", "", "GET /account/api-keys"},
		{`account api-keys update k1 --body {"name":"n"}`, "", `PUT /account/api-keys/k1 {"name":"n"}`},
		{"account api-keys delete k1", "", "DELETE /account/api-keys/k1"},
		{"api get /reports/mrr?interval=week date=today", "", "GET /reports/mrr?date=today&interval=week"},
		{"api POST /settings churn_grace_days=5 locale=en", "", `POST /settings {"churn_grace_days":5,"locale":"en"}`},
		{"api DELETE /data/plans/x", "", "DELETE /data/plans/x"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			got := ""
			handler := func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = r.Method + " " + r.URL.RequestURI()
				if len(body) > 0 {
					got += " " + string(body)
				}
				answer(`{"success":true}`)(w, r)
			}
			if _, stderr, err := run(t, handler, false, tt.stdin, strings.Fields(tt.args)...); err != nil {
				t.Fatalf("%s: %v\n%s", tt.args, err, stderr)
			}
			if got != tt.want {
				t.Errorf("request = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCommands_WrongInput(t *testing.T) {
	t.Parallel()
	tests := []struct{ args, stdin, want string }{
		{"api GET //evil.example/steal", "", "must begin with one slash"},
		{"api GET https://evil.example/", "", "must begin with one slash"},
		{"api GET /reports/../account", "", ""},
		{"api PATCH /settings", "", "must be GET, POST, PUT or DELETE"},
		{"customers get ..", "", ""},
		{"data invoices create", "", "no request body"},
		{"data invoices create --body {", "", "not valid JSON"},
		{"data invoices create --body @/nonexistent", "", "read the body"},
		{"data invoices create", " ", "is empty"},
		{"reports mrr --format yaml", "", "must be json, table or csv"},
		{"reports", "", "missing argument <name>: see growpanel reports --help"},
		{"reports mrr arr", "", `unexpected argument "arr"`},
		{"api GET", "", "missing argument <path>"},
		{"data", "", "choose one"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			refuse := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) }
			_, _, err := run(t, refuse, false, tt.stdin, strings.Fields(tt.args)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	mrr := `{"currency":"jpy","result":[{"date":"2026-01-01","total_mrr":1234567,"new":-5,"quick_ratio":null,"total_customers":3}]}`
	movements := `{"currency":"usd","result":{"count":1,"list":[{"date":"2026-01-02","currency":"kwd","customer_name":"A\u001b[31m, Inc","type":"new","mrr_change":12345,"mrr_change_base_currency":4000}]}}`
	tests := []struct {
		name, body, want string
		tty              bool
		args             string
	}{
		{"json without the envelope", mrr, "[\n  {\n    \"date\": \"2026-01-01\",\n    \"total_mrr\": 1234567,\n    \"new\": -5,\n    \"quick_ratio\": null,\n    \"total_customers\": 3\n  }\n]\n", false, "reports mrr"},
		{"a currency without decimals", mrr, "DATE        TOTAL MRR      NEW     TOTAL CUSTOMERS\n2026-01-01  1,234,567 JPY  -5 JPY  3\n", true, "reports mrr"},
		{"row and base currency apart, as plain decimals", movements, "date,currency,customer_name,type,mrr_change,mrr_change_base_currency\n2026-01-02,kwd,\"A\x1b[31m, Inc\",new,12.345,40.00\n", false, "reports movement-table --format csv"},
		{"control characters stay out of the terminal", movements, "DATE        CUSTOMER NAME  TYPE  MRR CHANGE\n2026-01-02  A [31m, Inc    new   12.345 KWD\n", true, "reports movement-table"},
		{"nor does text turn its neighbors around", `{"result":[{"id":"a\u202e\u2066b","name":"\u200f1"}]}`, "ID    NAME\na  b   1\n", true, "plans list"},
		{"rows by key", `{"currency":"jpy","result":{"list":{"de":{"arpa":100,"subscribers":2},"us":{"arpa":50,"subscribers":3}}}}`, "KEY  SUBSCRIBERS  ARPA\nde   2            100 JPY\nus   3            50 JPY\n", true, "reports map"},
		{
			"a row for each value of a breakdown, every amount in display units",
			`{"currency":"usd","result":[{"date":"2026-01-01","total_mrr":300,"new":5,"breakdown":{"~":{"label":"(not set)","total_mrr":100},"p":{"label":"Pro","new":5,"total_mrr":200}}}]}`,
			"date,total_mrr,new,breakdown\n2026-01-01,3.00,0.05,(total)\n2026-01-01,1.00,,(not set)\n2026-01-01,2.00,0.05,Pro\n", false, "--format csv reports mrr",
		},
		{
			"a table shows the breakdown behind its first column",
			`{"currency":"usd","result":[{"date":"2026-01-01","total_mrr":300,"total_customers":3,"breakdown":{"p":{"label":"Pro","total_mrr":200,"total_customers":2}}}]}`,
			"DATE        BREAKDOWN  TOTAL MRR  TOTAL CUSTOMERS\n2026-01-01  (total)    3.00 USD   3\n2026-01-01  Pro        2.00 USD   2\n", true, "reports mrr",
		},
		{
			"columns for the earlier period",
			`{"currency":"usd","result":[{"date":"2026-01-01","total_mrr":300,"compare":{"date":"2025-01-01","total_mrr":200}}]}`,
			"date,total_mrr,compare_date,compare_total_mrr\n2026-01-01,3.00,2025-01-01,2.00\n", false, "reports mrr --format csv",
		},
		{
			"amounts inside a cell are in display units as well",
			`{"currency":"usd","result":{"list":[{"cohort_group":"2026","initial_mrr":500,"periods":[{"mrr_retained":500,"customers_retained":2,"nrr":null}]}]}}`,
			"cohort_group,initial_mrr,periods\n2026,5.00,\"[{\"\"mrr_retained\"\":5.00,\"\"customers_retained\"\":2,\"\"nrr\"\":null}]\"\n", false, "reports cohort --format csv",
		},
		{"values", `{"count":1,"has_more":false,"values":[{"value":"Retail","customer_count":7,"variable_name":"industry"}]}`, "VARIABLE NAME  VALUE   CUSTOMER COUNT\nindustry       Retail  7\n", true, "reports custom-variables"},
		{"percentages", `{"currency":"usd","result":[{"date":"2026-01-01","nrr":97.5,"grr":null,"ltv":5}]}`, "DATE        NRR    GRR  LTV\n2026-01-01  97.5%       0.05 USD\n", true, "reports retention"},
		{"percentages in a file", `{"currency":"usd","result":[{"date":"2026-01-01","nrr":97.5}]}`, "date,nrr\n2026-01-01,97.5\n", false, "reports retention --format csv"},
		{"empty list", `{"result":[]}`, "No data\n", true, "reports mrr"},
		{"an object is key and value", `{"success":true,"id":"x"}`, "KEY      VALUE\nsuccess  true\nid       x\n", true, "account get"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := run(t, answer(tt.body), tt.tty, "", strings.Fields(tt.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	fail := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	_, _, err := run(t, fail(401, `{"error":"no"}`), false, "", "plans", "list")
	if err == nil || !strings.Contains(err.Error(), "check your API key") {
		t.Errorf("401 = %v", err)
	}
	_, _, err = run(t, fail(400, `{"error":"bad row","details":[{"index":2,"field":"amount","message":"must be an integer"}]}`), false, `[{}]`, "data", "invoices", "create")
	if err == nil || !strings.Contains(err.Error(), "bad row (HTTP 400)") || !strings.Contains(err.Error(), "row 2: amount: must be an integer") {
		t.Errorf("400 = %v", err)
	}
}

func TestErrors_OfTheConnectionSayWhatToSet(t *testing.T) {
	t.Parallel()
	for want, options := range map[string]apiclient.Options{
		"no API key: give --api-key, set GROWPANEL_API_KEY":      {BaseURL: "http://127.0.0.1:1"},
		"--api-url or GROWPANEL_API_URL says where it is: GET /": {BaseURL: "http://127.0.0.1:1", Key: apiclient.NewSecret("k")},
	} {
		root := &cobra.Command{Use: "growpanel", SilenceUsage: true, SilenceErrors: true}
		Attach(root, "", Env{Out: io.Discard, Err: io.Discard, Connect: func(apiclient.Secret, string) (*apiclient.Client, error) {
			return apiclient.New(options)
		}})
		root.SetArgs([]string{"plans", "list"})
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
}

func TestErrors_SayAFaultOnce(t *testing.T) {
	t.Parallel()
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"date: no range","details":[{"field":"date","message":"no range"}]}`)
	}
	if _, _, err := run(t, handler, false, "", "reports", "mrr"); err == nil || err.Error() != "date: no range (HTTP 400)" {
		t.Errorf("error = %v", err)
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ minor, currency, want string }{
		{"9900", "usd", "99.00"},
		{"5", "USD", "0.05"},
		{"-5", "eur", "-0.05"},
		{"1000", "jpy", "1000"},
		{"12345", "kwd", "12.345"},
		{"9223372036854775807", "usd", "92233720368547758.07"},
		{"7", "", "7"},
	} {
		if got := display(tt.minor, tt.currency); got != tt.want {
			t.Errorf("display(%s %s) = %s, want %s", tt.minor, tt.currency, got, tt.want)
		}
	}
}

func TestExports_ThePrintedFileIsTheAnswer(t *testing.T) {
	t.Parallel()
	const file = "id,name\n1,\"A\nB\"\n"
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_, _ = io.WriteString(w, file)
	}
	for _, tty := range []bool{true, false} {
		if out, _, err := run(t, handler, tty, "", "exports", "customers"); err != nil || out != file {
			t.Errorf("printed %q: %v", out, err)
		}
	}
	refuse := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"date: no"}`)
	}
	if out, _, err := run(t, refuse, false, "", "exports", "customers"); err == nil || out != "" {
		t.Errorf("printed %q for an error: %v", out, err)
	}
}

func TestAccountDelete_AsksFirst(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stdin string
		sent  bool
		fault string
	}{
		"nobody at the terminal": {"y\n", false, "--yes"},
		"an empty answer":        {"", false, "nothing was deleted"},
	} {
		sent := false
		handler := func(w http.ResponseWriter, r *http.Request) {
			sent = true
			answer(`{"success":true}`)(w, r)
		}
		_, _, err := run(t, handler, false, tt.stdin, "account", "delete")
		if sent != tt.sent || err == nil || !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: sent %v, error %v", name, sent, err)
		}
	}
}
