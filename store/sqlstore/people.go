package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

const userColumns = "p.id, p.email, p.password, p.first_name, p.last_name, p.locale, p.timezone, p.created_at, p.disabled_at, p.last_sign_in_at, p.origin"

// scanUser reads userColumns.
func scanUser(scan func(dest ...any) error) (u identity.User, err error) {
	var password, created string
	var disabled, signedIn sql.NullString
	err = scan(&u.ID, &u.Email, &password, &u.FirstName, &u.LastName, &u.Locale, &u.Timezone, &created, &disabled, &signedIn, &u.Origin)
	if err != nil {
		return identity.User{}, notFound(err)
	}
	u.Password = identity.StoredPassword(password)
	if u.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return identity.User{}, err
	}
	if u.DisabledAt, err = parseTime(disabled); err != nil {
		return identity.User{}, err
	}
	u.LastSignIn, err = parseTime(signedIn)
	return u, err
}

func (s *Identity) getUser(ctx context.Context, query string, args ...any) (u identity.User, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		u, err = scanUser(func(dest ...any) error { return tx.Get(ctx, query, args, dest...) })
		return err
	})
	return u, err
}

// User implements identity.Store.
func (s *Identity) User(ctx context.Context, id string) (identity.User, error) {
	return s.getUser(ctx, "SELECT "+userColumns+" FROM person p WHERE p.id = ?", id)
}

// UserByEmail implements identity.Store.
func (s *Identity) UserByEmail(ctx context.Context, email string) (identity.User, error) {
	return s.getUser(ctx, "SELECT "+userColumns+" FROM person p WHERE p.email = ?", email)
}

// UserByLogin implements identity.Store.
func (s *Identity) UserByLogin(ctx context.Context, login identity.Login) (identity.User, error) {
	const query = "SELECT " + userColumns + " FROM login l JOIN person p ON p.id = l.person_id WHERE l.issuer = ? AND l.subject = ?"
	return s.getUser(ctx, query, login.Issuer, login.Subject)
}

// CreateUser implements identity.Store.
func (s *Identity) CreateUser(ctx context.Context, u identity.User) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insertUser(ctx, tx, u) })
}

// CreateOwner implements identity.Store.
func (s *Identity) CreateOwner(ctx context.Context, u identity.User, a identity.Account) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := insertUser(ctx, tx, u); err != nil {
			return err
		}
		if err := insertAccount(ctx, tx, a); err != nil {
			return err
		}
		return addMember(ctx, tx, a.ID, u.ID, identity.Owner, "", a.CreatedAt)
	})
}

func insertUser(ctx context.Context, tx *sqldb.Tx, u identity.User) error {
	const insert = `INSERT INTO person (id, email, password, first_name, last_name, locale, timezone, created_at, origin)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	return changedOr(identity.ErrExists)(tx.Exec(ctx, insert,
		u.ID, u.Email, u.Password.Stored(), u.FirstName, u.LastName, u.Locale, u.Timezone, timeText(u.CreatedAt), string(u.Origin)))
}

// UpdateProfile implements identity.Store.
func (s *Identity) UpdateProfile(ctx context.Context, id string, p identity.Profile) error {
	const update = "UPDATE person SET first_name = ?, last_name = ?, locale = ?, timezone = ? WHERE id = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(tx.Exec(ctx, update, p.FirstName, p.LastName, p.Locale, p.Timezone, id))
	})
}

// SetPassword implements identity.Store.
func (s *Identity) SetPassword(ctx context.Context, id string, hash identity.PasswordHash, also identity.PasswordReset) error {
	const connections = "SELECT " + keyColumns + " FROM api_key k WHERE k.person_id = ? AND k.kind = 'connection'"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, "UPDATE person SET password = ? WHERE id = ?", hash.Stored(), id))
		if err != nil {
			return err
		}
		if err := endSessions(ctx, tx, id); err != nil {
			return err
		}
		if also.Unlink {
			if _, err := tx.Exec(ctx, "DELETE FROM login WHERE person_id = ?", id); err != nil {
				return err
			}
		}
		if !also.Disconnect {
			return nil
		}
		keys, err := selectKeys(ctx, tx, connections, id)
		if err != nil {
			return err
		}
		return deleteKeys(ctx, tx, keys)
	})
}

func endSessions(ctx context.Context, tx *sqldb.Tx, user string) error {
	_, err := tx.Exec(ctx, "DELETE FROM session WHERE person_id = ?", user)
	return err
}

// DisableUser implements identity.Store.
func (s *Identity) DisableUser(ctx context.Context, id string, at time.Time) error {
	const keysOf = "SELECT " + keyColumns + " FROM api_key k WHERE k.person_id = ?"
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, "UPDATE person SET disabled_at = ? WHERE id = ?", timeText(at), id))
		if err != nil {
			return err
		}
		if err := endSessions(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM invitation WHERE invited_by = ?", id); err != nil {
			return err
		}
		keys, err := selectKeys(ctx, tx, keysOf, id)
		if err != nil {
			return err
		}
		return deleteKeys(ctx, tx, keys)
	})
}

// EnableUser implements identity.Store.
func (s *Identity) EnableUser(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return changedOr(identity.ErrNotFound)(tx.Exec(ctx, "UPDATE person SET disabled_at = NULL WHERE id = ?", id))
	})
}

// LinkLogin implements identity.Store.
func (s *Identity) LinkLogin(ctx context.Context, id string, login identity.Login, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return linkLogin(ctx, tx, id, login, at) })
}

// LinkFirstLogin implements identity.Store.
func (s *Identity) LinkFirstLogin(ctx context.Context, id string, login identity.Login, at time.Time) error {
	const closed = `SELECT count(*) FROM person p WHERE p.id = ? AND p.password = ''
		AND NOT EXISTS (SELECT 1 FROM login l WHERE l.person_id = p.id)`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var found int
		if err := tx.Get(ctx, closed, []any{id}, &found); err != nil {
			return err
		}
		if found == 0 {
			return identity.ErrExists
		}
		return linkLogin(ctx, tx, id, login, at)
	})
}

// Logins implements identity.Store.
func (s *Identity) Logins(ctx context.Context, id string) (list []identity.LinkedLogin, err error) {
	const query = "SELECT issuer, subject, linked_at FROM login WHERE person_id = ? ORDER BY linked_at, issuer, subject"
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list = nil
		return tx.Each(ctx, query, []any{id}, func(rows *sql.Rows) error {
			var l identity.LinkedLogin
			var at string
			if err := rows.Scan(&l.Issuer, &l.Subject, &at); err != nil {
				return err
			}
			l.At, err = time.Parse(timeLayout, at)
			list = append(list, l)
			return err
		})
	})
	return list, err
}

func linkLogin(ctx context.Context, tx *sqldb.Tx, id string, login identity.Login, at time.Time) error {
	const insert = "INSERT INTO login (issuer, subject, person_id, linked_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
	changed, err := tx.Exec(ctx, insert, login.Issuer, login.Subject, id, timeText(at))
	if err != nil || changed > 0 {
		return err
	}
	var owner string
	if err := tx.Get(ctx, "SELECT person_id FROM login WHERE issuer = ? AND subject = ?", []any{login.Issuer, login.Subject}, &owner); err != nil {
		return err
	}
	if owner != id {
		return identity.ErrExists
	}
	return nil
}

// CreateSession implements identity.Store.
func (s *Identity) CreateSession(ctx context.Context, session identity.Session, limit int) error {
	const signedIn = "UPDATE person SET last_sign_in_at = ? WHERE id = ? AND disabled_at IS NULL"
	const insert = "INSERT INTO session (hash, person_id, created_at, last_used_at) VALUES (?, ?, ?, ?)"
	const trim = `DELETE FROM session WHERE person_id = ?1 AND hash NOT IN
		(SELECT hash FROM session WHERE person_id = ?1 ORDER BY created_at DESC, hash LIMIT ?2)`
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := changedOr(identity.ErrNotFound)(tx.Exec(ctx, signedIn, timeText(session.CreatedAt), session.User))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insert, session.Hash[:], session.User, timeText(session.CreatedAt), timeText(session.LastUsed)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, trim, session.User, limit)
		return err
	})
}

// SessionByHash implements identity.Store.
func (s *Identity) SessionByHash(ctx context.Context, hash identity.Hash) (session identity.Session, u identity.User, err error) {
	const query = "SELECT " + userColumns + ", s.created_at, s.last_used_at FROM session s JOIN person p ON p.id = s.person_id WHERE s.hash = ?"
	var created, used string
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		u, err = scanUser(func(dest ...any) error { return tx.Get(ctx, query, []any{hash[:]}, append(dest, &created, &used)...) })
		return err
	})
	if err != nil {
		return identity.Session{}, identity.User{}, err
	}
	session = identity.Session{Hash: hash, User: u.ID}
	if session.CreatedAt, err = time.Parse(timeLayout, created); err != nil {
		return identity.Session{}, identity.User{}, err
	}
	session.LastUsed, err = time.Parse(timeLayout, used)
	return session, u, err
}

// TouchSession implements identity.Store.
func (s *Identity) TouchSession(ctx context.Context, hash identity.Hash, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE session SET last_used_at = max(last_used_at, ?) WHERE hash = ?", timeText(at), hash[:])
		return err
	})
}

// DeleteSession implements identity.Store.
func (s *Identity) DeleteSession(ctx context.Context, hash identity.Hash) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM session WHERE hash = ?", hash[:])
		return err
	})
}

// DeleteSessions implements identity.Store.
func (s *Identity) DeleteSessions(ctx context.Context, created, used time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM session WHERE created_at < ? OR last_used_at < ?", timeText(created), timeText(used))
		return err
	})
}

func isNotFound(err error) bool { return errors.Is(err, identity.ErrNotFound) }
