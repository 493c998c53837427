package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// The write-ahead log is moved into the data file whenever it has walPages
// pages: often enough to stay small, seldom enough that a batch of 10,000 rows
// (about 900 pages) does not pay for it each time.
const (
	walPages      = 4000
	walLimitBytes = 64 << 20
	writerCacheKB = 16 << 10
)

const busyPause = 5 * time.Millisecond

func writerDSN(cfg Config) string {
	return dsn(cfg, "rwc",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"secure_delete(ON)", // what is deleted is overwritten: it may be a credential, or somebody's name
		"wal_autocheckpoint("+strconv.Itoa(walPages)+")",
		"journal_size_limit("+strconv.Itoa(walLimitBytes)+")",
		"cache_size(-"+strconv.Itoa(writerCacheKB)+")",
	)
}

func readerDSN(cfg Config) string { return dsn(cfg, "ro", "query_only(ON)") }

// dsn returns a file: URI (sqlite.org/uri.html), in which any absolute path can
// be said.
func dsn(cfg Config, mode string, pragmas ...string) string {
	path := filepath.ToSlash(cfg.Path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive letter
	}
	query := url.Values{
		"mode":          {mode},
		"_busy_timeout": {strconv.FormatInt(cfg.BusyTimeout.Milliseconds(), 10)},
		"_dqs":          {"0"},
		"_pragma":       pragmas,
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// pool is a set of connections that were opened alike.
type pool struct {
	db    *sql.DB
	conns []*conn
}

// openWriter opens the connection that writes. A new file is turned to
// write-ahead logging by a lock that is upgraded, which SQLite refuses at once,
// whatever the busy timeout, while another connection does the same: two that
// waited for each other would wait forever. So it is tried again here.
func openWriter(ctx context.Context, cfg Config) (*pool, error) {
	wait, cancel := context.WithTimeout(ctx, cfg.BusyTimeout)
	defer cancel()
	for {
		p, err := openPool(ctx, writerDSN(cfg), 1)
		if !errors.Is(explain(err), ErrBusy) {
			return p, err
		}
		select {
		case <-time.After(busyPause):
		case <-wait.Done():
			return nil, err
		}
	}
}

// openPool opens size connections at once, so that what is wrong with the file
// is known now and not at the first use.
func openPool(ctx context.Context, dsn string, size int) (_ *pool, err error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	p := &pool{db: sql.OpenDB(connector)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	p.db.SetMaxOpenConns(size)
	p.db.SetMaxIdleConns(size)
	for range size {
		c, err := p.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		p.conns = append(p.conns, &conn{sql: c, stmts: make(map[string]statement)})
	}
	return p, nil
}

func (p *pool) close() error {
	errs := make([]error, 0, len(p.conns)+1)
	for _, c := range p.conns {
		errs = append(errs, c.close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

// conn is one connection with the statements that it has prepared. Statements
// are constants of the code, so their number is bounded.
type conn struct {
	sql   *sql.Conn
	stmts map[string]statement // by query
}

// statement is a prepared statement that its conn closes.
type statement struct{ prepared *sql.Stmt }

func (c *conn) close() error {
	errs := make([]error, 0, len(c.stmts)+1)
	for _, s := range c.stmts {
		errs = append(errs, s.prepared.Close())
	}
	return errors.Join(append(errs, c.sql.Close())...)
}

func (c *conn) stmt(ctx context.Context, query string) (statement, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	prepared, err := c.sql.PrepareContext(ctx, query)
	if err != nil {
		return statement{}, fmt.Errorf("prepare %q: %w", query, err)
	}
	s := statement{prepared}
	c.stmts[query] = s
	return s, nil
}

// values runs a query below database/sql, which would lend the driver's
// connection only for the length of a call: one that panics within costs the
// connection. Nobody else has it, so the rows are safe until they are closed.
func (c *conn) values(ctx context.Context, query string, args []driver.Value) (rows driver.Rows, err error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	err = c.sql.Raw(func(driverConn any) error {
		q, ok := driverConn.(driver.QueryerContext)
		if !ok {
			return fmt.Errorf("connection %T takes no queries", driverConn)
		}
		rows, err = q.QueryContext(ctx, query, named)
		return err
	})
	return rows, err
}

func (c *conn) exec(ctx context.Context, query string) error {
	s, err := c.stmt(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.prepared.ExecContext(ctx)
	return err
}

// read runs fn in a deferred transaction, which pins one snapshot from its
// first query on.
func (c *conn) read(ctx context.Context, fn func(context.Context, *Tx) error) error {
	uncanceled := context.WithoutCancel(ctx)
	if err := c.exec(uncanceled, "BEGIN"); err != nil {
		return err
	}
	err := fn(ctx, &Tx{conn: c})
	// After an error SQLite may have ended the transaction already, and then
	// has nothing to roll back; there is no other way for this to fail.
	_ = c.exec(uncanceled, "ROLLBACK")
	return err
}
