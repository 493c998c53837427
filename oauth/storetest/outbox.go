package storetest

import (
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var outboxTests = []test{
	{"a_key_is_deleted_when_the_API_is_back", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.api.FailBefore(func(oauthtest.Call) error { return errDown })
		revoked, err := w.RevokeFamily(t.Context(), testUser, tokens.Family, byUser)
		if err != nil || revoked != (oauth.Revoked{Families: 1}) {
			t.Errorf("RevokeFamily without the API = %+v, %v", revoked, err)
		}
		w.wantDead(t, tokens)
		if f := w.family(t, tokens.Family); !f.KeyDeletedAt.IsZero() {
			t.Error("the key counts as deleted")
		}
		for range 4 {
			w.sweep(t)
			w.clock.Advance(time.Minute)
		}
		if r := w.revocation(t, tokens.Family); r.Attempts < 3 {
			t.Errorf("the outbox counts %d attempts", r.Attempts)
		}
		w.api.FailBefore(nil)
		w.clock.Advance(time.Hour)
		w.sweep(t)
		w.wantNoKeys(t)
		if f := w.family(t, tokens.Family); f.KeyDeletedAt.IsZero() {
			t.Error("the key does not count as deleted")
		}
		_, err = w.store.Revocation(t.Context(), tokens.Family)
		wantError(t, "Revocation of a key that is gone", err, oauth.ErrNotFound)
	}},
	{"a_lost_answer_of_the_API_is_asked_for_again", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.api.FailAfter(func(oauthtest.Call) error { return errDown })
		if err := w.KeyGone(t.Context(), tokens.Family); err != nil {
			t.Fatal(err)
		}
		w.revocation(t, tokens.Family)
		w.api.FailAfter(nil)
		w.sweep(t)
		_, err := w.store.Revocation(t.Context(), tokens.Family)
		wantError(t, "Revocation", err, oauth.ErrNotFound)
	}},
	{"the_key_of_a_code_that_nobody_redeems_is_deleted", func(t *testing.T, w *world) {
		w.issue(t, "tx")
		w.clock.Advance(oauth.DefaultCodeTTL + 30*second)
		w.sweep(t)
		if len(w.api.Keys()) != 1 {
			t.Error("the key went before its time")
		}
		w.clock.Advance(time.Minute)
		w.sweep(t)
		w.wantNoKeys(t)
		if connections, err := w.Connections(t.Context(), testUser); err != nil || len(connections) != 0 {
			t.Errorf("Connections = %d, %v, want none", len(connections), err)
		}
	}},
	{"the_key_of_an_expired_family_is_deleted", func(t *testing.T, w *world) {
		refreshed, unused := w.connect(t, "refreshed"), w.connect(t, "unused")
		w.clock.Advance(80 * day)
		w.mustRefresh(t, refreshed.Refresh)
		w.clock.Advance(11 * day)
		w.sweep(t)
		if keys := w.api.Keys(); len(keys) != 1 {
			t.Errorf("%d keys, want that of the family that was refreshed", len(keys))
		}
		if f := w.family(t, unused.Family); f.State != oauth.Ended || f.Reason != oauth.ReasonExpired {
			t.Errorf("the unused family is %s for %q", f.State, f.Reason)
		}
		w.clock.Advance(90 * day)
		w.sweep(t)
		w.wantNoKeys(t)
	}},
	{"a_family_that_lives_is_left_alone", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		for range 5 {
			w.clock.Advance(10 * day)
			w.sweep(t)
		}
		w.mustRefresh(t, tokens.Refresh)
	}},
	{"one_process_alone_gets_a_due_row", func(t *testing.T, w *world) {
		other := w.peer.Open(t, w.clock, Limits{})
		w.issue(t, "a")
		w.issue(t, "b")
		w.clock.Advance(time.Hour)
		counts := make([]int, 10)
		parallel(len(counts), func(i int) {
			store := w.store
			if i%2 == 1 {
				store = other
			}
			rows, _, err := store.Claim(t.Context(), 10, time.Minute)
			if err != nil {
				t.Error(err)
			}
			counts[i] = len(rows)
		})
		total := 0
		for _, n := range counts {
			total += n
		}
		if total != 2 {
			t.Errorf("rows claimed: %v, want 2 in all", counts)
		}
		w.clock.Advance(2 * time.Minute) // the claimant died
		w.sweep(t)
		w.wantNoKeys(t)
	}},
	{"a_row_that_moved_is_not_put_off", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.clock.Advance(91 * day)
		rows, now, err := w.store.Claim(t.Context(), 10, time.Minute)
		if err != nil || len(rows) != 1 {
			t.Fatalf("Claim: %d rows, %v", len(rows), err)
		}
		if _, err := w.store.End(t.Context(), tokens.Family, oauth.Ending{Reason: oauth.ReasonUser}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Postpone(t.Context(), rows[0], now.Add(90*day), 0); err != nil {
			t.Fatal(err)
		}
		w.sweep(t)
		w.wantNoKeys(t)
	}},
	{"only_a_stale_family_ends_as_stale", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		stale := oauth.Ending{Reason: oauth.ReasonExpired, Stale: true}
		if ended, err := w.store.End(t.Context(), tokens.Family, stale); ended || err != nil {
			t.Errorf("End of a live family = %v, %v", ended, err)
		}
		w.clock.Advance(91 * day)
		if ended, err := w.store.End(t.Context(), tokens.Family, stale); !ended || err != nil {
			t.Errorf("End of a stale family = %v, %v", ended, err)
		}
		_, err := w.store.End(t.Context(), oauth.FamilyID{tokens.Family.Partition()}, stale)
		wantError(t, "End of no family", err, oauth.ErrNotFound)
	}},
	{"records_that_are_over_are_purged", func(t *testing.T, w *world) {
		tokens := w.connect(t, "tx")
		w.clock.Advance(91 * day)
		w.sweep(t)
		w.clock.Advance(oauth.Retention + day)
		w.sweep(t)
		if _, err := w.store.Purge(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		families, _, err := w.store.Families(t.Context(), testUser, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.State != oauth.Ended {
				t.Errorf("a family is %s after its end", f.State)
			}
		}
		w.wantDead(t, tokens)
	}},
}

func (w *world) revocation(t testing.TB, id oauth.FamilyID) oauth.Revocation {
	t.Helper()
	r, err := w.store.Revocation(t.Context(), id)
	if err != nil {
		t.Fatalf("Revocation: %v", err)
	}
	return r
}

func (w *world) wantNoKeys(t testing.TB) {
	t.Helper()
	if n := len(w.api.Keys()); n != 0 {
		t.Errorf("%d API keys work, want none", n)
	}
}
