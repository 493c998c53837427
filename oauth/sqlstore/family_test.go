package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/oauth/storetest"
)

// Whatever ends a family leaves no sealed key of it, no access token, and an
// outbox row that is due: with a pending family as with one that lives.
func TestEnd_LeavesNoKeys(t *testing.T) {
	t.Parallel()
	pending, live := oauth.FamilyID{1}, oauth.FamilyID{2}
	token := oauth.Hash{2, 'a'}
	for name, end := range map[string]func(*sqlstore.Store) error{
		"each": func(s *sqlstore.Store) error {
			for _, id := range []oauth.FamilyID{pending, live} {
				if ended, err := s.End(t.Context(), id, oauth.Ending{Reason: oauth.ReasonUser}); err != nil || !ended {
					return errors.Join(err, errors.New("not ended"))
				}
			}
			return nil
		},
		"all": func(s *sqlstore.Store) error { return s.EndAll(t.Context()) },
	} {
		clock := &oauthtest.Clock{}
		s := open(t, t.TempDir(), clock, storetest.Limits{})
		for _, id := range []oauth.FamilyID{pending, live} {
			err := s.Reserve(t.Context(), oauth.Family{ID: id, Grant: oauth.Grant{User: "u"}}, []byte("row"), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			code := oauth.Code{Hash: oauth.Hash{id[0], 'c'}, Family: id, Challenge: "x", SealedKey: []byte("code")}
			if err := s.CreateCode(t.Context(), code, "key", time.Minute, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		later := clock.Now().Add(24 * time.Hour)
		err := s.Redeem(t.Context(), oauth.Redemption{
			Code: oauth.Hash{2, 'c'}, Family: live, User: "u", Refresh: oauth.Hash{2, 'r'}, SealedKey: []byte("refresh"), ExpiresAt: later, EndsAt: later,
			Access: oauth.AccessToken{Hash: token, IssuedAt: clock.Now(), ExpiresAt: later, SealedKey: []byte("access")},
		})
		if err != nil {
			t.Fatal(err)
		}

		if err := end(s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, id := range []oauth.FamilyID{pending, live} {
			code, f, _, err := s.Code(t.Context(), 0, oauth.Hash{id[0], 'c'})
			if err != nil || f.State != oauth.Ended || len(code.SealedKey)+len(f.SealedKey) > 0 {
				t.Errorf("%s: family %d is %s, code has %q, family %q, %v", name, id[0], f.State, code.SealedKey, f.SealedKey, err)
			}
		}
		if _, _, _, err := s.Access(t.Context(), live, token); !errors.Is(err, oauth.ErrNotFound) {
			t.Errorf("%s: the access token: %v, want ErrNotFound", name, err)
		}
		if due, _, err := s.Claim(t.Context(), 10, time.Minute); err != nil || len(due) != 2 {
			t.Errorf("%s: %d keys are due, %v, want 2", name, len(due), err)
		}
	}
}
