package sqldb

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// migrate runs the scripts that the file has not seen, in one transaction that
// also holds the file's write lock. So a killed process leaves either the old
// schema or the new one, and of two processes that start at once the second
// finds the work done. The number of the last script is the file's
// user_version (sqlite.org/pragma.html#pragma_user_version).
func migrate(ctx context.Context, c *conn, cfg Config) (err error) {
	scripts, err := readMigrations(cfg.Migrations)
	if err != nil {
		return err
	}
	uncanceled := context.WithoutCancel(ctx)
	if err := c.exec(uncanceled, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin migration: %w", err)
	}
	defer func() {
		if err != nil {
			_ = c.exec(uncanceled, "ROLLBACK") // ended already if this fails
		}
	}()
	version, err := schemaVersion(uncanceled, c, len(scripts))
	if err != nil {
		return err
	}
	if err := keepOld(ctx, cfg.Path, version, len(scripts)); err != nil {
		return err
	}
	if err := runScripts(uncanceled, c, scripts, version); err != nil {
		return err
	}
	if err := c.exec(uncanceled, "COMMIT"); err != nil {
		return fmt.Errorf("commit migration: %w", err)
	}
	return nil
}

// runScripts runs those that a file of a version has not seen.
func runScripts(ctx context.Context, c *conn, scripts []string, version int) error {
	for i, script := range scripts[version:] {
		if _, err := c.sql.ExecContext(ctx, script); err != nil {
			return fmt.Errorf("run migration %d: %w", version+i+1, err)
		}
	}
	if _, err := c.sql.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(len(scripts))); err != nil {
		return fmt.Errorf("record schema version: %w", err)
	}
	return nil
}

// keepOld copies a file whose schema is about to change to a file beside it,
// such as growpanel.db.schema-3, so that an operator can go back to the version
// of the program before. One that is there from an earlier attempt stays. The
// caller holds the write lock, so that no other process changes the schema
// meanwhile.
func keepOld(ctx context.Context, path string, version, next int) error {
	if version == 0 || version == next {
		return nil
	}
	kept := path + ".schema-" + strconv.Itoa(version)
	if _, err := os.Lstat(kept); err == nil {
		return nil
	}
	if err := Copy(ctx, path, kept); err != nil {
		return fmt.Errorf("back up before the schema changes: %w", err)
	}
	return nil
}

// schemaVersion returns how many scripts the file has seen. It refuses a file
// that has seen more than the known ones, and one that has tables but no
// version: another program's.
func schemaVersion(ctx context.Context, c *conn, known int) (version int, err error) {
	var tables int
	const query = "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version"
	if err := c.sql.QueryRowContext(ctx, query).Scan(&version, &tables); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if version > known {
		return 0, fmt.Errorf("%w: its schema is %d, this program knows %d", ErrNewer, version, known)
	}
	if version == 0 && tables > 0 {
		return 0, fmt.Errorf("%w: it has tables of another program", ErrCorrupt)
	}
	return version, nil
}

// readMigrations returns the scripts in order of their numbers. The names are
// part of the program, so a wrong one is found by the first test that opens a
// file.
func readMigrations(migrations fs.FS) ([]string, error) {
	names, err := fs.Glob(migrations, "*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	scripts := make([]string, len(names))
	for i, name := range names {
		if prefix := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(name, prefix) {
			return nil, fmt.Errorf("migration %s: the name must begin with %s", name, prefix)
		}
		script, err := fs.ReadFile(migrations, name)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		scripts[i] = string(script)
	}
	return scripts, nil
}
