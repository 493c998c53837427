package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// AddEvents implements identity.Store.
func (s *Identity) AddEvents(ctx context.Context, events []identity.Event) error {
	const insert = `INSERT INTO audit_event (at, kind, account_id, person_id, key_id, client, subject, address, reason, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, e := range events {
			_, err := tx.Exec(ctx, insert, timeText(e.At), string(e.Kind), e.Account, e.User, e.Key, e.Client, e.Subject, e.Address, e.Reason, e.Detail)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListEvents implements identity.Store.
func (s *Identity) ListEvents(ctx context.Context, q identity.AuditQuery) (events []identity.Event, err error) {
	const query = `SELECT at, kind, account_id, person_id, key_id, client, subject, address, reason, detail FROM audit_event
		WHERE at >= ?1 AND at < ?2 AND (?3 = '' OR person_id = ?3 OR subject = ?3) AND (?4 = '' OR account_id = ?4) AND (?5 = '' OR kind = ?5)
		ORDER BY at DESC, seq DESC LIMIT ?6`
	until := "9999"
	if !q.Until.IsZero() {
		until = timeText(q.Until)
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{timeText(q.Since), until, q.User, q.Account, string(q.Kind), q.Limit}, func(rows *sql.Rows) error {
			var e identity.Event
			var at string
			err := rows.Scan(&at, &e.Kind, &e.Account, &e.User, &e.Key, &e.Client, &e.Subject, &e.Address, &e.Reason, &e.Detail)
			if err != nil {
				return err
			}
			e.At, err = time.Parse(timeLayout, at)
			events = append(events, e)
			return err
		})
	})
	return events, err
}

// DeleteEvents implements identity.Store.
func (s *Identity) DeleteEvents(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM audit_event WHERE at < ?", timeText(before))
		return err
	})
}
