package identity

import (
	"fmt"
	"sync"
	"time"
)

// TooManyError says that too many wrong passwords were sent.
type TooManyError struct {
	Limit int
	Wait  time.Duration // until the next try
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %s", e.Wait.Round(time.Second))
}

const (
	throttleWindow = 15 * time.Minute
	// A person who mistypes is far below these; a guesser gets nowhere with them.
	triesPerEmail   = 10 // from one address
	triesPerAddress = 60 // for all e-mail addresses together
	triesOverall    = 60 // for one e-mail address from everywhere
	throttleEntries = 100_000
)

// throttle counts failed tries in windows that begin with the first. It keeps
// them in memory: a restart forgets, which costs a guesser more than it gives.
type throttle struct {
	mu      sync.Mutex
	windows map[string]*tries
}

type tries struct {
	ends time.Time
	used int
}

func newThrottle() *throttle { return &throttle{windows: make(map[string]*tries)} }

// quota is how many tries a name has.
type quota struct {
	name  string
	limit int
}

// signInQuotas are those of a try to sign in. The address is that of a network,
// so that a guesser with a whole /64 or /24 counts once.
func signInQuotas(email, address string) []quota {
	return []quota{
		{"pair " + address + " " + email, triesPerEmail},
		{"address " + address, triesPerAddress},
		{"email " + email, triesOverall},
	}
}

// take counts a try before it is made, so that many at once cannot pass the
// limit; giveBack undoes it for one that was right. *TooManyError when one of the
// quotas is used up; then none is counted.
func (t *throttle) take(now time.Time, quotas []quota) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range quotas {
		if w := t.windows[q.name]; w != nil && now.Before(w.ends) && w.used >= q.limit {
			return &TooManyError{Limit: q.limit, Wait: w.ends.Sub(now)}
		}
	}
	for _, q := range quotas {
		w := t.windows[q.name]
		if w == nil || !now.Before(w.ends) {
			t.makeRoom(now)
			w = &tries{ends: now.Add(throttleWindow)}
			t.windows[q.name] = w
		}
		w.used++
	}
	return nil
}

func (t *throttle) giveBack(quotas []quota) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range quotas {
		if w := t.windows[q.name]; w != nil && w.used > 0 {
			w.used--
		}
	}
}

// makeRoom drops windows that have ended, or any one when all are live.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.windows) < throttleEntries {
		return
	}
	for name, w := range t.windows {
		if !now.Before(w.ends) {
			delete(t.windows, name)
		}
	}
	for name := range t.windows {
		if len(t.windows) < throttleEntries {
			return
		}
		delete(t.windows, name)
	}
}
