package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// RatesVersion implements analytics.Store.
func (s *Analytics) RatesVersion(ctx context.Context) (version uint64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Get(ctx, "SELECT version FROM fx_version", nil, &version)
	})
	if err != nil {
		return 0, fmt.Errorf("read version of exchange rates: %w", err)
	}
	return version, nil
}

// Rates implements analytics.Store.
func (s *Analytics) Rates(ctx context.Context) (rates []fx.Rate, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, "SELECT day, base, quote, value FROM fx_rate", nil, func(rows *sql.Rows) error {
			r, err := scanRate(rows)
			rates = append(rates, r)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read exchange rates: %w", err)
	}
	return rates, nil
}

func scanRate(rows *sql.Rows) (r fx.Rate, err error) {
	var day string
	if err := rows.Scan(&day, &r.Base, &r.Quote, &r.Value); err != nil {
		return r, err
	}
	r.Day, err = calendar.ParseDay(day)
	return r, err
}

const importRateSQL = `
INSERT INTO fx_rate (day, base, quote, value) VALUES (?, ?, ?, ?)
ON CONFLICT (day, base, quote) DO UPDATE SET value = excluded.value`

// ImportRates implements analytics.Store.
func (s *Analytics) ImportRates(ctx context.Context, rates []fx.Rate) error {
	if len(rates) == 0 {
		return nil
	}
	for i, r := range rates {
		if !r.Day.Valid() {
			return fmt.Errorf("import exchange rates: rate %d (%s to %s) has no day", i, r.Base, r.Quote)
		}
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, r := range rates {
			if _, err := tx.Exec(ctx, importRateSQL, r.Day.String(), r.Base, r.Quote, r.Value); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE fx_version SET version = version + 1")
		return err
	})
	if err != nil {
		return fmt.Errorf("import exchange rates: %w", err)
	}
	return nil
}
