package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// Copy writes a copy of the data file from to the new file to, as of one moment
// between two writes, and checks it. The file may be in use by this and by other
// processes, which go on. When Copy returns nil the copy is whole and on disk;
// otherwise there is none.
func Copy(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("copy data file: %w", err)
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("copy data file %s: %s is there already", from, to)
	}
	partial, err := emptyFile(to)
	if err != nil {
		return fmt.Errorf("copy data file %s: %w", from, err)
	}
	if err := copyTo(ctx, from, partial); err != nil {
		return errors.Join(fmt.Errorf("copy data file %s: %w", from, explain(err)), removed(partial))
	}
	if err := os.Rename(partial, to); err != nil {
		return errors.Join(fmt.Errorf("copy data file %s: %w", from, err), removed(partial))
	}
	return SyncFolder(filepath.Dir(to))
}

func copyTo(ctx context.Context, from, to string) error {
	err := alone(ctx, from, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "VACUUM INTO ?", to) // sqlite.org/lang_vacuum.html
		return err
	})
	if err != nil {
		return err
	}
	if err := Check(ctx, to); err != nil {
		return err
	}
	return syncFile(to)
}

// Check reads a whole data file, which nobody may be writing, and returns an
// error that wraps ErrCorrupt when its structure is damaged.
func Check(ctx context.Context, path string) error {
	var verdict string
	err := alone(ctx, path, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict)
	})
	if err != nil {
		return fmt.Errorf("check data file %s: %w", path, explain(err))
	}
	if verdict != "ok" {
		return fmt.Errorf("check data file %s: %w: %s", path, ErrCorrupt, verdict)
	}
	return nil
}

// Scrub rewrites the file without what was deleted from it, and empties its log.
// It waits for the reads and writes under way, keeps others waiting, and takes as
// long as copying the file.
func (db *DB) Scrub(ctx context.Context) error {
	if !db.enter() {
		return ErrClosed
	}
	defer db.active.Done()
	err := with(ctx, writerDSN(Config{Path: db.path, BusyTimeout: defaultBusyTimeout}), func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "VACUUM"); err != nil {
			return err
		}
		var busy, pages, moved int
		if err := c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
			return err
		}
		if busy != 0 {
			return ErrBusy
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rewrite data file %s: %w", db.path, explain(err))
	}
	return nil
}

// alone runs fn over a reading connection of its own.
func alone(ctx context.Context, path string, fn func(*sql.Conn) error) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return with(ctx, dsn(Config{Path: path, BusyTimeout: defaultBusyTimeout}, "ro"), fn)
}

// with runs fn over a connection of its own.
func with(ctx context.Context, dsn string, fn func(*sql.Conn) error) error {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	c, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(fn(c), c.Close(), db.Close())
}

// emptyFile makes a file beside another that only this user may read.
func emptyFile(beside string) (path string, err error) {
	f, err := os.CreateTemp(filepath.Dir(beside), filepath.Base(beside)+".partial-*")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
