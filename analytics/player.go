package analytics

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// player is one worker's replayer with the events of the customer at hand.
type player struct {
	sheet
	replayer *ledger.Replayer
}

// replay returns the ledger of the events on the sheet.
func (p *player) replay(trialStarted calendar.Stamp, today calendar.Day, ids func(row uint32) string) *ledger.Ledger {
	p.name(ids)
	return p.replayer.Replay(p.events, trialStarted, today)
}

// minPerWorker is the number of customers below which a second worker costs
// more than it saves.
const minPerWorker = 64

// replay recomputes the ledgers of the customers that need it.
func (e *edit) replay() {
	var todo []*work
	for _, w := range e.touched {
		if w.replay && !w.deleted {
			todo = append(todo, w)
		}
	}
	if len(todo) == 0 {
		return
	}
	workers := min(runtime.GOMAXPROCS(0), 1+len(todo)/minPerWorker)
	players := e.players(workers)
	ids := e.a.invoices.id
	if workers == 1 {
		for _, w := range todo {
			e.play(players[0], w, ids)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() {
			for i := next.Add(1); int(i) <= len(todo); i = next.Add(1) {
				e.play(p, todo[i-1], ids)
			}
		})
	}
	wg.Wait()
}

// play replays one customer.
func (e *edit) play(p *player, w *work, ids func(row uint32) string) {
	w.apply(&p.sheet)
	w.record.Ledger = p.replay(w.record.TrialStarted, e.today(), ids)
}

// players returns n workers for the plans and settings that the edit sees.
func (e *edit) players(n int) []*player {
	a := e.a
	if e.plans != nil || e.settings != nil {
		return newPlayers(n, e.settingsView().ledger, e.shownPlans().list)
	}
	if len(a.players) < n {
		a.players = newPlayers(n, a.settings.ledger, a.shownPlans().list)
	}
	return a.players[:n]
}

func newPlayers(n int, set ledger.Settings, plans []ledger.Plan) []*player {
	all := make([]*player, n)
	for i := range all {
		all[i] = &player{replayer: ledger.NewReplayer(set, plans)}
	}
	return all
}
