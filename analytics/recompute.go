package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// A change that touches many customers is written down and answered: settings as
// asked for (row 2 of the settings), plans as they are, while memory holds the ones
// from before for reports. A goroutine of the engine then builds all ledgers beside
// those that reports go on to read. Customers who are written meanwhile are built
// again, and when few are left the account switches: one commit makes the settings
// those in force, one snapshot shows all of it. What a crash interrupts begins
// again when the account is opened; new terms of plans are then in force at once.

const (
	// usualBackground is up to how many customers are recomputed while the caller
	// waits.
	usualBackground = 10_000
	// fewLeft is how many customers may be built while the account is locked.
	fewLeft = 500
	// manyRounds bounds the rounds for customers who were written meanwhile.
	manyRounds = 8
)

// The rows of the table of settings.
const (
	settingsInForce int64 = 1
	settingsAsked   int64 = 2
)

// Recompute is the progress of what is computed in the background.
type Recompute struct {
	Processed, Total int // customers
	StartedAt        time.Time
	Retrying         bool // the last attempt could not be written
}

// recompute is the running form of Recompute.
type recompute struct {
	startedAt        time.Time
	processed, total atomic.Int64
	retrying         atomic.Bool
}

func (r *recompute) progress() *Recompute {
	total := int(r.total.Load())
	return &Recompute{
		Processed: min(int(r.processed.Load()), total), Total: total, StartedAt: r.startedAt, Retrying: r.retrying.Load(),
	}
}

// AskedSettings returns the settings that the account has, or is going to have
// once what is running is done; running is as Recomputing returns it.
func (e *Engine) AskedSettings(ctx context.Context, account string) (asked Settings, running *Recompute, err error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return Settings{}, nil, err
	}
	if v.asked == nil {
		return v.settings, v.running(), nil
	}
	return v.asked.values, v.running(), nil
}

// Recomputing returns how far the account is on its way to the settings and plans
// that were asked for, nil when all of them are in force.
func (e *Engine) Recomputing(ctx context.Context, account string) (*Recompute, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	return v.running(), nil
}

func (v *view) running() *Recompute {
	switch {
	case !v.computing:
		return nil
	case v.job == nil:
		return &Recompute{}
	default:
		return v.job.progress()
	}
}

// computing reports whether something that was asked for is not in force yet.
func (a *account) computing() bool { return a.asked != nil || a.held != nil }

// goal is the settings that the account is on its way to.
func (a *account) goal() *settingsState {
	if a.asked != nil {
		return a.asked
	}
	return &a.settings
}

// startRecompute starts what the account needs to get where it was asked to. The
// caller holds the lock.
func (a *account) startRecompute() {
	if !a.computing() || a.job != nil {
		return
	}
	job := &recompute{startedAt: a.engine.now()}
	job.total.Store(int64(len(a.byID)))
	if a.engine.launch(a, job) {
		a.job = job
	}
}

// launch runs a goroutine of the engine that keeps the account open. It reports
// false when the engine is closed.
func (e *Engine) launch(a *account, job *recompute) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.accounts[a.id]
	if e.closed || !ok || s.account != a {
		return false
	}
	s.users++
	e.jobs.Go(func() {
		defer e.unpin(a)
		a.recompute(e.life, job)
	})
	return true
}

// recompute tries until what was asked for is in force or the engine closes.
func (a *account) recompute(ctx context.Context, job *recompute) {
	const first, longest = time.Second, time.Minute
	for wait := first; ; wait = min(2*wait, longest) {
		done, err := a.rebuild(ctx, job)
		if done || ctx.Err() != nil {
			return
		}
		if err == nil { // something else was asked for
			wait = first
			continue
		}
		job.retrying.Store(true)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// build is a new state of all customers of an account under other settings or
// terms of plans.
type build struct {
	a       *account
	job     *recompute
	settled settingsState
	opened  uint64 // the account's, when the build began
	today   calendar.Day
	plans   []ledger.Plan
	ids     func(row uint32) string
	from    []*report.Customer // by index: what was replayed; nil for none
	to      []*report.Customer // what came of it
}

// item is a customer to replay.
type item struct {
	index   int
	record  *report.Customer
	history history
}

// rebuild builds the account as it was asked for and switches to that. done says
// that nothing is left to do.
func (a *account) rebuild(ctx context.Context, job *recompute) (done bool, err error) {
	b := &build{a: a, job: job}
	for round := 0; ; round++ {
		todo, done, err := b.next(ctx, round)
		if done || err != nil {
			return done, err
		}
		if todo == nil {
			return false, nil
		}
		if err := b.replay(ctx, todo, max(1, runtime.GOMAXPROCS(0)/2)); err != nil {
			return false, err
		}
	}
}

// next returns the customers to replay. Once they are few it replays them
// itself, switches, and is done. It returns nothing to do when the build is of no
// use any more.
func (b *build) next(ctx context.Context, round int) (todo []item, done bool, err error) {
	a := b.a
	if err := a.lock.lock(ctx); err != nil {
		return nil, false, err
	}
	defer a.lock.unlock()
	// Other settings and terms are no news about customers: subscribers are told of
	// none of it.
	if err := a.prepare(ctx, true); err != nil {
		return nil, false, err
	}
	switch {
	case !a.computing():
		a.job = nil
		return nil, true, nil
	case round == 0:
		b.begin()
	case b.opened != a.opened || !sameLedger(b.settled.ledger, a.goal().ledger) || !sameTerms(b.plans, a.plans.list):
		return nil, false, nil
	}
	b.plans, b.ids = a.plans.list, a.invoices.view()
	todo = b.outdated()
	if len(todo) > min(fewLeft, a.engine.background) && round < manyRounds {
		return todo, false, nil
	}
	if err := b.replay(ctx, todo, runtime.GOMAXPROCS(0)); err != nil {
		return nil, false, err
	}
	if err := b.install(ctx); err != nil {
		return nil, false, err
	}
	return nil, true, nil
}

func (b *build) begin() {
	a := b.a
	b.settled, b.opened = *a.goal(), a.opened
	b.today = calendar.DayOf(a.engine.now().In(b.settled.ledger.Zone))
	b.job.processed.Store(0)
	b.job.total.Store(int64(len(a.byID)))
}

// outdated lists the customers whose present state was not replayed yet.
func (b *build) outdated() []item {
	records := b.a.records
	for len(b.from) < len(records) {
		b.from, b.to = append(b.from, nil), append(b.to, nil)
	}
	var todo []item
	for i, record := range records {
		switch record {
		case b.from[i]:
		case nil:
			b.from[i], b.to[i] = nil, nil
		default:
			todo = append(todo, item{i, record, b.a.customers[i].history})
		}
	}
	return todo
}

// replay builds the ledgers of some customers. What it reads of the account is
// never changed: histories grow behind what they had, records are replaced.
func (b *build) replay(ctx context.Context, todo []item, workers int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, 1+len(todo)/minPerWorker) {
		wg.Go(func() {
			p := &player{replayer: ledger.NewReplayer(b.settled.ledger, b.plans)}
			for i := int(next.Add(1)); i <= len(todo) && ctx.Err() == nil; i = int(next.Add(1)) {
				b.play(p, &todo[i-1])
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (b *build) play(p *player, it *item) {
	p.load(&it.history)
	record := *it.record
	record.Ledger = p.replay(record.TrialStarted, b.today, b.ids)
	b.from[it.index], b.to[it.index] = it.record, &record
	b.job.processed.Add(1)
}

// install makes the build the account's state, in one commit and one snapshot.
func (b *build) install(ctx context.Context) error {
	a := b.a
	if err := a.commitAsked(ctx); err != nil {
		return err
	}
	a.held, a.today, a.players, a.job = nil, b.today, nil, nil
	a.records = b.to
	for i, record := range a.records {
		if record != nil {
			a.days[i] = customerDays{wake: record.Ledger.Wake, first: record.Ledger.FirstPaid}
		}
	}
	a.publish(a.current.Load().snapshot.Rates)
	return nil
}

// commitAsked makes the asked settings, if there are any, those in force. Plans
// are in the store as they were asked for.
func (a *account) commitAsked(ctx context.Context) error {
	if a.asked == nil {
		return nil
	}
	doc, err := json.Marshal(a.asked.values)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	row := Row{Table: TableSettings, Seq: settingsInForce, ID: settingsID, Doc: doc}
	c := Changeset{Version: a.version + 1, Delete: []Key{{Table: TableSettings, Seq: settingsAsked}}}
	if a.settings.stored {
		c.Update = []Row{row}
	} else {
		c.Insert = []Row{row}
	}
	if err := a.engine.store.Commit(context.WithoutCancel(ctx), a.id, c); err != nil {
		return fmt.Errorf("commit to account %s: %w", a.id, err)
	}
	a.stored = c.Version
	a.settings, a.asked = *a.asked, nil
	return nil
}
