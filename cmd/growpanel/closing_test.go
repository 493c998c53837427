package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// TestServe_LeavesClosingAccountsAlone starts a server on a folder in which a
// delivery of a closing account is due, and one of an account that is open. There
// is no webhook to deliver to, so the second one fails at once.
func TestServe_LeavesClosingAccountsAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	users := identity.New(identity.Config{Store: store.Identity(), Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	began := time.Now()
	due := func(name string) jobs.Job {
		t.Helper()
		account, err := users.CreateAccount(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		j := jobs.Job{ID: "evt_" + name, Account: account.ID, Kind: notify.JobKind, Lane: notify.Lane("wh_" + name), Payload: []byte("{}"), RunAt: began, Created: began}
		if err := store.Jobs().Enqueue(t.Context(), j, false); err != nil {
			t.Fatal(err)
		}
		return j
	}
	open, closing := due("open"), due("closing")
	if _, err := users.CloseAccount(t.Context(), closing.Account); err != nil {
		t.Fatal(err)
	}
	start(t, config.ServeAPI, config.Serve{Data: folder, RateLimits: config.DefaultRateLimits()})
	settled := func(j jobs.Job) jobs.Job {
		t.Helper()
		for {
			now, err := store.Jobs().Job(t.Context(), j.Account, j.ID)
			if err != nil {
				t.Fatal(err)
			}
			if now.State.Ended() || now.State == jobs.Queued && now.RunAt.After(began.Add(time.Minute)) {
				return now
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if j := settled(open); j.State != jobs.Failed {
		t.Errorf("the delivery of the open account: %+v", j)
	}
	if j := settled(closing); j.State != jobs.Queued || j.Attempt != 0 {
		t.Errorf("the delivery of the closing account: %+v", j)
	}
}
