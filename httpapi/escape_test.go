package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/growpanel/growpanel-mcp/identity"
)

// What an assistant creates must not outlive the user's decision to end it,
// whatever the assistant does while it can.
func TestConnection_CannotKeepWhatItCreated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Owner)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	made := a.connect(t, token, "one")
	id := made.text("id")
	child := a.ok(t, made.text("api_key"), "POST", "/account/api-keys", `{"name":"child","role":"admin"}`)
	for who, key := range map[string]string{"the connection": made.text("api_key"), "its child": child.text("api_key")} {
		for _, keep := range []string{"*", child.text("id")} {
			if got := a.do(t, key, "DELETE", "/account/api-keys/"+id+"?keep="+keep, ""); got.status != 403 {
				t.Errorf("%s deletes the connection but keeps %s: %d %s", who, keep, got.status, got.raw)
			}
		}
	}
	a.ok(t, token, "DELETE", "/account/api-keys/"+id, "")
	if got := a.do(t, child.text("api_key"), "GET", "/account", ""); got.status != 401 {
		t.Errorf("the child of a connection that is gone: %d", got.status)
	}
}

// The role of a connection is its user's choice: nobody raises it, and what the
// connection created may do no more than it may itself.
func TestConnection_ItsRoleBindsItsChildren(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Owner)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	made := a.connect(t, token, "one")
	child := a.ok(t, made.text("api_key"), "POST", "/account/api-keys", `{"name":"child","role":"admin"}`).text("api_key")
	rename := func() int { return a.do(t, child, "POST", "/account", `{"name":"Changed"}`).status }
	if got := rename(); got != 200 {
		t.Fatalf("the child before: %d", got)
	}
	at := "/account/api-keys/" + made.text("id")
	a.ok(t, a.admin, "PUT", at, `{"role":"readonly"}`)
	if got := rename(); got != 403 {
		t.Errorf("the child of a connection that may only read changes data: %d", got)
	}
	if got := a.do(t, a.admin, "PUT", at, `{"role":"admin"}`); got.status != 403 {
		t.Errorf("a connection's role is raised: %d %s", got.status, got.raw)
	}
	a.ok(t, a.admin, "PUT", at, `{"name":"Renamed"}`)
}

// A key that another connection of the same user asked for is not handed out
// again under that connection's name.
func TestKeys_ARepeatedRequestIsOfTheSameConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	u := a.newUser(t, a.account, "ann@example.com", identity.Admin)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	connection := a.connect(t, token, "one").text("api_key")
	own := identity.NewKey{Account: a.account.ID, User: u.ID, Name: "nightly", Role: identity.Admin, Request: "nightly"}
	if _, _, err := a.identity.CreateKey(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	caller, err := a.identity.Authenticate(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	own.CreatedVia = caller.CreatedVia()
	if k, _, err := a.identity.CreateKey(t.Context(), own); err == nil {
		t.Errorf("the connection got the secret of a key that it did not create: %s", fmt.Sprint(k.ID))
	}
}

// A readonly key changes nothing, not even what is its user's own. A member who
// may only read has no other key, and may.
func TestKeys_AReadonlyKeyDoesNotChangeItsUser(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.newUser(t, a.account, "ann@example.com", identity.Admin)
	bob := a.newUser(t, a.account, "bob@example.com", identity.Readonly)
	if got := a.do(t, a.keyOf(t, a.account, ann, identity.Readonly), "PUT", "/profile", `{"locale":"da"}`); got.status != 403 {
		t.Errorf("the readonly key of an admin: %d %s", got.status, got.raw)
	}
	a.ok(t, a.keyOf(t, a.account, bob, identity.Readonly), "PUT", "/profile", `{"locale":"da"}`)
}
