package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/oauth"
)

var clientTests = []test{
	{"a_client_comes_back_as_it_was_registered", func(t *testing.T, w *world) {
		c := registered("a")
		mustRegister(t, w.store, c)
		wantError(t, "CreateClient with a taken id", w.store.CreateClient(t.Context(), c), oauth.ErrExists)
		got, err := w.store.Client(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if got.CreatedAt.IsZero() {
			t.Error("the client has no creation time")
		}
		got.CreatedAt = time.Time{}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("client (-want +got):\n%s", diff)
		}
		_, err = w.store.Client(t.Context(), "b")
		wantError(t, "Client that is not there", err, oauth.ErrNotFound)
		if err := w.store.TouchClient(t.Context(), "b"); err != nil {
			t.Errorf("TouchClient of a client that is not there: %v", err)
		}
	}},
	{"a_client_that_is_never_used_goes_after_a_day", func(t *testing.T, w *world) {
		mustRegister(t, w.store, registered("unused"))
		mustRegister(t, w.store, registered("used"))
		mustTouch(t, w.store, "used")
		w.clock.Advance(oauth.UnusedClientLife)
		_, err := w.store.Client(t.Context(), "unused")
		wantError(t, "Client", err, oauth.ErrNotFound)
		if c, err := w.store.Client(t.Context(), "used"); err != nil || c.LastUsed.IsZero() {
			t.Errorf("Client that was used: last used %v, %v", c.LastUsed, err)
		}
	}},
	{"a_client_outlives_its_refresh_tokens", func(t *testing.T, w *world) {
		mustRegister(t, w.store, registered("a"))
		for range 3 {
			mustTouch(t, w.store, "a")
			w.clock.Advance(96 * day)
		}
		if _, err := w.store.Client(t.Context(), "a"); err != nil {
			t.Errorf("Client after 96 days without use: %v", err)
		}
		w.clock.Advance(2 * day)
		_, err := w.store.Client(t.Context(), "a")
		wantError(t, "Client after 98 days without use", err, oauth.ErrNotFound)
	}},
	{"a_flood_of_clients_pushes_out_the_never_used", func(t *testing.T, w *world) {
		const limit = 5
		store := w.peer.Open(t, w.clock, Limits{MaxClients: limit})
		mustRegister(t, store, registered("used"))
		mustTouch(t, store, "used")
		for i := range 2 * limit {
			w.clock.Advance(time.Second)
			mustRegister(t, store, registered(fmt.Sprint("flood", i)))
		}
		for id, want := range map[string]bool{"used": true, "flood0": false, "flood4": false, "flood6": true, "flood9": true} {
			if _, err := store.Client(t.Context(), id); (err == nil) != want {
				t.Errorf("client %s: %v, want there = %v", id, err, want)
			}
		}
	}},
	{"clients_in_use_are_never_pushed_out", func(t *testing.T, w *world) {
		const limit = 3
		store := w.peer.Open(t, w.clock, Limits{MaxClients: limit})
		for i := range limit {
			mustRegister(t, store, registered(fmt.Sprint("used", i)))
			mustTouch(t, store, fmt.Sprint("used", i))
		}
		wantError(t, "CreateClient", store.CreateClient(t.Context(), registered("one more")), oauth.ErrFull)
		w.clock.Advance(98 * day)
		mustRegister(t, store, registered("after they have gone"))
	}},
}

func registered(id string) oauth.RegisteredClient {
	return oauth.RegisteredClient{
		ID: id, SecretHash: []byte{1, 2, 3}, RedirectURIs: []string{redirect, "http://127.0.0.1/"},
		AuthMethod: "client_secret_post", Name: "Assistant",
		Metadata: json.RawMessage(`{"client_name":"Assistant"}`),
	}
}

func mustRegister(t testing.TB, store oauth.ClientStore, c oauth.RegisteredClient) {
	t.Helper()
	if err := store.CreateClient(t.Context(), c); err != nil {
		t.Fatalf("CreateClient(%s): %v", c.ID, err)
	}
}

func mustTouch(t testing.TB, store oauth.ClientStore, id string) {
	t.Helper()
	if err := store.TouchClient(t.Context(), id); err != nil {
		t.Fatalf("TouchClient(%s): %v", id, err)
	}
}
