package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// An account that was opened again answers and writes as if it had never been
// closed: rows that are sent again are known, and new ones go where they belong.
func TestLaw_ReopenedGoesOn(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		stores := [2]*memoryStore{newMemoryStore(), newMemoryStore()}
		worlds := [2]*world{newWorld(t, stores[0]), newWorld(t, stores[1])}
		reopened := worlds[1]
		mine, other, later := newCompany(r, 30), newCompany(r, 30), newCompany(r, 30)
		sources := [2][2]string{}
		for i, w := range worlds {
			sources[i] = [2]string{w.source, w.newSource("Other").ID}
			w.push(mine)
			w.source = sources[i][1]
			w.push(other)
			for _, n := range []int{0, 7, 8, 29} { // gaps, at both ends too
				w.remove(w.engine.DeleteCustomer(t.Context(), account, sources[i][n%2], fmt.Sprintf("c%d", n)))
			}
			for n := range 20 {
				err := w.engine.DeleteInvoice(t.Context(), account, sources[i][1], id(t, other.invoices[n*n%len(other.invoices)]))
				if !errors.Is(err, analytics.ErrNotFound) {
					w.remove(err)
				}
			}
			w.source = sources[i][0]
		}
		before := worlds[0].state()
		reopened.reopen()
		equal(t, "state", before, reopened.state())

		left := func(doc string) bool { return !slices.Contains([]int{0, 8}, owner(t, doc)) }
		known, _ := split(mine.invoices, left)
		commits := stores[1].commits
		reopened.put("plans", mine.plans...)
		reopened.put("invoices", shuffled(r, known)...)
		if stores[1].commits != commits {
			t.Errorf("rows that were sent again led to %d commits", stores[1].commits-commits)
		}
		for _, w := range worlds {
			w.put("customers", later.customers...)
			w.put("invoices", later.invoices...) // ids that are known, with other content, and new ones
		}
		equal(t, "state after more rows", worlds[0].state(), reopened.state())
		reopened.reopen()
		equal(t, "state, opened again", worlds[0].state(), reopened.state())
	})
}

// interrupted calls do when the first load has come to a row.
type interrupted struct {
	analytics.Store
	row int
	do  func()
}

func (s *interrupted) Load(ctx context.Context, id string, visit func(analytics.LoadedRow) error) (uint64, error) {
	n := 0
	return s.Store.Load(ctx, id, func(r analytics.LoadedRow) error {
		if n++; n == s.row {
			s.row = 0 // once
			s.do()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return visit(r)
	})
}

// The bubble ends only when every goroutine of the canceled opening has.
func TestOpen_Canceled(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	w.push(newCompany(newRandom(1), 150))
	before := w.state()
	for _, row := range []int{1, 2, 250, 700} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			reached := false
			w.store = &interrupted{Store: store, row: row, do: func() { reached = true; cancel() }}
			w.reopen()
			if _, err := w.engine.Snapshot(ctx, account); !errors.Is(err, context.Canceled) || !reached {
				t.Errorf("Snapshot canceled at row %d, reached %t: %v, want context.Canceled", row, reached, err)
			}
			equal(t, "state after a second try", before, w.state())
			w.engine.Close()
		})
	}
}

// slowDecoder takes its time, unless what it decodes is damaged.
type slowDecoder struct {
	ingest.Documents
	running atomic.Int32
}

func (d *slowDecoder) Invoices(docs []string, rows []analytics.InvoiceRow) (int, error) {
	d.running.Add(1)
	defer d.running.Add(-1)
	n, err := d.Documents.Invoices(docs, rows)
	if err == nil {
		time.Sleep(time.Second)
	}
	return n, err
}

// damaged cuts the document of the first invoice short.
type damaged struct{ analytics.Store }

func (s damaged) Load(ctx context.Context, id string, visit func(analytics.LoadedRow) error) (uint64, error) {
	return s.Store.Load(ctx, id, func(r analytics.LoadedRow) error {
		if r.Table == analytics.TableInvoice && r.Seq == 1 {
			r.Doc = r.Doc[:9]
		}
		return visit(r)
	})
}

func TestOpen_FailedLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	store := newMemoryStore()
	w := newWorld(t, store)
	w.push(newCompany(newRandom(1), 150))
	synctest.Test(t, func(t *testing.T) {
		rows := &slowDecoder{}
		e := analytics.New(analytics.Config{Store: damaged{store}, Rows: rows, Now: func() time.Time { return w.now }})
		if _, err := e.Snapshot(t.Context(), account); err == nil || !strings.Contains(err.Error(), "row 1: ") {
			t.Errorf("Snapshot with a damaged row: %v", err)
		}
		if n := rows.running.Load(); n != 0 {
			t.Errorf("%d goroutines still decode after the opening has failed", n)
		}
	})
}

// What another process commits while an account is opened is in none of its rows,
// and in the next snapshot.
func TestOpen_BesideAWriter(t *testing.T) {
	t.Parallel()
	db, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	writer := newWorld(t, db.Analytics())
	c := newCompany(newRandom(1), 100)
	writer.push(c)
	before := writer.state()
	reader := &world{t: t, now: writer.now, account: account, source: writer.source}
	reader.store = &interrupted{Store: db.Analytics(), row: 50, do: func() {
		writer.put("invoices", moved(c.invoices)...)
		writer.remove(writer.engine.DeleteCustomer(t.Context(), account, "", "c99"))
	}}
	reader.reopen()
	equal(t, "state as the opening began", before, reader.state())
	after := writer.state()
	if after == before {
		t.Fatal("the writer changed nothing")
	}
	equal(t, "state of the next snapshot", after, reader.state())
}
