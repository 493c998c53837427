package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// stepTests take the store's steps one by one: each refuses a family that is not
// as the step needs it, and changes nothing then.
var stepTests = []test{
	{"a_family_comes_back_as_it_was_stored", func(t *testing.T, w *world) {
		id := w.reserved(t, 1)
		_, _, now, err := w.store.Access(t.Context(), id, oauth.Hash{9})
		wantError(t, "Access without a token", err, oauth.ErrNotFound)
		w.redeemed(t, id)
		want := oauth.Family{
			ID: id, Grant: testGrant(), KeyID: "key-id", State: oauth.Live, Minted: 1,
			Current: oauth.Hash{1, 'r'}, SealedKey: []byte("sealed\x00refresh"),
		}
		got := w.family(t, id)
		for name, at := range map[string]time.Time{
			"CreatedAt": got.CreatedAt, "RotatedAt": got.RotatedAt, "ExpiresAt": got.ExpiresAt.Add(-90 * day), "EndsAt": got.EndsAt.Add(-365 * day),
		} {
			if d := at.Sub(w.clock.Now()); d > time.Minute || d < -time.Minute || at.Location() != time.UTC {
				t.Errorf("%s is %v from now in %v", name, d, at.Location())
			}
		}
		got.CreatedAt, got.RotatedAt, got.ExpiresAt, got.EndsAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("family (-want +got):\n%s", diff)
		}
		token, f, at, err := w.store.Access(t.Context(), id, oauth.Hash{1, 'a'})
		if err != nil || f.ID != id || at.Before(now) {
			t.Fatalf("Access: family %s at %v, %v", f.ID, at, err)
		}
		wantToken := w.token(1, 0)
		wantToken.Serial, wantToken.IssuedAt, wantToken.ExpiresAt = 1, token.IssuedAt, token.ExpiresAt
		if diff := cmp.Diff(wantToken, token); diff != "" {
			t.Errorf("access token (-want +got):\n%s", diff)
		}
	}},
	{"a_family_is_reserved_once", func(t *testing.T, w *world) {
		id := w.reserved(t, 1)
		err := w.store.Reserve(t.Context(), oauth.Family{ID: id, Grant: oauth.Grant{User: testUser, Account: "b"}}, []byte("new"), time.Minute)
		wantError(t, "second Reserve", err, oauth.ErrExists)
		if r := w.revocation(t, id); string(r.Sealed) != "sealed\x00revocation" || r.Account != testAccount || w.family(t, id).Account != testAccount {
			t.Errorf("the second Reserve changed the row to %+v", r)
		}
	}},
	{"a_code_needs_a_family_that_waits_for_it", func(t *testing.T, w *world) {
		id := w.reserved(t, 1)
		create := func(n byte) error {
			return w.store.CreateCode(t.Context(), oauth.Code{Hash: oauth.Hash{n, 'x'}, Family: id, SealedKey: []byte("s")}, "key-id", time.Minute, time.Minute)
		}
		if err := create(1); err != nil {
			t.Fatal(err)
		}
		wantError(t, "CreateCode with a taken hash", create(1), oauth.ErrExists)
		w.clock.Advance(2 * time.Minute)
		wantError(t, "CreateCode after the family's time", create(2), oauth.ErrMoved)
		w.end(t, id)
		wantError(t, "CreateCode for an ended family", create(3), oauth.ErrMoved)
		unknown := oauth.FamilyID{id.Partition(), 99}
		err := w.store.CreateCode(t.Context(), oauth.Code{Hash: oauth.Hash{4}, Family: unknown}, "k", time.Minute, time.Minute)
		wantError(t, "CreateCode for no family", err, oauth.ErrMoved)
		_, _, _, err = w.store.Code(t.Context(), id.Partition(), oauth.Hash{4})
		wantError(t, "Code that was refused", err, oauth.ErrNotFound)
	}},
	{"a_code_is_redeemed_in_its_time_by_its_family", func(t *testing.T, w *world) {
		id, other := w.reserved(t, 1), w.reserved(t, 2)
		wrong := w.redemption(id)
		wrong.Code = oauth.Hash{2, 'c'}
		wantError(t, "Redeem of another family's code", w.store.Redeem(t.Context(), wrong), oauth.ErrMoved)
		wrong.Code = oauth.Hash{3}
		wantError(t, "Redeem of no code", w.store.Redeem(t.Context(), wrong), oauth.ErrMoved)
		w.end(t, other)
		wantError(t, "Redeem for an ended family", w.store.Redeem(t.Context(), w.redemption(other)), oauth.ErrMoved)
		w.redeemed(t, id)
		wantError(t, "second Redeem", w.store.Redeem(t.Context(), w.redemption(id)), oauth.ErrMoved)
		late := w.reserved(t, 3)
		w.clock.Advance(time.Minute)
		wantError(t, "Redeem after the code's life", w.store.Redeem(t.Context(), w.redemption(late)), oauth.ErrMoved)
		if got := w.family(t, late).State; got != oauth.Pending {
			t.Errorf("the family is %s", got)
		}
	}},
	{"a_rotation_needs_the_current_token", func(t *testing.T, w *world) {
		id := w.reserved(t, 1)
		wantError(t, "Rotate of a pending family", w.store.Rotate(t.Context(), w.rotation(id, 0)), oauth.ErrMoved)
		w.redeemed(t, id)
		for name, change := range map[string]func(*oauth.Rotation){
			"another generation": func(r *oauth.Rotation) { r.Gen = 1 },
			"another token":      func(r *oauth.Rotation) { r.Previous = oauth.Hash{7} },
			"no family":          func(r *oauth.Rotation) { r.Family = oauth.FamilyID{id.Partition(), 99} },
		} {
			r := w.rotation(id, 0)
			change(&r)
			wantError(t, "Rotate with "+name, w.store.Rotate(t.Context(), r), oauth.ErrMoved)
		}
		before := w.family(t, id)
		if before.Gen != 0 || before.Minted != 1 {
			t.Errorf("refused rotations left generation %d with %d access tokens", before.Gen, before.Minted)
		}
		if err := w.store.Rotate(t.Context(), w.rotation(id, 0)); err != nil {
			t.Fatal(err)
		}
		wantError(t, "second Rotate", w.store.Rotate(t.Context(), w.rotation(id, 0)), oauth.ErrMoved)
		if f := w.family(t, id); f.Gen != 1 || f.Minted != 2 || f.Current != (oauth.Hash{1, 'r', 1}) || f.Used {
			t.Errorf("after a rotation: generation %d, %d access tokens, current %x, used %v", f.Gen, f.Minted, f.Current[:3], f.Used)
		}
		w.clock.Advance(91 * day)
		wantError(t, "Rotate of an expired family", w.store.Rotate(t.Context(), w.rotation(id, 1)), oauth.ErrMoved)
		w.end(t, id)
		wantError(t, "Rotate of an ended family", w.store.Rotate(t.Context(), w.rotation(id, 1)), oauth.ErrMoved)
	}},
	{"an_access_token_is_minted_at_the_current_generation", func(t *testing.T, w *world) {
		const window = 2 * time.Minute
		id := w.reserved(t, 1)
		mint := func(n byte, gen uint32) error { return w.store.Mint(t.Context(), id, w.token(n, gen), window) }
		wantError(t, "Mint for a pending family", mint(2, 0), oauth.ErrMoved)
		w.redeemed(t, id)
		if err := w.store.Rotate(t.Context(), w.rotation(id, 0)); err != nil {
			t.Fatal(err)
		}
		wantError(t, "Mint at the generation before", mint(2, 0), oauth.ErrMoved)
		wantError(t, "Mint at the generation after", mint(2, 2), oauth.ErrMoved)
		w.clock.Advance(day)
		if err := mint(3, 1); err != nil {
			t.Errorf("Mint while the token is unused: %v", err)
		}
		if err := w.store.MarkUsed(t.Context(), id, 0); err != nil || w.family(t, id).Used {
			t.Errorf("MarkUsed of the generation before: used %v, %v", w.family(t, id).Used, err)
		}
		if err := w.store.MarkUsed(t.Context(), id, 1); err != nil || !w.family(t, id).Used {
			t.Errorf("MarkUsed: used %v, %v", w.family(t, id).Used, err)
		}
		wantError(t, "Mint after use and window", mint(4, 1), oauth.ErrMoved)
		if err := w.store.Rotate(t.Context(), w.rotation(id, 1)); err != nil {
			t.Fatal(err)
		}
		if err := w.store.MarkUsed(t.Context(), id, 2); err != nil {
			t.Fatal(err)
		}
		if err := mint(5, 2); err != nil {
			t.Errorf("Mint after use within the window: %v", err)
		}
		w.end(t, id)
		wantError(t, "Mint for an ended family", mint(6, 2), oauth.ErrMoved)
		_, _, _, err := w.store.Access(t.Context(), id, oauth.Hash{5, 'a'})
		wantError(t, "Access of an ended family's token", err, oauth.ErrNotFound)
	}},
	{"a_family_that_has_ended_by_itself_gets_no_tokens", func(t *testing.T, w *world) {
		id := w.reserved(t, 1)
		r := w.redemption(id)
		r.EndsAt = w.clock.Now().Add(day) // before the refresh token expires
		if err := w.store.Redeem(t.Context(), r); err != nil {
			t.Fatalf("Redeem: %v", err)
		}
		w.clock.Advance(day + second)
		wantError(t, "Rotate after the family's end", w.store.Rotate(t.Context(), w.rotation(id, 0)), oauth.ErrMoved)
		wantError(t, "Mint after the family's end", w.store.Mint(t.Context(), id, w.token(5, 0), time.Hour), oauth.ErrMoved)
	}},
	{"steps_on_what_is_not_there_do_nothing", func(t *testing.T, w *world) {
		id := oauth.FamilyID{7, 7}
		if err := w.store.MarkUsed(t.Context(), id, 0); err != nil {
			t.Errorf("MarkUsed: %v", err)
		}
		if err := w.store.Settle(t.Context(), id); err != nil {
			t.Errorf("Settle: %v", err)
		}
		if err := w.store.Postpone(t.Context(), oauth.Revocation{Family: id}, w.clock.Now(), 1); err != nil {
			t.Errorf("Postpone: %v", err)
		}
		_, _, err := w.store.Family(t.Context(), id)
		wantError(t, "Family", err, oauth.ErrNotFound)
		_, err = w.store.Revocation(t.Context(), id)
		wantError(t, "Revocation", err, oauth.ErrNotFound)
		if rows, _, err := w.store.Claim(t.Context(), 10, time.Minute); err != nil || len(rows) != 0 {
			t.Errorf("Claim: %d rows, %v", len(rows), err)
		}
		if families, now, err := w.store.Families(t.Context(), "nobody", 10); err != nil || len(families) != 0 || now.IsZero() {
			t.Errorf("Families: %d at %v, %v", len(families), now, err)
		}
	}},
	{"families_come_newest_first_and_ended_last", func(t *testing.T, w *world) {
		var ids []oauth.FamilyID
		for n := range byte(4) {
			ids = append(ids, w.reserved(t, n+1))
			w.clock.Advance(second)
		}
		w.end(t, ids[3])
		families, _, err := w.store.Families(t.Context(), testUser, 3)
		if err != nil {
			t.Fatal(err)
		}
		var got []oauth.FamilyID
		for _, f := range families {
			got = append(got, f.ID)
		}
		if diff := cmp.Diff([]oauth.FamilyID{ids[2], ids[1], ids[0]}, got); diff != "" {
			t.Errorf("families (-want +got):\n%s", diff)
		}
	}},
}

// reserved makes pending family n with its code.
func (w *world) reserved(t testing.TB, n byte) oauth.FamilyID {
	t.Helper()
	id := oauth.FamilyID{oauth.PartitionOf(testUser), n}
	err := w.store.Reserve(t.Context(), oauth.Family{ID: id, Grant: testGrant()}, []byte("sealed\x00revocation"), 2*time.Minute)
	if err != nil {
		t.Fatalf("Reserve: %v", err)
	}
	code := oauth.Code{Hash: oauth.Hash{n, 'c'}, Family: id, Challenge: "challenge", SealedKey: []byte("sealed\x00code")}
	if err := w.store.CreateCode(t.Context(), code, "key-id", time.Minute, time.Minute); err != nil {
		t.Fatalf("CreateCode: %v", err)
	}
	return id
}

func (w *world) redemption(id oauth.FamilyID) oauth.Redemption {
	now := w.clock.Now()
	return oauth.Redemption{
		Code: oauth.Hash{id[1], 'c'}, Family: id, User: testUser, Refresh: oauth.Hash{id[1], 'r'}, SealedKey: []byte("sealed\x00refresh"),
		Access: w.token(id[1], 0), ExpiresAt: now.Add(90 * day), EndsAt: now.Add(365 * day),
	}
}

func (w *world) redeemed(t testing.TB, id oauth.FamilyID) {
	t.Helper()
	if err := w.store.Redeem(t.Context(), w.redemption(id)); err != nil {
		t.Fatalf("Redeem: %v", err)
	}
}

// rotation is the step from a generation to the next.
func (w *world) rotation(id oauth.FamilyID, gen byte) oauth.Rotation {
	previous := oauth.Hash{id[1], 'r', gen}
	return oauth.Rotation{
		Family: id, Gen: uint32(gen), Previous: previous, Next: oauth.Hash{id[1], 'r', gen + 1}, SealedKey: []byte("sealed"),
		Access: w.token(100+gen, uint32(gen)+1), ExpiresAt: w.clock.Now().Add(90 * day),
	}
}

func (w *world) token(n byte, gen uint32) oauth.AccessToken {
	now := w.clock.Now()
	return oauth.AccessToken{
		Hash: oauth.Hash{n, 'a'}, Gen: gen, Scope: testScope, IssuedAt: now, ExpiresAt: now.Add(30 * day),
		SealedKey: []byte("sealed\x00access"),
	}
}

func (w *world) end(t testing.TB, id oauth.FamilyID) {
	t.Helper()
	if ended, err := w.store.End(t.Context(), id, byUser); err != nil || !ended {
		t.Fatalf("End = %v, %v", ended, err)
	}
}
