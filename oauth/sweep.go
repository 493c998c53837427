package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

const (
	sweepEvery   = 15 * time.Second
	sweepTimeout = time.Minute
	lastFlush    = 5 * time.Second
	purgeEvery   = time.Hour
	purgeBatch   = 1000
	claimBatch   = 50
	// claimLease outlasts the calls of a batch: claimBatch times apiTimeout.
	claimLease   = 5 * time.Minute
	backoffFirst = 15 * time.Second
	backoffLast  = time.Hour
)

// Run sweeps, purges and writes last uses until ctx ends. Any number of processes
// may run it over one store.
func (g *Grants) Run(ctx context.Context) {
	sweep, purge, flush := time.NewTicker(sweepEvery), time.NewTicker(purgeEvery), time.NewTicker(usesEvery)
	defer sweep.Stop()
	defer purge.Stop()
	defer flush.Stop()
	for {
		select {
		case <-sweep.C:
			g.inBackground(ctx, "sweep of connections", g.Sweep)
		case <-purge.C:
			g.inBackground(ctx, "purge of connections", g.purge)
		case <-flush.C:
			g.inBackground(ctx, "last uses of connections", g.flush)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
			defer cancel()
			g.inBackground(last, "last uses of connections", g.flush)
			return
		}
	}
}

func (g *Grants) inBackground(ctx context.Context, what string, work func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	if err := work(ctx); err != nil && ctx.Err() == nil {
		g.cfg.Logger.WarnContext(ctx, "background work not finished", "work", what, "error", err)
	}
}

// Sweep looks at every family that is due: it ends those whose time is over and
// deletes the API keys of those that have ended. Work that fails stays due.
func (g *Grants) Sweep(ctx context.Context) error {
	for {
		rows, now, err := g.cfg.Store.Claim(ctx, claimBatch, claimLease)
		if err != nil {
			return fmt.Errorf("claim due families: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		var errs []error
		for _, r := range rows {
			errs = append(errs, g.settle(ctx, r, now))
		}
		// A store that fails now would fail for the next batch as well.
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
}

// settle does what a due row asks for. The error is the store's alone: an API
// that does not answer puts the row off.
func (g *Grants) settle(ctx context.Context, r Revocation, now time.Time) error {
	f, _, err := g.cfg.Store.Family(ctx, r.Family)
	switch {
	case errors.Is(err, ErrNotFound):
		f = Family{ID: r.Family, State: Ended, Grant: Grant{Account: r.Account}} // purged
	case err != nil:
		return err
	}
	if f.State != Ended {
		reason := ReasonExpired
		if f.State == Pending {
			reason = ReasonCodeUnused
		}
		ended, err := g.cfg.Store.End(ctx, r.Family, Ending{Reason: reason, Stale: true})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if !ended {
			return g.lookAgain(ctx, r, f, now)
		}
		g.audit(ctx, ActionEnded, string(reason), f, netip.Addr{})
	}
	if err := g.deleteKey(ctx, f, r); err != nil {
		g.cfg.Logger.WarnContext(ctx, "API key not deleted yet", "family", r.Family.String(), "attempts", r.Attempts+1, "error", err)
		return g.cfg.Store.Postpone(ctx, r, now.Add(backoff(r.Attempts)), r.Attempts+1)
	}
	return nil
}

// lookAgain puts off a family that still has time.
func (g *Grants) lookAgain(ctx context.Context, r Revocation, f Family, now time.Time) error {
	due := f.ExpiresAt
	if !due.After(now) { // it was refreshed or ended since it was read
		due = now.Add(sweepEvery)
	}
	return g.cfg.Store.Postpone(ctx, r, due, 0)
}

// backoff doubles from backoffFirst to backoffLast.
func backoff(attempts int) time.Duration {
	wait := backoffFirst
	for range attempts {
		if wait *= 2; wait >= backoffLast {
			return backoffLast
		}
	}
	return wait
}

func (g *Grants) purge(ctx context.Context) error {
	for {
		n, err := g.cfg.Store.Purge(ctx, purgeBatch)
		if err != nil || n < purgeBatch {
			return err
		}
	}
}

// Reseal seals every outbox row with the first secret, so that an old one can be
// taken away, and returns how many it changed. What tokens seal follows by
// itself, as they are refreshed.
func (g *Grants) Reseal(ctx context.Context) (int, error) {
	n, err := g.cfg.Store.Reseal(ctx, g.cfg.Keys.resealRevocation)
	if err != nil {
		return n, fmt.Errorf("reseal outbox: %w", err)
	}
	return n, nil
}
