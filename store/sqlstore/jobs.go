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

// Jobs is a jobs.Store.
type Jobs struct{ db *sqldb.DB }

var _ jobs.Store = (*Jobs)(nil)

// Enqueue implements jobs.Store.
func (s *Jobs) Enqueue(ctx context.Context, j jobs.Job, alone bool) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if alone {
			if busy, err := laneBusy(ctx, tx, j.Kind, j.Lane); err != nil || busy {
				return errors.Join(err, onlyIf(busy, jobs.ErrBusy))
			}
		}
		return insertJob(ctx, tx, j)
	})
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func laneBusy(ctx context.Context, tx *sqldb.Tx, kind, lane string) (busy bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM job WHERE state = 'queued' AND kind = ?1 AND lane = ?2)
		OR EXISTS (SELECT 1 FROM job WHERE state = 'running' AND kind = ?1 AND lane = ?2)`
	err = tx.Get(ctx, query, []any{kind, lane}, &busy)
	return busy, err
}

// insertJob adds a queued job; ErrExists when its id is taken.
func insertJob(ctx context.Context, tx *sqldb.Tx, j jobs.Job) error {
	const insert = `INSERT INTO job (id, account_id, kind, lane, state, payload, attempt, error, run_at, lease, abort, created_at)
		VALUES (?, ?, ?, ?, 'queued', ?, 0, '', ?, 0, 0, ?) ON CONFLICT DO NOTHING`
	return changedOr(jobs.ErrExists)(tx.Exec(ctx, insert,
		j.ID, j.Account, j.Kind, j.Lane, string(j.Payload), timeText(j.RunAt), timeText(j.Created)))
}

// nextJob finds the earliest job of each lane by jumping from lane to lane in
// the index, so that its cost is the number of lanes and not of jobs.
const nextJob = `
WITH RECURSIVE lanes (lane) AS (
	SELECT min(lane) FROM job WHERE state = 'queued' AND kind = ?1
	UNION ALL
	SELECT (SELECT min(lane) FROM job WHERE state = 'queued' AND kind = ?1 AND lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL
), heads (lane, due) AS (
	SELECT lane, (SELECT min(run_at) FROM job WHERE state = 'queued' AND kind = ?1 AND job.lane = lanes.lane) FROM lanes WHERE lane IS NOT NULL
)
SELECT (SELECT no FROM job WHERE state = 'queued' AND kind = ?1 AND job.lane = heads.lane AND run_at = due ORDER BY no LIMIT 1), due
FROM heads WHERE lane NOT IN (SELECT value FROM json_each(?2)) ORDER BY due, lane LIMIT 1`

// Claim implements jobs.Store.
func (s *Jobs) Claim(ctx context.Context, kind string, busy []string, now, until time.Time) (job *jobs.Job, next time.Time, err error) {
	if busy == nil {
		busy = []string{}
	}
	skip, err := json.Marshal(busy)
	if err != nil {
		return nil, time.Time{}, err
	}
	// Looking costs no turn at the writer, and mostly there is nothing to do.
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, next, err = headOfQueue(ctx, tx, kind, string(skip))
		return err
	})
	if err != nil || next.IsZero() || next.After(now) {
		return nil, next, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		job = nil
		no, due, err := headOfQueue(ctx, tx, kind, string(skip))
		if next = due; err != nil || due.IsZero() || due.After(now) {
			return err
		}
		const lease = `UPDATE job SET state = 'running', attempt = attempt + 1, lease = lease + 1, lease_until = ?, started_at = ? WHERE no = ?`
		if _, err := tx.Exec(ctx, lease, timeText(until), timeText(now), no); err != nil {
			return err
		}
		j, err := scanJob(func(dest ...any) error {
			return tx.Get(ctx, "SELECT "+jobColumns+" FROM job WHERE no = ?", []any{no}, dest...)
		})
		job = &j
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return job, next, nil
}

func headOfQueue(ctx context.Context, tx *sqldb.Tx, kind, skip string) (no int64, due time.Time, err error) {
	var at string
	err = tx.Get(ctx, nextJob, []any{kind, skip}, &no, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, err
	}
	due, err = time.Parse(timeLayout, at)
	return no, due, err
}

// Extend implements jobs.Store.
func (s *Jobs) Extend(ctx context.Context, id string, lease int64, until time.Time, progress json.RawMessage) (abort bool, err error) {
	const extend = `UPDATE job SET lease_until = ?1, progress = coalesce(?2, progress) WHERE id = ?3 AND lease = ?4 AND state = 'running' RETURNING abort`
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return orErr(jobs.ErrLost, tx.Get(ctx, extend, []any{timeText(until), nullText(progress), id, lease}, &abort))
	})
	return abort, err
}

// Finish implements jobs.Store.
func (s *Jobs) Finish(ctx context.Context, id string, lease int64, o jobs.Outcome) error {
	const again = `UPDATE job SET state = 'queued', lease_until = NULL, error = ?, run_at = ?, attempt = attempt - ?,
		ended_at = NULL WHERE id = ? AND lease = ? AND state = 'running' AND abort = 0`
	const end = `UPDATE job SET state = ?, lease_until = NULL, error = ?, abort = 0, ended_at = ? WHERE id = ? AND lease = ? AND state = 'running'`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if o.State == jobs.Queued {
			changed, err := tx.Exec(ctx, again, o.Error, timeText(o.RunAt), o.Refund, id, lease)
			if err != nil || changed > 0 {
				return err
			}
			// An abort that came while the attempt was failing still counts.
			o = jobs.Outcome{State: jobs.Aborted, Error: o.Error, EndedAt: o.RunAt}
		}
		return changedOr(jobs.ErrLost)(tx.Exec(ctx, end, string(o.State), o.Error, timeText(o.EndedAt), id, lease))
	})
}

// Reclaim implements jobs.Store. What was to be aborted ends instead.
func (s *Jobs) Reclaim(ctx context.Context, now time.Time) (n int, err error) {
	return s.reclaim(ctx, now, now)
}

// ReclaimAll is Reclaim whatever the leases say: for a process that begins and
// has the data to itself, so that whoever held them is gone.
func (s *Jobs) ReclaimAll(ctx context.Context, now time.Time) (n int, err error) {
	return s.reclaim(ctx, now, now.AddDate(100, 0, 0))
}

// reclaim takes back the leases that end until a time.
func (s *Jobs) reclaim(ctx context.Context, now, until time.Time) (n int, err error) {
	const due = "SELECT EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until <= ?)"
	const reclaim = `UPDATE job SET state = iif(abort, 'aborted', 'queued'), ended_at = iif(abort, ?1, NULL),
		error = 'the worker vanished', abort = 0, lease_until = NULL WHERE state = 'running' AND lease_until <= ?2`
	var some bool
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Get(ctx, due, []any{timeText(until)}, &some)
	})
	if err != nil || !some {
		return 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		changed, err := tx.Exec(ctx, reclaim, timeText(now), timeText(until))
		n = int(changed)
		return err
	})
	return n, err
}

// Abort implements jobs.Store.
func (s *Jobs) Abort(ctx context.Context, account, id string, now time.Time) (j jobs.Job, err error) {
	const end = `UPDATE job SET state = 'aborted', ended_at = ? WHERE account_id = ? AND id = ? AND state = 'queued'`
	const ask = `UPDATE job SET abort = 1 WHERE account_id = ? AND id = ? AND state = 'running'`
	return s.change(ctx, account, id, jobs.ErrEnded, func(ctx context.Context, tx *sqldb.Tx) (int64, error) {
		if n, err := tx.Exec(ctx, end, timeText(now), account, id); err != nil || n > 0 {
			return n, err
		}
		return tx.Exec(ctx, ask, account, id)
	})
}

// Retry implements jobs.Store.
func (s *Jobs) Retry(ctx context.Context, account, id string, now time.Time) (jobs.Job, error) {
	const again = `UPDATE job SET state = 'queued', attempt = 0, run_at = ?, ended_at = NULL WHERE account_id = ? AND id = ? AND ended_at IS NOT NULL`
	return s.change(ctx, account, id, jobs.ErrNotEnded, func(ctx context.Context, tx *sqldb.Tx) (int64, error) {
		return tx.Exec(ctx, again, timeText(now), account, id)
	})
}

// change runs an update of one job and returns the job after it; refused when it
// is there and nothing was changed.
func (s *Jobs) change(ctx context.Context, account, id string, refused error, update func(context.Context, *sqldb.Tx) (int64, error)) (j jobs.Job, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		changed, err := update(ctx, tx)
		if err != nil {
			return err
		}
		if j, err = getJob(ctx, tx, account, id); err != nil {
			return err
		}
		return onlyIf(changed == 0, refused)
	})
	if err != nil {
		return jobs.Job{}, err
	}
	return j, nil
}

// Job implements jobs.Store.
func (s *Jobs) Job(ctx context.Context, account, id string) (j jobs.Job, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		j, err = getJob(ctx, tx, account, id)
		return err
	})
	return j, err
}

func getJob(ctx context.Context, tx *sqldb.Tx, account, id string) (jobs.Job, error) {
	return scanJob(func(dest ...any) error {
		return tx.Get(ctx, "SELECT "+jobColumns+" FROM job WHERE id = ? AND account_id = ?", []any{id, account}, dest...)
	})
}

// Jobs implements jobs.Store.
func (s *Jobs) Jobs(ctx context.Context, account string, f jobs.Filter) (list []jobs.Job, err error) {
	const from = "SELECT " + jobColumns + " FROM job WHERE account_id = ?1 AND lane = ?2"
	const page = " AND no < coalesce((SELECT no FROM job WHERE id = ?3 AND account_id = ?1), iif(?3 = '', 9223372036854775807, 0)) ORDER BY no DESC LIMIT ?4"
	query, args := from+page, []any{account, f.Lane, f.After, f.Limit}
	if f.State != "" {
		query, args = from+" AND state = ?5"+page, append(args, string(f.State))
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, args, func(rows *sql.Rows) error {
			j, err := scanJob(rows.Scan)
			list = append(list, j)
			return err
		})
	})
	return list, err
}

const jobColumns = "id, account_id, kind, lane, payload, state, progress, attempt, error, run_at, created_at, started_at, ended_at, lease"

// scanJob reads jobColumns.
func scanJob(scan func(dest ...any) error) (j jobs.Job, err error) {
	var payload, runAt, created string
	var progress, started, ended sql.NullString
	err = scan(&j.ID, &j.Account, &j.Kind, &j.Lane, &payload, &j.State, &progress, &j.Attempt, &j.Error, &runAt, &created, &started, &ended, &j.Lease)
	if err != nil {
		return jobs.Job{}, orErr(jobs.ErrNotFound, err)
	}
	j.Payload = json.RawMessage(payload)
	if progress.Valid {
		j.Progress = json.RawMessage(progress.String)
	}
	for _, t := range []struct {
		to   *time.Time
		text string
	}{{&j.RunAt, runAt}, {&j.Created, created}, {&j.Started, started.String}, {&j.Ended, ended.String}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(timeLayout, t.text); err != nil {
			return jobs.Job{}, err
		}
	}
	return j, nil
}

// DropLane implements jobs.Store.
func (s *Jobs) DropLane(ctx context.Context, account, lane string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return dropLane(ctx, tx, account, lane) })
}

func dropLane(ctx context.Context, tx *sqldb.Tx, account, lane string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM job WHERE account_id = ? AND lane = ?", account, lane); err != nil {
		return err
	}
	return dropSchedule(ctx, tx, account, lane)
}

// Purge implements jobs.Store.
func (s *Jobs) Purge(ctx context.Context, kind string, before time.Time, limit int) (n int, err error) {
	const purge = "DELETE FROM job WHERE no IN (SELECT no FROM job WHERE kind = ? AND ended_at < ? LIMIT ?)"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		changed, err := tx.Exec(ctx, purge, kind, timeText(before), limit)
		n = int(changed)
		return err
	})
	return n, err
}

// orErr replaces sql.ErrNoRows.
func orErr(missed, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missed
	}
	return err
}

// nullText is JSON as a column's value, null for nil.
func nullText(text json.RawMessage) any {
	if text == nil {
		return nil
	}
	return string(text)
}
