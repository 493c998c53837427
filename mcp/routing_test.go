package mcp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// routes is what every action of every tool asks of the API.
var routes = []struct{ tool, arguments, want string }{
	{"get_report", `{"name":"mrr"}`, "GET /reports/mrr"},
	{"get_report", `{"name":"mrr","date":"2026-Q1","interval":"monthly","plan":["pro","team"],"base_currency":"eur","custom":{"industry":"Retail Trade"}}`, "GET /reports/mrr?baseCurrency=eur&custom_industry=Retail+Trade&date=20260101-20260331&interval=month&plan=pro~~team"},
	{"get_report", `{"name":"mrr","limit":5,"offset":2}`, "GET /reports/mrr"},
	{"get_report", `{"name":"movement-table","selected-date":"2026-03","selected_type":"churn","sort":"mrr_change","order":"ascending","breakdown":"billing-freq","breakdownValue":"month","limit":"5"}`, "GET /reports/movement-table?breakdown=billing_freq&breakdown-value=month&limit=5&order=asc&selected-date=2026-03-01&selected-type=churn&sort=mrr_change"},
	{"get_report", `{"name":"movement-table"}`, "GET /reports/movement-table?limit=100"},
	{"get_report", `{"name":"retention","trailing_months":12,"date":"last 12 months"}`, "GET /reports/retention?date=last-12-months&trailing_months=12"},
	{"get_report", `{"name":"Customer Concentration","fix_fx":"true","has_discount":false}`, "GET /reports/customer-concentration?fix_fx=true&has_discount=false&limit=20"},
	{"get_report", `{"name":"summary","customer":"cus 1&x=y","custom_size":"~"}`, "GET /reports/summary?custom_size=~&customer=cus+1%26x%3Dy"},
	{"get_report", `{"name":"summary","region":["us","~ca"],"country":["us","ca"]}`, "GET /reports/summary?country=us~~ca&region=us+~ca"},
	{"get_report", `{"name":"custom-variables","key":"industry","search":"soft"}`, "GET /reports/custom-variables?key=industry&limit=100&search=soft"},
	{"get_report", `{"name":"latest-activity","committed":true,"limit":20}`, "GET /reports/latest-activity?committed=true&limit=20"},
	{"list_customers", `{}`, "GET /customers?limit=100"},
	{"list_customers", `{"limit":"500","offset":100,"status":"paying","search":"acme","billing_freq":["monthly","annual"]}`, "GET /customers?billing_freq=month~~year&limit=100&offset=100&search=acme&status=active"},
	{"get_customer", `{"id":"a/b c?d"}`, "GET /customers/a%2Fb%20c%3Fd"},
	{"get_customer", `{"id":"cus_1","base_currency":"eur","data_source":"ds_1"}`, "GET /customers/cus_1?baseCurrency=eur&data_source=ds_1"},
	{"resync_customer", `{"id":"cus_1"}`, "POST /customers/cus_1/resync"},
	{"list_plans", `{}`, "GET /plans"},
	{"list_plans", `{"limit":10,"offset":20}`, "GET /plans?limit=10&offset=20"},
	{"manage_data", `{"resource":"invoices","action":"list","data_source":"ds_1","limit":10}`, "GET /data/invoices?data_source=ds_1&limit=10"},
	{"manage_data", `{"resource":"customer","action":"get","id":"cus_1"}`, "GET /data/customers/cus_1"},
	{"manage_data", `{"resource":"plans","action":"add","body":"{\"id\":\"p\"}"}`, `POST /data/plans {"id":"p"}`},
	{"manage_data", `{"resource":"customers","action":"create","body":[{"id":"a"},{"id":"b"}]}`, `POST /data/customers [{"id":"a"},{"id":"b"}]`},
	{"manage_data", `{"resource":"plan_groups","action":"update","id":"pg1","body":{"name":"Pro"}}`, `PUT /data/plan-groups/pg1 {"name":"Pro"}`},
	{"manage_data", `{"resource":"invoices","action":"delete","id":"inv_1","confirm":true}`, "DELETE /data/invoices/inv_1"},
	{"manage_data", `{"resource":"data-sources","action":"reset","id":"ds_1","confirm":"yes"}`, "POST /data/data-sources/ds_1/reset"},
	{"manage_data", `{"resource":"data-sources","action":"connect","id":"ds_1","body":{"endpoint_url":"https://x"}}`, `POST /data/data-sources/ds_1/connect {"endpoint_url":"https://x"}`},
	{"manage_data", `{"resource":"data-sources","action":"full_import","id":"ds_1"}`, "POST /data/data-sources/ds_1/full-import"},
	{"manage_data", `{"resource":"data-sources","action":"progress","id":"ds_1"}`, "GET /data/data-sources/ds_1/progress"},
	{"manage_data", `{"resource":"data-sources","action":"abort","id":"ds_1"}`, "POST /data/data-sources/ds_1/abort"},
	{"manage_data", `{"resource":"plan-groups","action":"delete-multiple","body":{"ids":["a"]},"confirm":true}`, `POST /data/plan-groups/delete-multiple {"ids":["a"]}`},
	{"manage_data", `{"resource":"plan-groups","action":"ai-suggest"}`, "POST /data/plan-groups/ai-suggest"},
	{"manage_data", `{"resource":"plan-groups","action":"merge","body":{"source":"a","target":"b"},"confirm":true}`, `POST /data/plan-groups/merge {"source":"a","target":"b"}`},
	{"export_csv", `{"type":"customers"}`, "GET /exports/customers.csv?limit=437"},
	{"export_csv", `{"type":"mrr-movements","date":"2026-01-01..2026-01-31","offset":100}`, "GET /exports/mrr-movements.csv?date=20260101-20260131&limit=437&offset=100"},
	{"export_csv", `{"type":"growth","category":["new","churn"]}`, "GET /exports/mrr-growth.csv?category=new~~churn&limit=437"},
	{"manage_settings", `{"action":"get"}`, "GET /settings"},
	{"manage_settings", `{"action":"get","integration":"slack"}`, "GET /settings/slack"},
	{"manage_settings", `{"action":"update","body":{"timezone":"UTC"}}`, `POST /settings {"timezone":"UTC"}`},
	{"manage_settings", `{"action":"update","integration":"hubspot","body":{"enabled":true}}`, `POST /settings/hubspot {"enabled":true}`},
	{"manage_settings", `{"action":"update","integration":"notifications","body":{"daily_report":true}}`, `PUT /settings/notifications {"daily_report":true}`},
	{"manage_webhooks", `{"action":"list"}`, "GET /integrations/webhooks"},
	{"manage_webhooks", `{"action":"get","id":"wh_1"}`, "GET /integrations/webhooks/wh_1"},
	{"manage_webhooks", `{"action":"create","body":{"url":"https://x","event_type":"movement.new"}}`, `POST /integrations/webhooks {"url":"https://x","event_type":"movement.new"}`},
	{"manage_webhooks", `{"action":"delete","id":"wh_1","confirm":true}`, "DELETE /integrations/webhooks/wh_1"},
	{"manage_webhooks", `{"action":"verify"}`, "GET /integrations/verify"},
	{"manage_webhooks", `{"action":"sample","event":"customer.created"}`, "GET /integrations/sample/customer.created"},
	{"manage_webhooks", `{"action":"test","id":"wh_1"}`, "POST /integrations/webhooks/wh_1/test"},
	{"manage_webhooks", `{"action":"resume","id":"wh_1"}`, "POST /integrations/webhooks/wh_1/resume"},
	{"manage_webhooks", `{"action":"rotate-secret","id":"wh_1"}`, "POST /integrations/webhooks/wh_1/rotate-secret"},
	{"manage_webhooks", `{"action":"deliveries","id":"wh_1","status":"failed"}`, "GET /integrations/webhooks/wh_1/deliveries?status=failed"},
	{"manage_webhooks", `{"action":"resend","id":"wh_1","delivery":"evt_1.wh_1"}`, "POST /integrations/webhooks/wh_1/deliveries/evt_1.wh_1/resend"},
	{"manage_account", `{"action":"get"}`, "GET /account"},
	{"manage_account", `{"action":"update","body":{"name":"Acme"}}`, `POST /account {"name":"Acme"}`},
	{"manage_account", `{"action":"delete","confirm":true}`, "DELETE /account"},
	{"manage_account", `{"action":"undo_deletion"}`, "POST /account/undo-deletion"},
	{"manage_billing", `{"action":"details"}`, "GET /account/billing"},
	{"manage_billing", `{"action":"invoices"}`, "GET /account/billing/invoices"},
	{"manage_billing", `{"action":"portal"}`, "GET /account/billing/portal"},
	{"manage_billing", `{"action":"subscribe","body":{"plan":"growth"},"confirm":true}`, `POST /account/billing/subscribe {"plan":"growth"}`},
	{"manage_billing", `{"action":"check-vat","vat_number":"DE123456789"}`, "GET /account/billing/check-vat?vat_number=DE123456789"},
	{"manage_billing", `{"action":"address","body":{"city":"Berlin"}}`, `POST /account/billing/address {"city":"Berlin"}`},
	{"manage_billing", `{"action":"setup"}`, "POST /account/billing/setup"},
	{"manage_billing", `{"action":"preview_change","body":{"plan":"growth"}}`, `POST /account/billing/preview-change {"plan":"growth"}`},
	{"manage_billing", `{"action":"change_plan","body":{"plan":"growth"},"confirm":true}`, `POST /account/billing/change-plan {"plan":"growth"}`},
	{"manage_billing", `{"action":"undo_cancellation"}`, "POST /account/billing/undo-cancellation"},
	{"manage_billing", `{"action":"delete_card","card_id":"card_1","confirm":true}`, "DELETE /account/billing/cards/card_1"},
	{"manage_team", `{"action":"list"}`, "GET /account/team"},
	{"manage_team", `{"action":"invite","body":{"email":"a@b.c","role":"admin"}}`, `POST /account/team/invite {"email":"a@b.c","role":"admin"}`},
	{"manage_team", `{"action":"edit","user_id":"usr_1","body":{"role":"admin"}}`, `PUT /account/team/usr_1 {"role":"admin"}`},
	{"manage_team", `{"action":"remove","user_id":"usr_1","confirm":true}`, "DELETE /account/team/usr_1"},
	{"manage_team", `{"action":"revoke_invite","email":"u+x@e.com"}`, "DELETE /account/team/invites/u+x@e.com"},
	{"manage_team", `{"action":"resend_invite","email":"u@e.com"}`, "POST /account/team/resend/u@e.com"},
	{"manage_api_keys", `{"action":"list"}`, "GET /account/api-keys"},
	{"manage_api_keys", `{"action":"create","body":{"name":"n","role":"readonly"}}`, `POST /account/api-keys {"name":"n","role":"readonly"}`},
	{"manage_api_keys", `{"action":"update","id":"k","body":{"name":"n"}}`, `PUT /account/api-keys/k {"name":"n"}`},
	{"manage_api_keys", `{"action":"delete","id":"k","confirm":true}`, "DELETE /account/api-keys/k"},
	{"api_request", `{"method":"get","path":"/reports/mrr?interval=month","params":{"date":"20260101"}}`, "GET /reports/mrr?date=20260101&interval=month"},
	{"api_request", `{"method":"POST","path":"/data/customers","body":{"id":"a"}}`, `POST /data/customers {"id":"a"}`},
	{"api_request", `{"method":"PUT","path":"/profile","body":{"locale":"en"}}`, `PUT /profile {"locale":"en"}`},
	{"api_request", `{"method":"DELETE","path":"/data/plans/p%20q","confirm":true}`, "DELETE /data/plans/p%20q"},
}

func TestTools_AskTheAPI(t *testing.T) {
	t.Parallel()
	for _, r := range routes {
		text, asked := ask(t, r.tool, r.arguments)
		if diff := cmp.Diff([]string{r.want}, asked); diff != "" {
			t.Errorf("%s %s asks (-want +got):\n%s\nand answers: %s", r.tool, r.arguments, diff, text)
		}
	}
}

// TestTools_EveryActionIsRouted keeps the table above whole.
func TestTools_EveryActionIsRouted(t *testing.T) {
	t.Parallel()
	for _, tool := range tools() {
		for _, a := range tool.actions {
			found := false
			for _, r := range routes {
				found = found || r.tool == tool.name && strings.HasPrefix(r.want, a.method+" ") &&
					(a.name == "" || strings.Contains(strings.ReplaceAll(r.arguments, "-", "_"), `"action":"`+strings.ReplaceAll(a.name, "-", "_")+`"`) || a.name == "create")
			}
			if !found {
				t.Errorf("no case for %s %s %s", tool.name, a.method, a.name)
			}
		}
	}
}
