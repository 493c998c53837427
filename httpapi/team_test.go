package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
)

// keyOf makes a key of a user.
func (a *api) keyOf(t testing.TB, account identity.Account, u identity.User, role identity.Role) string {
	t.Helper()
	_, token, err := a.identity.CreateKey(t.Context(), identity.NewKey{Account: account.ID, User: u.ID, Name: "of a user", Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func TestTeam_FromInvitationToRemoval(t *testing.T) {
	t.Parallel()
	a := newAPIWith(t, httpapi.Config{Pages: func() string { return "https://mcp.example.com" }})
	made := a.ok(t, a.admin, "POST", "/account/team/invite", `{"email":"Ann@Example.com","role":"admin"}`)
	secret := made.text("invitation")
	if made.status != 201 || made.text("link") != "https://mcp.example.com/invitation?token="+secret || made.text("expires_at") != "2026-06-22T12:00:00Z" {
		t.Fatalf("invited: %d %s", made.status, made.raw)
	}
	list := a.ok(t, a.admin, "GET", "/account/team", "")
	if list.number("result", "count") != 2 || list.text("result", "list", 1, "status") != "pending" || strings.Contains(string(list.raw), secret) {
		t.Errorf("the team with an invitation: %s", list.raw)
	}
	if got := a.do(t, a.admin, "POST", "/account/team/invite", `{"email":"ann@example.com"}`); got.status != 409 {
		t.Errorf("invited twice: %d %s", got.status, got.raw)
	}
	renewed := a.ok(t, a.admin, "POST", "/account/team/resend/ann@example.com", "").text("invitation")
	if got := a.do(t, "", "POST", "/auth/invitation", fmt.Sprintf(`{"invitation":%q}`, secret)); got.status != 404 {
		t.Errorf("the link from before: %d %s", got.status, got.raw)
	}
	preview := a.ok(t, "", "POST", "/auth/invitation", fmt.Sprintf(`{"invitation":%q}`, renewed))
	wantJSON(t, preview, `{"account_name":"Acme","email":"ann@example.com","role":"admin","expires_at":"2026-06-22T12:00:00Z","new_user":true}`)

	a.pass(time.Hour) // the list is in order of time
	accept := fmt.Sprintf(`{"invitation":%q,"password":%q,"first_name":"Ann","last_name":"Lee"}`, renewed, password)
	user := a.ok(t, "", "POST", "/auth/sign-in", accept).text("user", "id")
	if got := a.do(t, "", "POST", "/auth/sign-in", accept); got.status != 404 || got.text("code") != "invitation_over" {
		t.Errorf("accepted twice: %d %s", got.status, got.raw)
	}
	list = a.ok(t, a.admin, "GET", "/account/team", "")
	if list.number("result", "count") != 2 || list.text("result", "list", 1, "name") != "Ann Lee" || list.text("result", "list", 1, "status") != "active" ||
		list.text("result", "list", 1, "last_login") == "" {
		t.Errorf("the team with a member: %s", list.raw)
	}

	key := a.keyOf(t, a.account, identity.User{ID: user}, identity.Admin)
	a.ok(t, key, "POST", "/settings", `{"churn_grace_days":3}`)
	a.ok(t, a.admin, "PUT", "/account/team/"+strings.ToUpper(user), `{"role":"viewer"}`)
	if got := a.do(t, key, "POST", "/settings", `{"churn_grace_days":4}`); got.status != 403 {
		t.Errorf("an admin key of a readonly member: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "DELETE", "/account/team/ann@example.com", "")
	if got := a.do(t, key, "GET", "/account", ""); got.status != 401 {
		t.Errorf("a key of a former member: %d %s", got.status, got.raw)
	}
}

func TestTeam_OwnersAloneDecideAboutOwners(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	owner := a.ok(t, a.admin, "GET", "/profile", "").text("id")
	admin := a.newUser(t, a.account, "admin@example.com", identity.Admin)
	key := a.keyOf(t, a.account, admin, identity.Admin)
	for what, got := range map[string]reply{
		"invite an owner":       a.do(t, key, "POST", "/account/team/invite", `{"email":"x@example.com","role":"owner"}`),
		"promote to owner":      a.do(t, key, "PUT", "/account/team/"+admin.ID, `{"role":"owner"}`),
		"demote an owner":       a.do(t, key, "PUT", "/account/team/"+owner, `{"role":"admin"}`),
		"remove an owner":       a.do(t, key, "DELETE", "/account/team/"+owner, ""),
		"delete the account":    a.do(t, key, "DELETE", "/account", ""),
		"change the plan":       a.do(t, key, "POST", "/account/billing/subscribe", `{"plan":"growth"}`),
		"with a readonly key":   a.do(t, a.readonly, "DELETE", "/account", ""),
		"bills, a readonly key": a.do(t, a.readonly, "GET", "/account/billing", ""),
	} {
		if got.status != 403 {
			t.Errorf("%s: %d %s", what, got.status, got.raw)
		}
	}
	for what, got := range map[string]reply{
		"demote the last owner": a.do(t, a.admin, "PUT", "/account/team/"+owner, `{"role":"admin"}`),
		"remove the last owner": a.do(t, a.admin, "DELETE", "/account/team/"+owner, ""),
	} {
		if got.status != 409 || got.text("code") != "last_owner" {
			t.Errorf("%s: %d %s", what, got.status, got.raw)
		}
	}
	a.ok(t, a.admin, "POST", "/account/team/invite", `{"email":"boss@example.com","role":"owner"}`)
	for _, got := range []reply{
		a.do(t, key, "POST", "/account/team/resend/boss@example.com", ""), a.do(t, key, "DELETE", "/account/team/invites/boss@example.com", ""),
	} {
		if got.status != 403 {
			t.Errorf("an admin takes hold of an owner's invitation: %d %s", got.status, got.raw)
		}
	}
	a.ok(t, a.admin, "PUT", "/account/team/"+admin.ID, `{"role":"owner"}`)
	a.ok(t, key, "GET", "/account/billing", "")
	a.ok(t, key, "DELETE", "/account/team/"+owner, "")
	if got := a.do(t, a.admin, "GET", "/account", ""); got.status != 401 {
		t.Errorf("the key of the owner who was removed: %d", got.status)
	}
}

func TestTeam_AddressesWithAPlusArriveWhole(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok(t, a.admin, "POST", "/account/team/invite", `{"email":"u+x@example.com"}`)
	a.ok(t, a.admin, "POST", "/account/team/resend/u+x@example.com", "")
	a.ok(t, a.admin, "POST", "/account/team/resend/u%2Bx%40example.com", "")
	a.ok(t, a.admin, "DELETE", "/account/team/invites/u+x@example.com", "")
}

func TestAccount_Update(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, method := range []string{"POST", "PUT"} {
		got := a.ok(t, a.admin, method, "/v2/account", `{"name":" `+method+` Inc ","timezone":"Europe/Copenhagen","first_day_of_week":0,"base_currency":"EUR"}`)
		if got.text("name") != method+" Inc" || got.text("timezone") != "Europe/Copenhagen" || got.number("first_day_of_week") != 0 || got.text("base_currency") != "eur" {
			t.Errorf("%s: %s", method, got.raw)
		}
	}
	for body, field := range map[string]string{
		`{}`: "name", `{"name":""}`: "name", `{"name":"New","timezone":"Mars"}`: "timezone", `{"nmae":"x"}`: "nmae", //nolint:misspell // on purpose
		`{"name":"a\nb","timezone":"UTC"}`: "name",
	} {
		if got := a.do(t, a.admin, "POST", "/account", body); got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("%s: %d %s", body, got.status, got.raw)
		}
	}
	if got := a.ok(t, a.admin, "GET", "/account", ""); got.text("name") != "PUT Inc" || got.text("timezone") != "Europe/Copenhagen" {
		t.Errorf("refused bodies changed the account: %s", got.raw)
	}
}

func TestAccount_DeletionCanBeUndoneForAWeek(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin := a.newUser(t, a.account, "admin@example.com", identity.Admin)
	owner := a.newUser(t, a.account, "ann@example.com", identity.Owner)
	others := a.keyOf(t, a.account, admin, identity.Admin)
	session := a.signIn(t, owner.Email)
	connection := a.connect(t, a.userToken(t, session, a.account.ID), "one").text("api_key")

	got := a.ok(t, a.admin, "DELETE", "/account", "")
	if got.text("deleted_at") != "2026-06-22T12:00:00Z" || got.text("id") != a.account.ID {
		t.Errorf("deleted: %s", got.raw)
	}
	a.pass(time.Hour)
	for key, want := range map[string]int{others: 401, connection: 401, a.readonly: 403, a.admin: 403} {
		if got := a.do(t, key, "GET", "/reports/mrr", ""); got.status != want {
			t.Errorf("a report of a closing account: %d %s, want %d", got.status, got.raw, want)
		}
	}
	if got := a.do(t, a.admin, "DELETE", "/account", ""); got.status != 403 || got.text("code") != "account_closing" || !strings.Contains(got.text("error"), "2026-06-22") {
		t.Errorf("anything else: %d %s", got.status, got.raw)
	}
	if got := a.ok(t, a.admin, "GET", "/account", ""); got.text("deleted_at") != "2026-06-22T12:00:00Z" {
		t.Errorf("the account: %s", got.raw)
	}
	if got := a.do(t, a.readonly, "POST", "/account/undo-deletion", ""); got.status != 403 {
		t.Errorf("undone with a readonly key: %d %s", got.status, got.raw)
	}
	token := a.userToken(t, session, a.account.ID)
	if got := a.connect(t, token, "two"); got.status != 403 {
		t.Errorf("a new connection: %d %s", got.status, got.raw)
	}
	a.ok(t, token, "POST", "/account/undo-deletion", "")
	a.ok(t, a.admin, "GET", "/reports/mrr", "")
	if got := a.do(t, connection, "GET", "/account", ""); got.status != 401 {
		t.Errorf("a connection from before: %d", got.status)
	}
}

func TestBilling_IsARecordAndNoMore(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Alpha")
	got := a.ok(t, a.admin, "GET", "/account/billing", "")
	if got.at("plan") != nil || got.text("status") != "none" || got.number("current_mrr") == 0 || got.number("current_customers") == 0 || got.text("currency") != "usd" {
		t.Errorf("nothing noted: %s", got.raw)
	}
	if got := a.do(t, a.admin, "POST", "/account/billing/change-plan", `{"plan":"growth"}`); got.status != 409 {
		t.Errorf("a change without a plan: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "POST", "/account/billing/subscribe", `{"plan":"growth","period":"yearly"}`)
	preview := a.ok(t, a.admin, "POST", "/account/billing/preview-change", `{"plan":"scale"}`)
	if preview.text("current_plan") != "growth" || preview.text("new_plan") != "scale" || preview.text("proration_date") != "2026-06-15" {
		t.Errorf("preview: %s", preview.raw)
	}
	a.ok(t, a.admin, "POST", "/account/billing/change-plan", `{"plan":"scale"}`)
	a.ok(t, a.admin, "POST", "/account/billing/address", `{"line1":"1 Harbor Street","city":"Dublin","country":"IE","vat_number":"ie 6433435f"}`)
	got = a.ok(t, a.admin, "GET", "/account/billing", "")
	if got.text("plan") != "scale" || got.text("billing_cycle") != "yearly" || got.text("vat_number") != "IE6433435F" || got.text("address", "country") != "ie" {
		t.Errorf("after the changes: %s", got.raw)
	}
	for body, field := range map[string]string{
		`{"line1":"x","city":"y","country":"IE","vat_number":"IE1"}`: "vat_number", `{"city":"y","country":"IE"}`: "line1",
		`{"line1":"x","city":"y","country":"IE","zip":"1"}`: "zip",
	} {
		if got := a.do(t, a.admin, "POST", "/account/billing/address", body); got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("%s: %d %s", body, got.status, got.raw)
		}
	}
	wantJSON(t, a.ok(t, a.admin, "GET", "/account/billing/check-vat?vat_number=DK+13+58+56+28", ""), `{"valid":true,"vat_number":"DK13585628","country":"dk","reason":null}`)
	if got := a.do(t, a.admin, "GET", "/account/billing/check-vat", ""); got.status != 400 {
		t.Errorf("no number: %d %s", got.status, got.raw)
	}
	for at, method := range map[string]string{"portal": "GET", "setup": "POST", "cards/card_1": "DELETE"} {
		if got := a.do(t, a.admin, method, "/account/billing/"+at, ""); got.status != 501 || got.text("code") != "no_payment_provider" {
			t.Errorf("%s: %d %s", at, got.status, got.raw)
		}
	}
}

func TestConnection_WhatItCreatedIsShownAndGoesWithIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Owner)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	made := a.connect(t, token, "one")
	connection, id := made.text("api_key"), made.text("id")
	child := a.ok(t, connection, "POST", "/account/api-keys", `{"name":"made by the assistant"}`)
	a.ok(t, child.text("api_key"), "GET", "/account", "")
	a.ok(t, connection, "POST", "/account/team/invite", `{"email":"bob@example.com"}`)
	source := a.ok(t, connection, "POST", "/data/data-sources", `{"name":"pushed","type":"api"}`).text("access_token")
	hook := a.ok(t, connection, "POST", "/integrations/webhooks", `{"url":"https://hooks.example/x","event_type":"movement.churn"}`).text("id")
	a.ok(t, a.admin, "POST", "/account/api-keys", `{"name":"of a person"}`)

	for what, key := range map[string]string{"the user": token, "an admin key": a.admin} {
		got := a.ok(t, key, "GET", "/account/api-keys/"+id+"/created", "")
		kinds := ""
		for i := range got.list("result") {
			kinds += got.text("result", i, "kind") + " "
		}
		if kinds != "api_key api_key invitation webhook " || got.text("result", 3, "id") != hook || got.text("result", 3, "detail") != "movement.churn" {
			t.Errorf("what %s is shown: %s", what, got.raw)
		}
	}
	a.newUser(t, a.account, "eve@example.com", identity.Admin)
	other := a.userToken(t, a.signIn(t, "eve@example.com"), a.account.ID)
	if got := a.do(t, other, "GET", "/account/api-keys/"+id+"/created", ""); got.status != 404 {
		t.Errorf("another member's token: %d %s", got.status, got.raw)
	}

	// An assistant must not cut what it made loose from itself.
	for what, key := range map[string]string{"the connection": connection, "its key": child.text("api_key"), "its data source": source} {
		if got := a.do(t, key, "DELETE", "/account/api-keys/"+id+"?keep=*", ""); got.status != 403 {
			t.Errorf("%s keeps what the connection made: %d %s", what, got.status, got.raw)
		}
	}

	secret, _ := revocation("one")
	a.ok(t, "", "POST", "/connection-keys/revoke", fmt.Sprintf(`{"revocation_secret":%q,"keep":[%q,%q]}`, secret, child.text("id"), "bob@example.com"))
	a.ok(t, child.text("api_key"), "GET", "/account", "")
	if got := a.ok(t, a.admin, "GET", "/account/team", ""); !strings.Contains(string(got.raw), "bob@example.com") {
		t.Errorf("the invitation that was kept: %s", got.raw)
	}
	for what, got := range map[string]reply{
		"the connection": a.do(t, connection, "GET", "/account", ""), "the key of the data source": a.do(t, source, "GET", "/account", ""),
	} {
		if got.status != 401 {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	if got := a.do(t, a.admin, "GET", "/integrations/webhooks/"+hook, ""); got.status != 404 {
		t.Errorf("the webhook: %d %s", got.status, got.raw)
	}
}
