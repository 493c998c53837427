package analytics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// UpdateSettings changes the metric settings and recomputes what depends on
// them before it returns the result. The error is an *InvalidError when a value
// cannot be accepted; then nothing was changed.
func (e *Engine) UpdateSettings(ctx context.Context, account string, patch SettingsPatch) (Settings, error) {
	var updated Settings
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		before := ed.settingsView()
		updated = patch.apply(before.values)
		set, err := updated.ledger()
		if err != nil {
			return nil, err
		}
		doc, err := json.Marshal(updated)
		if err != nil {
			return nil, fmt.Errorf("encode settings: %w", err)
		}
		row := Row{Table: TableSettings, Seq: 1, ID: "settings", Doc: doc}
		if before.stored {
			ed.log[TableSettings].updated(row)
		} else {
			ed.log[TableSettings].inserted(row)
		}
		// Days pass only where everything that they change is replayed.
		if sameLedger(before.ledger, set) {
			ed.asOf = ed.today()
		} else {
			ed.asOf = calendar.DayOf(e.now().In(set.Zone))
			ed.replayAll()
		}
		ed.settings = &settingsState{values: updated, ledger: set, stored: true}
		return nil, nil
	})
	return updated, err
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

// Settings returns the account's metric settings.
func (e *Engine) Settings(ctx context.Context, account string) (Settings, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return Settings{}, err
	}
	return v.settings, nil
}
