package oauth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/storetest"
)

func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	limits := oauth.NewMemoryLimits(func() time.Time { return now })
	rate := oauth.Rate{Burst: 3, Interval: 10 * time.Second}
	take := func(bucket string) time.Duration {
		t.Helper()
		wait, err := limits.Take(t.Context(), bucket, rate)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	for i := range 3 {
		if wait := take("a"); wait != 0 {
			t.Fatalf("event %d of the burst waits %v", i, wait)
		}
	}
	if wait := take("a"); wait != 10*time.Second {
		t.Errorf("the event after the burst waits %v, want 10s", wait)
	}
	if wait := take("b"); wait != 0 {
		t.Errorf("another bucket waits %v", wait)
	}
	now = now.Add(10 * time.Second)
	if wait := take("a"); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
	if wait := take("a"); wait != 10*time.Second {
		t.Errorf("one interval lets %v through, want one", wait)
	}
	for i := range 200_000 {
		take(fmt.Sprint("flood", i))
	}
	if wait := take("new"); wait != 0 {
		t.Errorf("a flood of addresses holds a new one off for %v", wait)
	}
}

// The limits in memory and those in Redis keep the same rules.
func TestMemoryLimits_KeepTheRulesOfAllLimits(t *testing.T) {
	t.Parallel()
	clock := &oauthtest.Clock{}
	storetest.RunRateLimits(t, oauth.NewMemoryLimits(clock.Now), clock)
}
