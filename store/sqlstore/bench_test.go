package sqlstore_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

const batchRows = 10_000

// batch is a changeset of batchRows invoices of about 300 bytes in 30,000
// customers.
func batch(version uint64) analytics.Changeset {
	c := analytics.Changeset{Version: version, Insert: make([]analytics.Row, batchRows)}
	for i := range c.Insert {
		seq := int64(version-1)*batchRows + int64(i) + 1
		r := analytics.Row{Table: analytics.TableInvoice, Seq: seq, Source: 1, Owner: seq%30_000 + 1, ID: fmt.Sprintf("in_%012d", seq)}
		r.Doc = fmt.Appendf(nil, `{"id":%q,"customer_id":"cus_%08d","plan_id":"plan_%03d","amount":%d,"currency":"usd",`+
			`"invoice_date":"2025-01-15","period_start":"2025-01-15","period_end":"2025-02-15","type":"subscription",`+
			`"status":"paid","subscription_id":"sub_%012d","payment_method":"card","tax":0,"discount":0}`,
			r.ID, r.Owner, seq%100, seq%90_000, r.Owner)
		c.Insert[i] = r
	}
	return c
}

func benchCommit(b *testing.B, s *sqlstore.Store, account string, c analytics.Changeset) {
	b.Helper()
	if err := s.Analytics().Commit(b.Context(), account, c); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMillion measures an account of 1,000,000 invoices. Run it with
// GOMAXPROCS=1 for one core.
func BenchmarkMillion(b *testing.B) {
	const account = "a"
	s := open(b, b.TempDir())
	version := uint64(0)
	for range 1_000_000 / batchRows {
		version++
		benchCommit(b, s, account, batch(version))
	}
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			if _, err := s.Analytics().Load(b.Context(), account, func(analytics.LoadedRow) error { n++; return nil }); err != nil {
				b.Fatal(err)
			}
			if n != 1_000_000 {
				b.Fatalf("%d rows", n)
			}
		}
	})
	b.Run("commit 10,000 inserts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			version++
			c := batch(version)
			b.StartTimer()
			benchCommit(b, s, account, c)
		}
		b.ReportMetric(batchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("commit 10,000 updates", func(b *testing.B) {
		update := batch(50).Insert
		for b.Loop() {
			version++
			benchCommit(b, s, account, analytics.Changeset{Update: update, Version: version})
		}
		b.ReportMetric(batchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("version", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Analytics().Version(b.Context(), account); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOneRow measures commits of one row each: alone, a commit waits for
// its own disk flush; together, they share flushes.
func BenchmarkOneRow(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			s := open(b, b.TempDir())
			var left, account atomic.Int64
			left.Store(int64(b.N))
			work := func(done chan<- struct{}) {
				defer func() { done <- struct{}{} }()
				name := strconv.FormatInt(account.Add(1), 10)
				for seq := int64(1); left.Add(-1) >= 0; seq++ {
					r := analytics.Row{Table: analytics.TableInvoice, Seq: seq, Source: 1, Owner: 1, ID: "in_1", Doc: []byte(`{"id":"in_1"}`)}
					c := analytics.Changeset{Insert: []analytics.Row{r}, Version: uint64(seq)}
					if err := s.Analytics().Commit(b.Context(), name, c); err != nil {
						b.Error(err)
					}
				}
			}
			done := make(chan struct{})
			b.ResetTimer()
			for range writers {
				go work(done)
			}
			for range writers {
				<-done
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkWatch is what a commit pays to learn that there is nobody to tell.
func BenchmarkWatch(b *testing.B) {
	outbox := open(b, b.TempDir()).Analytics()
	for b.Loop() {
		if w, err := outbox.Watch(b.Context(), "acme"); err != nil || len(w.Types) > 0 {
			b.Fatal(w, err)
		}
	}
}
