package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/fxfeed"
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

const addRateSQL = `
INSERT INTO fx_rate (day, base, quote, value) VALUES (?, ?, ?, ?)
ON CONFLICT (day, base, quote) DO NOTHING`

// ratesPerWrite bounds how long other writes wait for a feed's whole history.
const ratesPerWrite = 10_000

// AddRates implements fxfeed.Store. A failure leaves the parts before it.
func (s *Analytics) AddRates(ctx context.Context, rates []fx.Rate) (added int, err error) {
	for part := range slices.Chunk(rates, ratesPerWrite) {
		n := 0
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			n = 0
			for _, r := range part {
				changed, err := tx.Exec(ctx, addRateSQL, r.Day.String(), r.Base, r.Quote, r.Value)
				if err != nil {
					return err
				}
				n += int(changed)
			}
			if n == 0 {
				return nil
			}
			_, err := tx.Exec(ctx, "UPDATE fx_version SET version = version + 1")
			return err
		})
		if err != nil {
			return added, fmt.Errorf("add exchange rates: %w", err)
		}
		added += n
	}
	return added, nil
}

// FeedStatus implements fxfeed.Store.
func (s *Analytics) FeedStatus(ctx context.Context) (status fxfeed.Status, err error) {
	status.Latest = calendar.NoDay
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, "SELECT checked_at, failed_for, latest FROM fx_feed", nil, func(rows *sql.Rows) error {
			var at int64
			var latest sql.NullString
			if err := rows.Scan(&at, &status.FailedFor, &latest); err != nil {
				return err
			}
			status.CheckedAt = time.Unix(at, 0).UTC()
			if !latest.Valid {
				return nil
			}
			var err error
			status.Latest, err = calendar.ParseDay(latest.String)
			return err
		})
	})
	if err != nil {
		return status, fmt.Errorf("read the status of the rates feed: %w", err)
	}
	return status, nil
}

const saveFeedSQL = `
INSERT INTO fx_feed (only_row, checked_at, failed_for, latest) VALUES (1, ?, ?, ?)
ON CONFLICT (only_row) DO UPDATE SET checked_at = excluded.checked_at, failed_for = excluded.failed_for, latest = excluded.latest`

// SaveFeedStatus implements fxfeed.Store.
func (s *Analytics) SaveFeedStatus(ctx context.Context, status fxfeed.Status) error {
	latest := sql.NullString{String: status.Latest.String(), Valid: status.Latest.Valid()}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, saveFeedSQL, status.CheckedAt.Unix(), status.FailedFor, latest)
		return err
	})
	if err != nil {
		return fmt.Errorf("save the status of the rates feed: %w", err)
	}
	return nil
}

// RateSpan is how far the rates of one pair of currencies reach.
type RateSpan struct {
	Base, Quote string
	First, Last calendar.Day
	Days        int
}

// RateSpans lists the pairs that there are rates of.
func (s *Analytics) RateSpans(ctx context.Context) (spans []RateSpan, err error) {
	const query = "SELECT base, quote, min(day), max(day), count(*) FROM fx_rate GROUP BY base, quote ORDER BY base, quote"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, nil, func(rows *sql.Rows) error {
			var span RateSpan
			var first, last string
			if err := rows.Scan(&span.Base, &span.Quote, &first, &last, &span.Days); err != nil {
				return err
			}
			var err error
			if span.First, err = calendar.ParseDay(first); err != nil {
				return err
			}
			span.Last, err = calendar.ParseDay(last)
			spans = append(spans, span)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list exchange rates: %w", err)
	}
	return spans, nil
}
