package analytics

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// Config is what an Engine needs.
type Config struct {
	Store Store
	Rows  RowDecoder
	Now   func() time.Time // what reports call today
	// Outbox is told of what happens in the accounts; nil for nobody. It belongs
	// to the Store: changesets carry the events of a commit.
	Outbox Outbox
	// MemoryBudget bounds the estimated size of the open accounts in bytes. When
	// it is exceeded the accounts that were not used for longest are closed;
	// those in use stay open whatever they need. 0 stands for 1 GiB.
	MemoryBudget int64
	// Background is from how many customers on a change of settings or plans is computed
	// in the background. 0 stands for 10,000.
	Background int
}

const defaultBudget = 1 << 30

// Engine keeps the accounts in memory and their rows in the store. It is safe
// for concurrent use. The goroutines that it starts end with Close.
type Engine struct {
	store      Store
	rows       RowDecoder
	now        func() time.Time
	outbox     Outbox // may be nil
	budget     int64
	background int
	rates      rates

	life context.Context // of the engine's own goroutines
	end  context.CancelFunc
	jobs sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	accounts map[string]*slot
	size     int64  // of all open accounts
	clock    uint64 // counts uses, for the order of the last ones
}

// slot is an open account in the engine's list.
type slot struct {
	account *account
	users   int    // calls that are using it
	used    uint64 // when it was last used, by the engine's clock
	size    int64
}

// New returns an engine without open accounts.
func New(cfg Config) *Engine {
	e := &Engine{
		store: cfg.Store, rows: cfg.Rows, now: cfg.Now, outbox: cfg.Outbox, budget: cfg.MemoryBudget,
		rates: rates{store: cfg.Store, reload: newMutex()}, accounts: map[string]*slot{},
	}
	if e.budget == 0 {
		e.budget = defaultBudget
	}
	if e.background = cfg.Background; e.background == 0 {
		e.background = usualBackground
	}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

// Close ends the engine: later calls return ErrClosed. Calls that run are not
// interrupted. What was acknowledged is in the store.
// What runs in the background is broken off, to begin again when the account is
// opened.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.accounts, e.size = map[string]*slot{}, 0
	e.mu.Unlock()
	e.end()
	e.jobs.Wait()
}

// Snapshot returns the account as of now: every write that was answered before
// the call is in it. Snapshots are immutable, and customers that did not change
// from one to the next are the same pointers in both.
func (e *Engine) Snapshot(ctx context.Context, account string) (*report.Snapshot, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	return v.snapshot, nil
}

// pin returns the account and keeps it open until unpin.
func (e *Engine) pin(id string) (*account, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	s, ok := e.accounts[id]
	if !ok {
		s = &slot{account: newAccount(e, id)}
		e.accounts[id] = s
	}
	s.users++
	e.clock++
	s.used = e.clock
	return s.account, nil
}

func (e *Engine) unpin(a *account) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.accounts[a.id]; ok && s.account == a {
		s.users--
	}
	e.evict()
}

// resize notes the size of an account that is in use.
func (e *Engine) resize(a *account, size int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.accounts[a.id]; ok && s.account == a {
		e.size += size - s.size
		s.size = size
	}
}

// evict closes the accounts that were not used for longest until the others
// fit the budget. The last used one stays: an account beyond the budget would
// otherwise be opened for every call.
func (e *Engine) evict() {
	for e.size > e.budget {
		var oldest *slot
		for _, s := range e.accounts {
			if s.users == 0 && s.used != e.clock && (oldest == nil || s.used < oldest.used) {
				oldest = s
			}
		}
		if oldest == nil {
			return
		}
		e.size -= oldest.size
		delete(e.accounts, oldest.account.id)
	}
}

// view returns the account as of now.
func (e *Engine) view(ctx context.Context, id string) (*view, error) {
	a, err := e.pin(id)
	if err != nil {
		return nil, err
	}
	defer e.unpin(a)
	if v := a.current.Load(); v != nil {
		rates, err := e.rates.table(ctx)
		if err != nil {
			return nil, err
		}
		stored, err := e.store.Version(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read the account's version: %w", err)
		}
		if v.fresh(stored, rates, e.now()) {
			return v, nil
		}
	}
	if err := a.lock.lock(ctx); err != nil {
		return nil, err
	}
	defer a.lock.unlock()
	return a.refresh(ctx)
}

// write runs one write of an account.
func (e *Engine) write(ctx context.Context, id string, rows int, apply func(*edit) ([]FieldError, error)) ([]FieldError, error) {
	a, err := e.pin(id)
	if err != nil {
		return nil, err
	}
	defer e.unpin(a)
	return a.write(ctx, rows, apply)
}
