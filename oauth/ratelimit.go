package oauth

import (
	"context"
	"time"
)

// Rate is how often something may happen: Burst times at once, and again as
// often as one every Interval.
type Rate struct {
	Burst    int
	Interval time.Duration
}

// RateLimits counts what clients do, per bucket: an endpoint and a network, an
// account, an e-mail address.
type RateLimits interface {
	// Take counts one event. wait is zero when it may happen, else how long until
	// the next may. The error wraps ErrUnavailable.
	Take(ctx context.Context, bucket string, rate Rate) (wait time.Duration, err error)
}
