package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// SetSchedule implements jobs.Store.
func (s *Jobs) SetSchedule(ctx context.Context, sc jobs.Schedule) error {
	const set = "INSERT OR REPLACE INTO schedule (account_id, lane, kind, payload, every_s, next_at) VALUES (?, ?, ?, ?, ?, ?)"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, set, sc.Account, sc.Lane, sc.Kind, string(sc.Payload), int64(sc.Every/time.Second), timeText(sc.Next))
		return err
	})
}

const scheduleColumns = "account_id, lane, kind, payload, every_s, next_at"

// Schedule implements jobs.Store.
func (s *Jobs) Schedule(ctx context.Context, account, lane string) (sc jobs.Schedule, err error) {
	const query = "SELECT " + scheduleColumns + " FROM schedule WHERE account_id = ? AND lane = ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		sc, err = scanSchedule(func(dest ...any) error { return tx.Get(ctx, query, []any{account, lane}, dest...) })
		return err
	})
	return sc, err
}

func scanSchedule(scan func(dest ...any) error) (sc jobs.Schedule, err error) {
	var payload, next string
	var every int64
	if err := scan(&sc.Account, &sc.Lane, &sc.Kind, &payload, &every, &next); err != nil {
		return jobs.Schedule{}, orErr(jobs.ErrNotFound, err)
	}
	sc.Payload, sc.Every = json.RawMessage(payload), time.Duration(every)*time.Second
	sc.Next, err = time.Parse(timeLayout, next)
	return sc, err
}

// DropSchedule implements jobs.Store.
func (s *Jobs) DropSchedule(ctx context.Context, account, lane string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return dropSchedule(ctx, tx, account, lane) })
}

func dropSchedule(ctx context.Context, tx *sqldb.Tx, account, lane string) error {
	_, err := tx.Exec(ctx, "DELETE FROM schedule WHERE account_id = ? AND lane = ?", account, lane)
	return err
}

// DueSchedules implements jobs.Store.
func (s *Jobs) DueSchedules(ctx context.Context, now time.Time, limit int) (due []jobs.Schedule, err error) {
	const query = "SELECT " + scheduleColumns + " FROM schedule WHERE next_at <= ? ORDER BY next_at LIMIT ?"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{timeText(now), limit}, func(rows *sql.Rows) error {
			sc, err := scanSchedule(rows.Scan)
			due = append(due, sc)
			return err
		})
	})
	return due, err
}

// Fire implements jobs.Store.
func (s *Jobs) Fire(ctx context.Context, sc jobs.Schedule, next time.Time, j jobs.Job) error {
	const move = "UPDATE schedule SET next_at = ? WHERE account_id = ? AND lane = ? AND next_at = ? AND payload = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		moved, err := tx.Exec(ctx, move, timeText(next), sc.Account, sc.Lane, timeText(sc.Next), string(sc.Payload))
		if err != nil || moved == 0 {
			return err
		}
		busy, err := laneBusy(ctx, tx, j.Kind, j.Lane)
		if err != nil || busy {
			return err
		}
		if err := insertJob(ctx, tx, j); !errors.Is(err, jobs.ErrExists) {
			return err
		}
		return nil
	})
}
