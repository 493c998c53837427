package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
)

var _ analytics.Outbox = (*Analytics)(nil)

// Watch implements analytics.Outbox.
func (s *Analytics) Watch(ctx context.Context, account string) (w analytics.Watch, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		w = analytics.Watch{}
		const types = "SELECT DISTINCT event FROM hook WHERE account_id = ? AND paused = ''"
		err := tx.Each(ctx, types, []any{account}, func(rows *sql.Rows) error {
			var kind string
			err := rows.Scan(&kind)
			w.Types = append(w.Types, kind)
			return err
		})
		if err != nil || len(w.Types) == 0 {
			return err
		}
		w.Through, err = toldThrough(ctx, tx, account)
		return err
	})
	if err != nil {
		return analytics.Watch{}, fmt.Errorf("read hooks of account %s: %w", account, err)
	}
	return w, nil
}

func toldThrough(ctx context.Context, tx *sqldb.Tx, account string) (calendar.Day, error) {
	var text string
	err := tx.Get(ctx, "SELECT day FROM told_through WHERE account_id = ?", []any{account}, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return calendar.NoDay, nil
	}
	if err != nil {
		return calendar.NoDay, err
	}
	return calendar.ParseDay(text)
}

// Tell implements analytics.Outbox.
func (s *Analytics) Tell(ctx context.Context, account string, events []analytics.Event, through calendar.Day) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := addDeliveries(ctx, tx, account, events); err != nil {
			return err
		}
		return raiseToldThrough(ctx, tx, account, through.String())
	})
	if err != nil {
		return fmt.Errorf("tell events of account %s: %w", account, err)
	}
	return nil
}

func raiseToldThrough(ctx context.Context, tx *sqldb.Tx, account, day string) error {
	const raise = "INSERT INTO told_through (account_id, day) VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET day = max(day, excluded.day)"
	_, err := tx.Exec(ctx, raise, account, day)
	return err
}

// clock is the machine's time, by which jobs run. That of reports, which events
// have, may be pinned to a later one.
func clock(ctx context.Context, tx *sqldb.Tx) (time.Time, error) {
	var now string
	if err := tx.Get(ctx, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", nil, &now); err != nil {
		return time.Time{}, err
	}
	return time.Parse(timeLayout, now)
}

// receiver is a hook to which events are added.
type receiver struct {
	id      string
	pending int
}

// addDeliveries adds a job for every event and hook that wants it. What is there
// already, waiting or done, is not added again.
func addDeliveries(ctx context.Context, tx *sqldb.Tx, account string, events []analytics.Event) error {
	if len(events) == 0 {
		return nil
	}
	now, err := clock(ctx, tx)
	if err != nil {
		return err
	}
	receivers := map[string][]*receiver{}
	for _, e := range events {
		to, known := receivers[e.Type]
		if !known {
			if to, err = receiversOf(ctx, tx, account, e.Type); err != nil {
				return err
			}
			receivers[e.Type] = to
		}
		for _, r := range to {
			if err := r.add(ctx, tx, account, e, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func receiversOf(ctx context.Context, tx *sqldb.Tx, account, event string) (all []*receiver, err error) {
	const query = `SELECT id FROM hook WHERE account_id = ? AND event = ? AND paused = ''`
	err = tx.Each(ctx, query, []any{account, event}, func(rows *sql.Rows) error {
		r := &receiver{}
		all = append(all, r)
		return rows.Scan(&r.id)
	})
	for _, r := range all {
		if err == nil {
			r.pending, err = pendingOf(ctx, tx, account, r.id)
		}
	}
	return all, err
}

func pendingOf(ctx context.Context, tx *sqldb.Tx, account, hook string) (n int, err error) {
	err = tx.Get(ctx, "SELECT count(*) FROM job WHERE account_id = ? AND lane = ? AND state = 'queued'", []any{account, notify.Lane(hook)}, &n)
	return n, err
}

func (r *receiver) add(ctx context.Context, tx *sqldb.Tx, account string, e analytics.Event, now time.Time) error {
	if r.pending > notify.MaxPending {
		return nil
	}
	if r.pending == notify.MaxPending {
		r.pending++
		return pauseHook(ctx, tx, account, r.id, fmt.Sprintf("%d deliveries wait; events since then were left out", notify.MaxPending))
	}
	at := e.At
	if now.Before(at) {
		at = now
	}
	err := insertJob(ctx, tx, jobs.Job{
		ID: e.ID + "." + r.id, Account: account, Kind: notify.JobKind, Lane: notify.Lane(r.id), Payload: e.Body, RunAt: at, Created: at,
	})
	if errors.Is(err, jobs.ErrExists) {
		return nil
	}
	if err == nil {
		r.pending++
	}
	return err
}

func pauseHook(ctx context.Context, tx *sqldb.Tx, account, id, reason string) error {
	return changedOr(notify.ErrNotFound)(tx.Exec(ctx, "UPDATE hook SET paused = ? WHERE account_id = ? AND id = ?", reason, account, id))
}
