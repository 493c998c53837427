package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

const memberColumns = "p.id, p.email, p.first_name, p.last_name, m.role, p.disabled_at IS NOT NULL, m.since, p.last_sign_in_at, m.created_via"

// scanMember reads memberColumns.
func scanMember(scan func(dest ...any) error) (m identity.Member, err error) {
	var since string
	var signedIn sql.NullString
	if err := scan(&m.User, &m.Email, &m.FirstName, &m.LastName, &m.Role, &m.Disabled, &since, &signedIn, &m.CreatedVia); err != nil {
		return identity.Member{}, notFound(err)
	}
	if m.Since, err = time.Parse(timeLayout, since); err != nil {
		return identity.Member{}, err
	}
	m.LastSignIn, err = parseTime(signedIn)
	return m, err
}

func getMember(ctx context.Context, tx *sqldb.Tx, account, user string) (identity.Member, error) {
	const query = "SELECT " + memberColumns + " FROM member m JOIN person p ON p.id = m.person_id WHERE m.account_id = ? AND m.person_id = ?"
	return scanMember(func(dest ...any) error { return tx.Get(ctx, query, []any{account, user}, dest...) })
}

// Member implements identity.Store.
func (s *Identity) Member(ctx context.Context, account, user string) (m identity.Member, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		m, err = getMember(ctx, tx, account, user)
		return err
	})
	return m, err
}

// ListMembers implements identity.Store.
func (s *Identity) ListMembers(ctx context.Context, account string, limit int) (members []identity.Member, err error) {
	const query = "SELECT " + memberColumns + ` FROM member m JOIN person p ON p.id = m.person_id
		WHERE m.account_id = ? ORDER BY m.since, p.id LIMIT ?`
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{account, limit}, func(rows *sql.Rows) error {
			m, err := scanMember(rows.Scan)
			members = append(members, m)
			return err
		})
	})
	return members, err
}

// Memberships implements identity.Store.
func (s *Identity) Memberships(ctx context.Context, user string, limit int) (list []identity.Membership, err error) {
	const query = `SELECT a.id, a.created_at, a.closing_at, a.name, m.role FROM member m JOIN account a ON a.id = m.account_id
		WHERE m.person_id = ? ORDER BY a.name, a.id LIMIT ?`
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Each(ctx, query, []any{user, limit}, func(rows *sql.Rows) error {
			var m identity.Membership
			var created string
			var closing sql.NullString
			err := rows.Scan(&m.Account.ID, &created, &closing, &m.Account.Name, &m.Role)
			if err != nil {
				return err
			}
			if m.Account.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
				return err
			}
			m.Account.ClosingAt, err = parseTime(closing)
			list = append(list, m)
			return err
		})
	})
	return list, err
}

// AddMember implements identity.Store.
func (s *Identity) AddMember(ctx context.Context, account, user string, role identity.Role, at time.Time, limit int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := roomForMember(ctx, tx, account, limit); err != nil {
			return err
		}
		return addMember(ctx, tx, account, user, role, "", at)
	})
}

// roomForMember refuses an unknown account and one with limit members and
// invitations.
func roomForMember(ctx context.Context, tx *sqldb.Tx, account string, limit int) error {
	const count = "SELECT (SELECT count(*) FROM member WHERE account_id = ?1) + (SELECT count(*) FROM invitation WHERE account_id = ?1)"
	a, err := getAccount(ctx, tx, account)
	if err != nil {
		return err
	}
	if !a.ClosingAt.IsZero() {
		return identity.ErrClosing
	}
	var have int
	if err := tx.Get(ctx, count, []any{account}, &have); err != nil {
		return err
	}
	if have >= limit {
		return identity.ErrTooManyMembers
	}
	return nil
}

func addMember(ctx context.Context, tx *sqldb.Tx, account, user string, role identity.Role, via string, at time.Time) error {
	const insert = `INSERT INTO member (account_id, person_id, role, since, created_via) SELECT ?, id, ?, ?, ? FROM person WHERE id = ? ON CONFLICT DO NOTHING`
	if _, err := getMember(ctx, tx, account, user); !isNotFound(err) {
		if err == nil {
			return identity.ErrExists
		}
		return err
	}
	return changedOr(identity.ErrNotFound)(tx.Exec(ctx, insert, account, string(role), timeText(at), via, user))
}

// SetRole implements identity.Store.
func (s *Identity) SetRole(ctx context.Context, account, user string, role identity.Role) error {
	const update = "UPDATE member SET role = ? WHERE account_id = ? AND person_id = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if role != identity.Owner {
			if err := keepsOwner(ctx, tx, account, user); err != nil {
				return err
			}
		}
		if err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, update, string(role), account, user)); err != nil {
			return err
		}
		// Nobody who may not hand out a role any more has it handed out by a link.
		const above = `DELETE FROM invitation WHERE account_id = ?1 AND invited_by = ?2
			AND (?3 = 'readonly' OR ?3 = 'admin' AND role = 'owner')`
		_, err := tx.Exec(ctx, above, account, user, string(role))
		return err
	})
}

// keepsOwner refuses to take away the only owner. A disabled one does not count
// for an account: nobody could act for it.
func keepsOwner(ctx context.Context, tx *sqldb.Tx, account, user string) error {
	const others = `SELECT count(*) FROM member m JOIN person p ON p.id = m.person_id
		WHERE m.account_id = ? AND m.person_id <> ? AND m.role = 'owner' AND p.disabled_at IS NULL`
	m, err := getMember(ctx, tx, account, user)
	if err != nil {
		return err
	}
	if m.Role != identity.Owner {
		return nil
	}
	var left int
	if err := tx.Get(ctx, others, []any{account, user}, &left); err != nil {
		return err
	}
	if left == 0 {
		return identity.ErrLastOwner
	}
	return nil
}

// RemoveMember implements identity.Store.
func (s *Identity) RemoveMember(ctx context.Context, account, user string) error {
	const keysOf = "SELECT " + keyColumns + " FROM api_key k WHERE k.account_id = ? AND k.person_id = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := keepsOwner(ctx, tx, account, user); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM member WHERE account_id = ? AND person_id = ?", account, user); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM invitation WHERE account_id = ? AND invited_by = ?", account, user); err != nil {
			return err
		}
		keys, err := selectKeys(ctx, tx, keysOf, account, user)
		if err != nil {
			return err
		}
		return deleteKeys(ctx, tx, keys)
	})
}
