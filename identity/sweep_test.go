package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
)

func TestRun_DeletesAnAccountAfterItsTimeOfGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := openStore(t)
		var erased []string
		s := identity.New(identity.Config{
			Store: store, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			Erase: func(_ context.Context, account string) error {
				erased = append(erased, account)
				if len(erased) == 1 {
					return errors.New("disk on fire")
				}
				return nil
			},
		})
		var ids []string
		for _, name := range []string{"goes", "is kept after all", "stays"} {
			a, err := s.CreateAccount(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID)
		}
		for _, id := range ids[:2] {
			if _, err := s.CloseAccount(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		wantClosing := func(want ...bool) {
			t.Helper()
			for i, id := range append(slices.Clone(ids), "none") {
				if got, err := s.Closing(t.Context(), id); got != want[i] || err != nil {
					t.Errorf("Closing(%s) = %v, %v, want %v", id, got, err, want[i])
				}
			}
		}
		wantClosing(true, true, false, false)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		time.Sleep(identity.ClosingTime - time.Hour)
		synctest.Wait()
		if len(erased) != 0 {
			t.Errorf("erased %v before the time of grace was over", erased)
		}
		if err := s.ReopenAccount(t.Context(), ids[1]); err != nil {
			t.Fatal(err)
		}
		wantClosing(true, false, false, false)
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		stop()
		running.Wait()
		if len(erased) < 2 || erased[0] != ids[0] || erased[1] != ids[0] {
			t.Errorf("erased %v, want %s again after it failed, and nothing else", erased, ids[0])
		}
	})
}

func TestRun_ForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := openStore(t)
		s := identity.New(identity.Config{
			Store: store, Logger: slog.New(slog.DiscardHandler), Now: time.Now, ConnectionIdle: 48 * time.Hour,
			UserTokenKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		})
		a, err := s.CreateAccount(t.Context(), "Acme")
		if err != nil {
			t.Fatal(err)
		}
		connect := func(revocation string) (identity.Key, identity.Token) {
			t.Helper()
			k, token, err := s.CreateKey(t.Context(), identity.NewKey{
				Account: a.ID, Name: "x", Role: identity.Admin, Kind: identity.Connection, ClientName: "Claude", Revocation: strings.Repeat(revocation, 43),
			})
			if err != nil {
				t.Fatal(err)
			}
			return k, token
		}
		idle, _ := connect("A")
		used, token := connect("I")
		s.Note(t.Context(), identity.Event{Kind: "something", Subject: strings.Repeat("é", 1000)})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		time.Sleep(time.Second)
		synctest.Wait()
		if events, err := s.Events(t.Context(), identity.AuditQuery{Kind: "something"}); err != nil || len(events) != 1 || len(events[0].Subject) > 310 {
			t.Errorf("the noted event a second later: %v, %v", events, err)
		}
		for range 50 {
			time.Sleep(time.Hour)
			if _, err := s.Authenticate(t.Context(), token.Reveal()); err != nil {
				t.Fatalf("a connection in use: %v", err)
			}
		}
		synctest.Wait()
		if _, err := s.Key(t.Context(), a.ID, idle.ID); !errors.Is(err, identity.ErrNotFound) {
			t.Errorf("a connection that was idle for two days: %v", err)
		}
		if _, err := s.Key(t.Context(), a.ID, used.ID); err != nil {
			t.Errorf("a connection in use: %v", err)
		}
		stop()
		running.Wait()
		time.Sleep(401 * 24 * time.Hour)
		ctx, stop = context.WithCancel(t.Context())
		running.Go(func() { s.Run(ctx) })
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		stop()
		running.Wait()
		events, err := s.Events(t.Context(), identity.AuditQuery{})
		for _, e := range events {
			if e.Kind != identity.ConnectionRevoked {
				t.Errorf("an event after 400 days: %+v", e)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}
