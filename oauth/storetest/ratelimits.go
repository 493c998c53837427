package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// RunRateLimits checks rate limits whose time is the clock's.
func RunRateLimits(t *testing.T, limits oauth.RateLimits, clock *oauthtest.Clock) {
	t.Helper()
	rate := oauth.Rate{Burst: 5, Interval: time.Hour}
	var passed atomic.Int32
	parallel(racers, func(int) {
		wait, err := limits.Take(t.Context(), "flood", rate)
		if err != nil {
			t.Error(err)
		}
		if wait == 0 {
			passed.Add(1)
		} else if wait > time.Hour || wait < 55*time.Minute {
			t.Errorf("wait %v, want about an hour", wait)
		}
	})
	if passed.Load() != int32(rate.Burst) {
		t.Errorf("%d passed, want %d", passed.Load(), rate.Burst)
	}
	if wait, err := limits.Take(t.Context(), "another", rate); wait != 0 || err != nil {
		t.Errorf("Take from another bucket: wait %v, %v", wait, err)
	}
	clock.Advance(time.Hour + time.Second)
	for i, want := range []bool{true, false} {
		wait, err := limits.Take(t.Context(), "flood", rate)
		if err != nil || (wait == 0) != want {
			t.Errorf("Take %d after an hour: wait %v, %v", i+1, wait, err)
		}
	}
	clock.Advance(100 * time.Hour)
	for range rate.Burst {
		if wait, err := limits.Take(t.Context(), "flood", rate); wait != 0 || err != nil {
			t.Errorf("Take after days: wait %v, %v", wait, err)
		}
	}
}
