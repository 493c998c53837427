package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/identity"
)

// What a connection's key creates is listed, goes with it, and stays when it is
// named.
func TestKeysCreated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	to := newReceiver(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	a.newUser(t, a.account, "bob@example.com", identity.Admin)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	foreign := a.userToken(t, a.signIn(t, "bob@example.com"), a.account.ID)
	_, stranger, _ := a.newAccount(t, "Other")
	at := func(id string) string { return "/account/api-keys/" + id + "/created" }
	create := func(key, name string) (kept, dropped []string) {
		t.Helper()
		made := func(path, body string) string { return a.ok(t, key, "POST", path, body).text("id") }
		invite := func(email string) string {
			caller, err := a.identity.Authenticate(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.identity.Invite(t.Context(), caller, email, identity.Readonly); err != nil {
				t.Fatal(err)
			}
			return email
		}
		hook := func(path string) string {
			return made("/integrations/webhooks", fmt.Sprintf(`{"url":%q,"event_type":"movement.churn"}`, to.URL+"/"+name+path))
		}
		kept = []string{made("/account/api-keys", `{"name":"kept","role":"readonly"}`), invite("kept-" + name + "@example.com"), hook("/kept")}
		dropped = []string{made("/account/api-keys", `{"name":"dropped"}`), invite("dropped-" + name + "@example.com"), hook("/dropped")}
		return kept, dropped
	}
	ids := func(key, of string) []string {
		t.Helper()
		var ids []string
		list := a.ok(t, key, "GET", at(of), "")
		for i := range list.list("result") {
			ids = append(ids, list.text("result", i, "id"))
		}
		slices.Sort(ids)
		return ids
	}
	exists := func(id string) bool {
		t.Helper()
		hook := a.do(t, a.admin, "GET", "/integrations/webhooks/"+id, "").status == 200
		keys, err := a.identity.ListKeys(t.Context(), a.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		invitations, err := a.identity.ListInvitations(t.Context(), a.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		return hook || slices.ContainsFunc(keys, func(k identity.Key) bool { return k.ID == id }) ||
			slices.ContainsFunc(invitations, func(i identity.Invitation) bool { return i.Email == id })
	}
	for name, end := range map[string]func(t *testing.T, id string, keep []string){
		"by its id": func(t *testing.T, id string, keep []string) {
			t.Helper()
			a.ok(t, token, "DELETE", "/account/api-keys/"+id+"?keep="+keep[0]+","+keep[1]+","+keep[2], "")
		},
		"by its secret": func(t *testing.T, _ string, keep []string) {
			t.Helper()
			secret, _ := revocation("by its secret")
			a.ok(t, "", "POST", "/connection-keys/revoke", fmt.Sprintf(`{"revocation_secret":%q,"keep":[%q,%q,%q]}`, secret, keep[0], keep[1], keep[2]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := a.connect(t, token, name)
			id := made.text("id")
			if got := ids(token, id); len(got) != 0 {
				t.Errorf("a new key has created %v", got)
			}
			kept, dropped := create(made.text("api_key"), name[len("by its "):])
			want := slices.Sorted(slices.Values(slices.Concat(kept, dropped)))
			for who, key := range map[string]string{"the user": token, "an admin key": a.admin} {
				if got := ids(key, id); !slices.Equal(got, want) {
					t.Errorf("to %s it has created %v, want %v", who, got, want)
				}
			}
			for who, key := range map[string]string{"another user": foreign, "another account": stranger} {
				if got := a.do(t, key, "GET", at(id), ""); got.status != 404 {
					t.Errorf("%s sees %d %s", who, got.status, got.raw)
				}
			}
			end(t, id, kept)
			for _, thing := range kept {
				if !exists(thing) {
					t.Errorf("%s is gone, though it was to be kept", thing)
				}
			}
			for _, thing := range dropped {
				if exists(thing) {
					t.Errorf("%s outlives what created it", thing)
				}
			}
		})
	}
	if got := a.do(t, token, "GET", at("none"), ""); got.status != 404 {
		t.Errorf("an unknown key: %d %s", got.status, got.raw)
	}
}

// Who came by an invitation of a connection is shown with what it created, and
// stays: they are a person, about whom an owner decides.
func TestKeysCreated_MembersStay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser(t, a.account, "ann@example.com", identity.Admin)
	token := a.userToken(t, a.signIn(t, "ann@example.com"), a.account.ID)
	made := a.connect(t, token, "connection")
	caller, err := a.identity.Authenticate(t.Context(), made.text("api_key"))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := a.identity.Invite(t.Context(), caller, "carol@example.com", identity.Readonly)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.identity.SignIn(t.Context(), identity.SignIn{Invitation: secret.Reveal(), Password: "carol's password", FromAddress: "192.0.2.7"}); err != nil {
		t.Fatal(err)
	}
	list := a.ok(t, token, "GET", "/account/api-keys/"+made.text("id")+"/created", "")
	if len(list.list("result")) != 1 || list.text("result", 0, "kind") != "member" || list.text("result", 0, "name") != "carol@example.com" || list.text("result", 0, "detail") != "readonly" {
		t.Errorf("it has created %s", list.raw)
	}
	a.ok(t, token, "DELETE", "/account/api-keys/"+made.text("id"), "")
	members, err := a.identity.ListMembers(t.Context(), a.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(members, func(m identity.Member) bool { return m.Email == "carol@example.com" })
	if at < 0 || members[at].CreatedVia != made.text("id") {
		t.Errorf("the members are %+v", members)
	}
	if team := a.ok(t, a.admin, "GET", "/account/team", ""); !strings.Contains(string(team.raw), `"created_via":"`+made.text("id")) {
		t.Errorf("the team is %s", team.raw)
	}
}
