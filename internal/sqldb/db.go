// Package sqldb opens SQLite data files for the stores: schema migrations, one
// writer with group commit, and a pool of read-only connections.
package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"modernc.org/sqlite"
)

const (
	defaultReaders     = 4
	defaultBusyTimeout = 10 * time.Second
)

// Config says which file to open. Path and Migrations are required.
type Config struct {
	// Path is the data file. It is created with mode 0600, and its folder with
	// mode 0700, when missing; modes of what exists are left alone.
	Path string

	// Migrations holds NNNN_name.sql files, numbered from 0001 without gaps.
	// Those that the file has not seen yet run at Open, all of them or none.
	Migrations fs.FS

	// Readers is how many reads can run at once; 4 when zero.
	Readers int

	// BusyTimeout is how long a write waits for another process that is
	// writing; 10 seconds when zero.
	BusyTimeout time.Duration
}

// DB is one open data file. It is safe for concurrent use, and other processes
// may have the same file open.
type DB struct {
	path    string
	writer  *writer
	pools   []*pool
	readers chan *conn

	mu     sync.Mutex
	closed bool
	active sync.WaitGroup // calls of Read and Write under way
}

// Open opens the data file, creates it when missing, and brings its schema up
// to date. The error names the file and says what is wrong with it: it is one of
// this package's, or of package os.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open data file %s: %w", cfg.Path, explain(err))
	}
	return db, nil
}

func open(ctx context.Context, cfg Config) (_ *DB, err error) {
	if cfg.Readers == 0 {
		cfg.Readers = defaultReaders
	}
	if cfg.BusyTimeout == 0 {
		cfg.BusyTimeout = defaultBusyTimeout
	}
	if cfg.Path, err = filepath.Abs(cfg.Path); err != nil {
		return nil, err
	}
	if err := create(cfg.Path); err != nil {
		return nil, err
	}
	writing, err := openWriter(ctx, cfg)
	if err != nil {
		return nil, err
	}
	db := &DB{path: cfg.Path, pools: []*pool{writing}, readers: make(chan *conn, cfg.Readers)}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.closePools())
		}
	}()
	if err := migrate(ctx, writing.conns[0], cfg); err != nil {
		return nil, err
	}
	reading, err := openPool(ctx, readerDSN(cfg), cfg.Readers)
	if err != nil {
		return nil, err
	}
	db.pools = append(db.pools, reading)
	for _, c := range reading.conns {
		db.readers <- c
	}
	db.writer = startWriter(writing.conns[0])
	return db, nil
}

// create makes the folder and an empty file with the modes that keep other
// users of the machine out; SQLite gives its journal the mode of the file.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return SyncFolder(dir)
}

// Write runs fn in a transaction of the one writer and returns nil once the
// transaction is on disk. When it returns an error, nothing of it was written.
//
// Calls that wait at the same moment share one transaction and one disk flush;
// each has a savepoint, so that one that fails does so alone. When the shared
// commit fails, every call is tried again by itself: fn may run twice, and must
// do nothing that a rollback does not undo.
//
// Canceling ctx withdraws a call that has not begun; one that has begun runs to
// its end, for only its outcome tells whether it is durable. The context that
// fn gets is never canceled. fn runs on the writer's goroutine: it must not call
// Write or wait for anyone who does.
func (db *DB) Write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if !db.enter() {
		return ErrClosed
	}
	defer db.active.Done()
	return db.name(db.writer.do(ctx, fn))
}

// Read runs fn over one snapshot of the file: it sees every write that returned
// before Read was called and none that commits during it. Canceling ctx ends
// the queries that get it.
func (db *DB) Read(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if !db.enter() {
		return ErrClosed
	}
	defer db.active.Done()
	select {
	case c := <-db.readers:
		defer func() { db.readers <- c }()
		return db.name(c.read(ctx, fn))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// name puts the file before an error of SQLite and says what it means.
func (db *DB) name(err error) error {
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		return fmt.Errorf("data file %s: %w", db.path, explain(err))
	}
	return err
}

// enter registers a call, unless the file is being closed.
func (db *DB) enter() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return false
	}
	db.active.Add(1)
	return true
}

// Close waits for the reads and writes under way, moves the write-ahead log
// into the data file and closes it. Later calls return ErrClosed; a second
// Close does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closed
	db.closed = true
	db.mu.Unlock()
	if again {
		return nil
	}
	db.active.Wait()
	db.writer.stop()
	if err := db.closePools(); err != nil {
		return fmt.Errorf("close data file %s: %w", db.path, explain(err))
	}
	return nil
}

// closePools closes readers first: the last connection to go, the writer, is
// the one that may empty the write-ahead log.
func (db *DB) closePools() error {
	var errs []error
	for _, p := range slices.Backward(db.pools) {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
