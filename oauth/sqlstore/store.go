// Package sqlstore keeps OAuth state in an SQLite file of its own, so that a
// large push of rows never delays a token.
package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// FileName is the name of the file in the data folder.
const FileName = "oauth.db"

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Config says how a store behaves. Now is required.
type Config struct {
	// Now is the store's clock: the process's, always in real time.
	Now func() time.Time
	// ClientLife is how long a registered client is kept after its last use: 97
	// days when zero, a week longer than a refresh token.
	ClientLife time.Duration
	// MaxClients is how many registered clients are kept; oauth.MaxClients when zero.
	MaxClients int
}

// Store is an open file. It is an oauth.Store, oauth.Records and
// oauth.ClientStore, and safe for concurrent use; other processes may have the
// same file open.
type Store struct {
	db  *sqldb.DB
	cfg Config
}

var (
	_ oauth.Store       = (*Store)(nil)
	_ oauth.Records     = (*Store)(nil)
	_ oauth.ClientStore = (*Store)(nil)
)

// Open opens the file of a data folder and creates both when missing.
func Open(ctx context.Context, folder string, cfg Config) (*Store, error) {
	if cfg.ClientLife == 0 {
		cfg.ClientLife = oauth.DefaultRefreshTTL + oauth.Retention
	}
	if cfg.MaxClients == 0 {
		cfg.MaxClients = oauth.MaxClients
	}
	migrations, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Path: filepath.Join(folder, FileName), Migrations: migrations})
	if err != nil {
		return nil, err
	}
	return &Store{db: db, cfg: cfg}, nil
}

// Close finishes the calls under way and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// now is the store's clock in the precision that it keeps.
func (s *Store) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

func (s *Store) write(ctx context.Context, fn func(context.Context, *sqldb.Tx) error) error {
	return answer(s.db.Write(ctx, fn))
}

func (s *Store) read(ctx context.Context, fn func(context.Context, *sqldb.Tx) error) error {
	return answer(s.db.Read(ctx, fn))
}

// answer lets through what a store may say and calls everything else
// unavailable.
func answer(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return oauth.ErrNotFound
	}
	for _, known := range []error{oauth.ErrNotFound, oauth.ErrExists, oauth.ErrMoved, oauth.ErrFull} {
		if errors.Is(err, known) {
			return known
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", oauth.ErrUnavailable, err)
	}
	return nil
}

// changedOr takes the result of a statement and returns missed when it changed
// no row.
func changedOr(missed error) func(changed int64, err error) error {
	return func(changed int64, err error) error {
		if err == nil && changed == 0 {
			return missed
		}
		return err
	}
}

// millis is how times are stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// millisColumn scans a stored time.
type millisColumn struct{ t *time.Time }

// Scan implements sql.Scanner.
func (c millisColumn) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*c.t = instant(n)
	return nil
}

// fixedColumn scans bytes that are an array, or empty.
type fixedColumn struct{ b []byte }

// Scan implements sql.Scanner.
func (c fixedColumn) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok && value != nil || len(b) != 0 && len(b) != len(c.b) {
		return fmt.Errorf("%d bytes are stored, want %d", len(b), len(c.b))
	}
	copy(c.b, b)
	return nil
}

// wordsColumn scans words that are separated by spaces.
type wordsColumn struct{ words *[]string }

// Scan implements sql.Scanner.
func (c wordsColumn) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a list is stored as %T", value)
	}
	*c.words = strings.Fields(text)
	return nil
}
