package analytics

import (
	"context"
	"encoding/json"
	"fmt"
)

// BaseCurrency returns the currency code that an account's reports convert to.
// Unlike Settings it does not open the account: it costs one row, however much
// the account holds.
func (e *Engine) BaseCurrency(ctx context.Context, account string) (string, error) {
	settings := DefaultSettings()
	err := e.store.Rows(ctx, account, TableSettings, []int64{settingsInForce}, func(r Row) error {
		return json.Unmarshal(r.Doc, &settings)
	})
	if err != nil {
		return "", fmt.Errorf("read base currency: %w", err)
	}
	return settings.BaseCurrency, nil
}
