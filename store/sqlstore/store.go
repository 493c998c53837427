// Package sqlstore keeps accounts, keys, analytics rows and exchange rates in
// one SQLite file.
package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

// FileName is the name of the data file in the data folder.
const FileName = "growpanel.db"

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Store is an open data file.
type Store struct{ db *sqldb.DB }

// Open opens the data file of a data folder and creates both when missing.
// Several processes may have it open at once, but an account's rows have one
// writer: see sqldb.LockFolder.
func Open(ctx context.Context, folder string) (*Store, error) {
	migrations, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Path: filepath.Join(folder, FileName), Migrations: migrations})
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// Close finishes the reads and writes under way and closes the file. Calls that
// come later return sqldb.ErrClosed.
func (s *Store) Close() error { return s.db.Close() }

// Analytics returns the file as an analytics.Store.
func (s *Store) Analytics() *Analytics { return &Analytics{db: s.db} }

// Hooks returns the file as a notify.Store.
func (s *Store) Hooks(sealer Sealer) *Hooks { return &Hooks{db: s.db, sealer: sealer} }

// Jobs returns the file as a jobs.Store.
func (s *Store) Jobs() *Jobs { return &Jobs{db: s.db} }

// Identity returns the file as an identity.Store.
func (s *Store) Identity() *Identity { return &Identity{db: s.db} }

// Billing returns the file as a billing.Store.
func (s *Store) Billing() *Billing { return &Billing{db: s.db} }
