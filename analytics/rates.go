package analytics

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// rates keeps the exchange rates of the store as a table, which all accounts
// share.
type rates struct {
	store   Store
	reload  mutex
	current atomic.Pointer[ratesAt] // nil until read
}

type ratesAt struct {
	version uint64
	table   *fx.Table
}

// table returns the store's rates as they are now.
func (r *rates) table(ctx context.Context) (*fx.Table, error) {
	if table, _, err := r.cached(ctx); table != nil || err != nil {
		return table, err
	}
	if err := r.reload.lock(ctx); err != nil {
		return nil, err
	}
	defer r.reload.unlock()
	table, version, err := r.cached(ctx)
	if table != nil || err != nil {
		return table, err
	}
	all, err := r.store.Rates(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the exchange rates: %w", err)
	}
	table, err = fx.NewTable(all)
	if err != nil {
		return nil, fmt.Errorf("read the exchange rates: %w", err)
	}
	r.current.Store(&ratesAt{version: version, table: table})
	return table, nil
}

// cached returns the table if the store still has that version, and the
// store's version.
func (r *rates) cached(ctx context.Context) (*fx.Table, uint64, error) {
	version, err := r.store.RatesVersion(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("read the version of the exchange rates: %w", err)
	}
	if at := r.current.Load(); at != nil && at.version == version {
		return at.table, version, nil
	}
	return nil, version, nil
}
