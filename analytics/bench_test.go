package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// The size of the account that the benchmarks push into.
const (
	benchInvoices  = 1_000_000
	benchCustomers = 30_000
	benchBatch     = 10_000
)

// benchAccount is a large account on SQLite.
type benchAccount struct {
	*world
	db     *sqlstore.Store
	random *rand.Rand
	prices [benchCustomers]uint8
	sent   int
}

func newBenchAccount(b *testing.B) *benchAccount {
	b.Helper()
	db, err := sqlstore.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	w := newWorld(b, db.Analytics())
	w.now = calendar.Date(2024, 1, 1).Time()
	a := &benchAccount{world: w, db: db, random: rand.New(rand.NewPCG(1, 1))}
	for from := 0; from < benchCustomers; from += benchBatch {
		var docs []string
		for i := from; i < from+benchBatch; i++ {
			docs = append(docs, fmt.Sprintf(`{"id":"cust_%05d","name":"Customer %d","country":"US","created":"2021-01-01T00:00:00Z"}`, i, i))
		}
		a.put("customers", docs...)
	}
	for i := range 12 {
		a.put("plans", fmt.Sprintf(`{"id":"plan_%02d","name":"Plan %d","interval":"month","interval_count":1,"currency":"USD"}`, i, i))
	}
	for a.sent < benchInvoices {
		a.pushBody(a.nextBatch())
	}
	return a
}

// nextBatch returns the next 10,000 invoices in order of date: every customer is
// billed once a month on a day of its own, and one bill in five differs from
// the last.
func (a *benchAccount) nextBatch() []byte {
	var body strings.Builder
	body.WriteString(`{"invoices":[`)
	for i := range benchBatch {
		if i > 0 {
			body.WriteByte(',')
		}
		month, customer := a.sent/benchCustomers, a.sent%benchCustomers
		start := (calendar.Date(2021, 1, 1) + calendar.Day(customer*28/benchCustomers)).AddMonths(month)
		if a.random.IntN(5) == 0 {
			a.prices[customer] = uint8(a.random.IntN(90))
		}
		fmt.Fprintf(&body, `{"id":"inv_%09d","customer_id":"cust_%05d","type":"subscription","invoice_date":"%sT00:00:00Z","amount":%d,`+
			`"currency":"USD","plan_id":"plan_%02d","subscription_id":"sub_%05d","period_start":"%sT00:00:00Z","period_end":"%sT00:00:00Z",`+
			`"proration":false,"quantity":%d,"discount":0}`,
			a.sent, customer, start, 1000+100*int(a.prices[customer]), customer%12, customer, start, start.AddMonths(1), 1+customer%5)
		a.sent++
	}
	body.WriteString(`]}`)
	return []byte(body.String())
}

func (a *benchAccount) pushBody(body []byte) {
	batch, err := ingest.DecodeInvoices(body)
	if err != nil {
		a.t.Fatal(err)
	}
	failures, err := a.engine.PutInvoices(a.t.Context(), account, a.source, batch.Rows)
	if err != nil || len(failures)+len(batch.Errors) > 0 {
		a.t.Fatal(err, failures, batch.Errors)
	}
}

// BenchmarkEngine measures the work behind a push and a report, without HTTP,
// on an account of a million invoices. Run it with -cpu 1 for figures of one core.
func BenchmarkEngine(b *testing.B) {
	a := newBenchAccount(b)
	reportMemory(b, a)
	b.Run("push 10000 new invoices", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			body := a.nextBatch()
			b.StartTimer()
			a.pushBody(body)
		}
		b.ReportMetric(benchBatch*float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
	})
	b.Run("push 10000 unchanged invoices", func(b *testing.B) {
		body := a.nextBatch()
		a.pushBody(body)
		version := a.snapshot().Version
		for b.Loop() {
			a.pushBody(body)
		}
		if got := a.snapshot().Version; got != version {
			b.Fatalf("version %d, want %d", got, version)
		}
		b.ReportMetric(benchBatch*float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
	})
	b.Run("push 1 invoice and take a snapshot", func(b *testing.B) {
		for b.Loop() {
			a.sent++
			a.pushBody(fmt.Appendf(nil, `{"id":"inv_%09d","customer_id":"cust_%05d","invoice_date":%q,"amount":900,"plan_id":"plan_01"}`,
				a.sent, a.random.IntN(benchCustomers), a.now.Format("2006-01-02")))
			a.snapshot()
		}
	})
	b.Run("snapshot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			a.snapshot()
		}
	})
	b.Run("next day", func(b *testing.B) {
		for b.Loop() {
			a.now = a.now.AddDate(0, 0, 1)
			a.snapshot()
		}
	})
	b.Run("settings change, with reports served meanwhile", func(b *testing.B) {
		slowest := time.Duration(0)
		for n := 0; b.Loop(); n++ {
			days := 5 + n%2
			if _, err := a.engine.UpdateSettings(b.Context(), account, analytics.SettingsPatch{ChurnGraceDays: &days}); err != nil {
				b.Fatal(err)
			}
			for running := true; running; {
				asked := time.Now()
				s := a.snapshot()
				q, err := report.ParseQuery(nil, s)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := report.MRR(s, &q); err != nil {
					b.Fatal(err)
				}
				slowest = max(slowest, time.Since(asked))
				running = s.Settings.GraceDays != days
				time.Sleep(time.Millisecond)
			}
		}
		b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-report-ms")
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			a.reopen()
			a.snapshot()
		}
	})
}

// reportMemory logs the heap that the account holds.
func reportMemory(b *testing.B, a *benchAccount) {
	b.Helper()
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	with := measure()
	a.engine.Close()
	a.engine = nil
	without := measure()
	b.Logf("%.0f MB, %.0f bytes per invoice", float64(with-without)/1e6, float64(with-without)/float64(a.sent))
	a.reopen()
	a.snapshot()
}

// BenchmarkEngine_Rows reads a page of 100 invoices out of a million.
func BenchmarkEngine_Rows(b *testing.B) {
	a := newBenchAccount(b)
	a.snapshot()
	for name, f := range map[string]struct {
		filter analytics.RowFilter
		offset int
	}{
		"first page": {}, "last page": {offset: benchInvoices - 100}, "of a customer": {filter: analytics.RowFilter{Customer: "cust_00042"}},
		"of a kind": {filter: analytics.RowFilter{Kind: ledger.Subscription}, offset: benchInvoices / 2},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := a.engine.Rows(b.Context(), a.account, analytics.TableInvoice, f.filter, f.offset, 100)
				if err != nil || page.Count == 0 {
					b.Fatalf("%+v, %v", page, err)
				}
			}
		})
	}
}
