package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

const invitationColumns = "i.hash, i.account_id, a.name, i.email, i.role, i.invited_by, i.created_via, i.created_at, i.expires_at"

// scanInvitation reads invitationColumns.
func scanInvitation(scan func(dest ...any) error) (i identity.Invitation, err error) {
	var hash []byte
	var created, expires string
	err = scan(&hash, &i.Account, &i.AccountName, &i.Email, &i.Role, &i.InvitedBy, &i.CreatedVia, &created, &expires)
	if err != nil {
		return identity.Invitation{}, notFound(err)
	}
	if i.Hash, err = hashOf(hash); err != nil {
		return identity.Invitation{}, err
	}
	if i.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return identity.Invitation{}, err
	}
	i.ExpiresAt, err = time.Parse(timeLayout, expires)
	return i, err
}

func getInvitation(ctx context.Context, tx *sqldb.Tx, hash identity.Hash) (identity.Invitation, error) {
	const query = "SELECT " + invitationColumns + " FROM invitation i JOIN account a ON a.id = i.account_id WHERE i.hash = ?"
	return scanInvitation(func(dest ...any) error { return tx.Get(ctx, query, []any{hash[:]}, dest...) })
}

// InvitationByHash implements identity.Store.
func (s *Identity) InvitationByHash(ctx context.Context, hash identity.Hash) (i identity.Invitation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err = getInvitation(ctx, tx, hash)
		return err
	})
	return i, err
}

// ListInvitations implements identity.Store.
func (s *Identity) ListInvitations(ctx context.Context, account string, limit int) (list []identity.Invitation, err error) {
	const query = "SELECT " + invitationColumns + ` FROM invitation i JOIN account a ON a.id = i.account_id
		WHERE i.account_id = ? ORDER BY i.created_at, i.email LIMIT ?`
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{account, limit}, func(rows *sql.Rows) error {
			i, err := scanInvitation(rows.Scan)
			list = append(list, i)
			return err
		})
	})
	return list, err
}

// CreateInvitation implements identity.Store.
func (s *Identity) CreateInvitation(ctx context.Context, i identity.Invitation, limit int) error {
	const over = "DELETE FROM invitation WHERE account_id = ? AND expires_at < ?"
	const members = "SELECT count(*) FROM member m JOIN person p ON p.id = m.person_id WHERE m.account_id = ? AND p.email = ?"
	const insert = `INSERT INTO invitation (hash, account_id, email, role, invited_by, created_via, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, over, i.Account, timeText(i.CreatedAt)); err != nil {
			return err
		}
		if err := roomForMember(ctx, tx, i.Account, limit); err != nil {
			return err
		}
		if err := creatorLives(ctx, tx, i.Account, i.CreatedVia); err != nil {
			return err
		}
		var member int
		if err := tx.Get(ctx, members, []any{i.Account, i.Email}, &member); err != nil {
			return err
		}
		if member > 0 {
			return identity.ErrExists
		}
		return changedOr(identity.ErrExists)(tx.Exec(ctx, insert,
			i.Hash[:], i.Account, i.Email, string(i.Role), i.InvitedBy, i.CreatedVia, timeText(i.CreatedAt), timeText(i.ExpiresAt)))
	})
}

// RenewInvitation implements identity.Store.
func (s *Identity) RenewInvitation(ctx context.Context, account, email string, hash identity.Hash, expires time.Time) (i identity.Invitation, err error) {
	const update = "UPDATE invitation SET hash = ?, expires_at = ? WHERE account_id = ? AND email = ?"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, update, hash[:], timeText(expires), account, email))
		if err != nil {
			return err
		}
		i, err = getInvitation(ctx, tx, hash)
		return err
	})
	if err != nil {
		return identity.Invitation{}, err
	}
	return i, nil
}

// DeleteInvitation implements identity.Store.
func (s *Identity) DeleteInvitation(ctx context.Context, account, email string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(tx.Exec(ctx, "DELETE FROM invitation WHERE account_id = ? AND email = ?", account, email))
	})
}

// AcceptInvitation implements identity.Store.
func (s *Identity) AcceptInvitation(ctx context.Context, hash identity.Hash, u identity.User, login identity.Login, now time.Time, limit int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := getInvitation(ctx, tx, hash)
		if err != nil {
			return err
		}
		if !now.Before(i.ExpiresAt) {
			return identity.ErrNotFound
		}
		if _, err := tx.Exec(ctx, "DELETE FROM invitation WHERE hash = ?", hash[:]); err != nil {
			return err
		}
		if err := roomForMember(ctx, tx, i.Account, limit); err != nil {
			return err
		}
		if err := ensureUser(ctx, tx, u); err != nil {
			return err
		}
		if login != (identity.Login{}) {
			if err := linkLogin(ctx, tx, u.ID, login, now); err != nil {
				return err
			}
		}
		err = addMember(ctx, tx, i.Account, u.ID, i.Role, i.CreatedVia, now)
		if err == identity.ErrExists { //nolint:errorlint // addMember's own
			return nil // a member already: the link is used up, their role stays
		}
		return err
	})
}

func ensureUser(ctx context.Context, tx *sqldb.Tx, u identity.User) error {
	var known int
	if err := tx.Get(ctx, "SELECT count(*) FROM person WHERE id = ?", []any{u.ID}, &known); err != nil || known > 0 {
		return err
	}
	return insertUser(ctx, tx, u)
}
