package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// Sizes of the account that the benchmarks work on.
const (
	benchCustomers = 30_000
	benchBatch     = 10_000
)

// bench is an account in which every push of a batch bills each customer in
// turn, month after month, as a billing system would.
type bench struct {
	*api
	source string
	next   int  // number of the next invoice
	moving bool // every invoice is a movement
}

func newBench(b *testing.B) *bench {
	b.Helper()
	f := &bench{api: newAPI(b)}
	f.source = f.newSource(b, "Billing")
	f.post(b, "plans", []byte(`[{"id":"pro","name":"Pro","interval":"month","interval_count":1,"currency":"usd"},
		{"id":"team","name":"Team","interval":"month","interval_count":1,"currency":"usd","plan_group":"Teams"}]`))
	countries := [...]string{"us", "de", "dk", "gb", "fr", "jp"}
	for from := 0; from < benchCustomers; from += benchBatch {
		body := []byte{'['}
		for i := from; i < from+benchBatch; i++ {
			body = fmt.Appendf(body, `{"id":"cus_%d","name":"Customer %d","created":"2023-06-01","country":%q},`, i, i, countries[i%len(countries)])
		}
		f.post(b, "customers", closeList(body))
	}
	return f
}

func closeList(body []byte) []byte {
	body[len(body)-1] = ']'
	return body
}

// batch returns the next invoices in order of date.
func (f *bench) batch(rows int) []byte {
	body := []byte{'['}
	for range rows {
		n := f.next
		f.next++
		customer, month := n%benchCustomers, n/benchCustomers
		date := time.Date(2023, time.July+time.Month(month), 1+customer*28/benchCustomers, 0, 0, 0, 0, time.UTC)
		plan := "pro"
		if customer%3 == 0 {
			plan = "team"
		}
		amount := 900 + customer%50*100
		if (customer+month)%17 == 0 {
			amount += 500
		}
		if f.moving {
			amount += month % 2 * 50
		}
		body = fmt.Appendf(body, `{"id":"inv_%d","customer_id":"cus_%d","type":"subscription","invoice_date":"%s","amount":%d,"currency":"usd","plan_id":%q,"quantity":1},`,
			n, customer, date.Format(time.RFC3339), amount, plan)
	}
	return closeList(body)
}

func (f *bench) post(b *testing.B, kind string, body []byte) {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/data-sources/"+f.source+"/"+kind+"?echo=errors", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+f.admin)
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`"failed":0`)) {
		b.Fatalf("push %s: %d %.300s", kind, w.Code, w.Body)
	}
}

// fill pushes invoices until the account has n.
func (f *bench) fill(b *testing.B, n int) {
	b.Helper()
	for f.next < n {
		f.post(b, "invoices", f.batch(min(benchBatch, n-f.next)))
	}
}

// BenchmarkPush pushes batches of 10,000 invoices that are durable when the
// reply comes; rows/s is the figure to watch.
func BenchmarkPush(b *testing.B) {
	f := newBench(b)
	f.fill(b, 100_000)
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		body := f.batch(benchBatch)
		b.StartTimer()
		f.post(b, "invoices", body)
		rows += benchBatch
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkReport asks an account of a million invoices for 36 months of MRR.
func BenchmarkReport(b *testing.B) {
	f := newBench(b)
	f.fill(b, 1_000_000)
	b.Run("after a push of one row", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			f.post(b, "invoices", f.batch(1))
			b.StartTimer()
			f.get(b, "/reports/mrr?date=20230701-20260615")
		}
	})
	for name, query := range map[string]string{
		"plain": "", "two filters and a breakdown": "&country=us~~de&plan=pro&breakdown=country",
	} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n++
				// Another query each time, so that the cache of answers does not help.
				f.get(b, fmt.Sprintf("/reports/mrr?date=20230701-20260615%s&n=%d", query, n))
			}
		})
		b.Run(name+", again", func(b *testing.B) {
			for b.Loop() {
				f.get(b, "/reports/mrr?date=20230701-20260615"+query)
			}
		})
	}
}

func (f *bench) get(b *testing.B, at string) {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, at, nil)
	r.Header.Set("Authorization", "Bearer "+f.admin)
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("GET %s: %d %.300s", at, w.Code, w.Body)
	}
}

// discard is a response whose body is only counted.
type discard struct {
	header http.Header
	status int
	bytes  int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { d.bytes += int64(len(b)); return len(b), nil }

// BenchmarkExport writes whole files, of a million movements one of them; MB/s is
// the figure to watch.
func BenchmarkExport(b *testing.B) {
	f := newBench(b)
	f.moving = true
	f.fill(b, 1_050_000)
	for _, name := range []string{"customers.csv", "mrr-movements.csv?date=all", "mrr-growth.csv?date=all"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/exports/"+name, nil)
				r.Header.Set("Authorization", "Bearer "+f.admin)
				w := &discard{header: http.Header{}, status: http.StatusOK}
				f.server.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
				b.SetBytes(w.bytes)
				rows, err := strconv.Atoi(w.header.Get("X-GrowPanel-Count"))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(rows), "rows/op")
			}
		})
	}
}
