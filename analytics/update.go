package analytics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// settingsID is the id of the rows of settings.
const settingsID = "settings"

// UpdateSettings changes the metric settings and recomputes what depends on
// them before it returns the result. An account with many customers recomputes
// in the background (see AskedSettings): until then reports show the state under
// the old settings. The error is an *InvalidError when a value cannot be
// accepted; then nothing was changed.
func (e *Engine) UpdateSettings(ctx context.Context, account string, patch SettingsPatch) (Settings, error) {
	var updated Settings
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		base := ed.settingsView().values
		if asked := ed.askedView(); asked != nil {
			base = asked.values
		}
		updated = patch.apply(base)
		set, err := updated.ledger()
		if err != nil {
			return nil, err
		}
		return nil, ed.changeSettings(&settingsState{values: updated, ledger: set, stored: true})
	})
	return updated, err
}

// changeSettings puts settings in force, or asks for them where that takes time.
func (e *edit) changeSettings(to *settingsState) error {
	doc, err := json.Marshal(to.values)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	before := e.settingsView()
	same := sameLedger(before.ledger, to.ledger)
	if !same && len(e.a.byID) > e.a.engine.background {
		e.writeSettings(settingsAsked, doc, e.askedView() != nil)
		e.asked = &to
		return nil
	}
	if e.askedView() != nil { // what was asked for is overtaken
		e.log[TableSettings].removed(TableSettings, settingsAsked)
		e.asked = new(*settingsState)
	}
	e.writeSettings(settingsInForce, doc, before.stored)
	// Days pass only where everything that they change is replayed.
	if same {
		e.asOf = e.today()
	} else {
		e.asOf = calendar.DayOf(e.a.engine.now().In(to.ledger.Zone))
		e.replayAll()
	}
	e.settings = to
	return nil
}

func (e *edit) writeSettings(seq int64, doc []byte, exists bool) {
	row := Row{Table: TableSettings, Seq: seq, ID: settingsID, Doc: doc}
	if exists {
		e.log[TableSettings].updated(row)
	} else {
		e.log[TableSettings].inserted(row)
	}
}

// askedView returns the settings that are asked for, nil for none.
func (e *edit) askedView() *settingsState {
	if e.asked != nil {
		return *e.asked
	}
	return e.a.asked
}

// sameLedger reports whether ledgers are the same under both settings. Zones
// are compared by name: each load makes a new pointer.
func sameLedger(a, b ledger.Settings) bool {
	sameZone := a.Zone.String() == b.Zone.String()
	a.Zone, b.Zone = nil, nil
	return sameZone && a == b
}

// replayAll marks every customer.
func (e *edit) replayAll() {
	for i := range e.a.customers {
		if w := e.a.customers[i].work; w != nil {
			w.replay = true
		} else if e.a.records[i] != nil {
			e.touch(uint32(i)).replay = true
		}
	}
}

// Settings returns the account's metric settings that are in force.
func (e *Engine) Settings(ctx context.Context, account string) (Settings, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return Settings{}, err
	}
	return v.settings, nil
}
