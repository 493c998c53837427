//go:build unix

package mcp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// benchClients is how many clients call at a time.
const benchClients = 64

// BenchmarkHTTP compares tool calls over streamable HTTP, key check included,
// with a handler that does nothing but forward the same call. All of it,
// clients and API too, runs in this process: cpu-us/op is the time of all
// threads and steadier than req/s on a machine that has other things to do.
func BenchmarkHTTP(b *testing.B) {
	for _, bench := range []struct {
		name, tool, arguments, route string
		body                         []byte
	}{
		{
			"mrr", "get_report", `{"name":"mrr","date":"2024-01..2026-12","interval":"month"}`,
			"/reports/mrr?date=20240101-20261231&interval=month", benchMRR(),
		},
		{"customers", "list_customers", `{"limit":100}`, "/customers?limit=100", benchCustomers()},
	} {
		api := httptest.NewServer(benchAPI(bench.body))
		defer api.Close()
		product := benchServer(b, api.URL)
		bare := httptest.NewServer(forwarder(api.URL + bench.route))
		defer bare.Close()

		params := `"name":"` + bench.tool + `","arguments":` + bench.arguments
		legacy := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
		modern := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `,"_meta":{` +
			`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},` +
			`"io.modelcontextprotocol/clientCapabilities":{}}}}`
		modernHeader := http.Header{
			"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {bench.tool},
		}
		b.Run(bench.name+"/bare", func(b *testing.B) { benchPost(b, bare.URL, legacy, nil) })
		b.Run(bench.name+"/legacy", func(b *testing.B) { benchPost(b, product, legacy, http.Header{"Mcp-Protocol-Version": {"2025-11-25"}}) })
		b.Run(bench.name+"/modern", func(b *testing.B) { benchPost(b, product, modern, modernHeader) })
	}
}

// benchAPI answers every request with body.
func benchAPI(body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}

// benchMRR is 36 months of the MRR report as the API sends it, about 20 KB.
func benchMRR() []byte {
	var body strings.Builder
	body.WriteString(`{"currency":"usd","query":{"committed":false,"filters":{},"fix_fx":false,` +
		`"from":"2024-01-01","interval":"month","timezone":"UTC","to":"2026-12-31"},"result":[`)
	for i := range 36 {
		if i > 0 {
			body.WriteByte(',')
		}
		n := 12_500_000 + 371_293*i
		fmt.Fprintf(&body, `{"arpa":%d,"asp":%d,"churn":-%d,"churn_customers":%d,"contraction":-%d,"contraction_customers":%d,`+
			`"customers_diff":%d,"date":"%d-%02d-01","end_date":"%d-%02d-28","expansion":%d,"expansion_customers":%d,`+
			`"fx_adjustment":%d,"mrr_diff":%d,"net_mrr_diff":%d,"new":%d,"new_customers":%d,"quantity":%d,"quick_ratio":%d.%02d,`+
			`"reactivation":%d,"reactivation_customers":%d,"total_arr":%d,"total_customers":%d,"total_mrr":%d}`,
			n/97, n/83, n/19, i+30, n/310, i+10, i+25, 2024+i/12, i%12+1, 2024+i/12, i%12+1, n/41, i+90,
			n/413, n/7, n/7-n/413, n/15, i+121, 14*n/1000, i%9+1, i+10, n/590, i%4+3, 12*n, 1300+9*i, n)
	}
	body.WriteString(`]}`)
	return []byte(body.String())
}

// benchCustomers is a page of 100 customers as the API sends it.
func benchCustomers() []byte {
	var body strings.Builder
	body.WriteString(`{"currency":"usd","result":{"count":1500,"has_more":true,"limit":100,"list":[`)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"cancel_date":null,"country":"de","created_date":"2024-03-%02dT00:00:00.000Z","currency":"eur",`+
			`"current_mrr":%d,"custom_variables":{"industry":"Retail"},"email":"billing%d@example.com","id":"cus_%d","mrr":%d,`+
			`"name":"Company %d","paid_started":"2024-03-%02dT00:00:00.000Z","payments":%d,"state":null,"status":"active",`+
			`"total_paid_base_currency":%d,"total_paid_customer_currency":%d}`,
			i%28+1, 9900+i, i, i, 9900+i, i, i%28+1, i, 99000*i, 90000*i)
	}
	body.WriteString(`],"offset":0}}`)
	return []byte(body.String())
}

// benchServer serves the product before an API and returns its URL. Keys are
// checked as growpanel serve mcp does, against digests it knows.
func benchServer(b *testing.B, api string) string {
	b.Helper()
	upstream, err := apiclient.New(apiclient.Options{BaseURL: api})
	if err != nil {
		b.Fatal(err)
	}
	known := map[[sha256.Size]byte]bool{sha256.Sum256([]byte(benchKey)): true}
	s, err := New(Config{
		Version: "bench", Now: time.Now,
		Authenticate: func(_ context.Context, token string) (Caller, error) {
			if !known[sha256.Sum256([]byte(token))] {
				return Caller{}, ErrInvalidToken
			}
			return Caller{ID: "bench", Key: apiclient.NewSecret(token)}, nil
		},
		ClientFor: func(_ context.Context, c Caller) (*apiclient.Client, error) { return upstream.WithKey(c.Key) },
	})
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	b.Cleanup(web.Close)
	return web.URL
}

const benchKey = "6f1e0c52-8d0b-4b61-9f0e-5b0a7f5f2f11.0d3f6a0e-2f0f-4a39-9b58-1f4f3c1c9c55"

// forwarder passes the call on and its answer back.
func forwarder(route string) http.Handler {
	transport := apiclient.NewTransport()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, route, nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		request.Header.Set("Authorization", r.Header.Get("Authorization"))
		response, err := transport.RoundTrip(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, response.Body)
	})
}

// benchPost posts body from benchClients clients at a time.
func benchPost(b *testing.B, url, body string, header http.Header) {
	b.Helper()
	transport := apiclient.NewTransport()
	defer transport.CloseIdleConnections()
	post := func() error {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/mcp", strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header = http.Header{
			"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
			"Authorization": {"Bearer " + benchKey},
		}
		maps.Copy(request.Header, header)
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		n, err := io.Copy(io.Discard, response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || n < 5_000) {
			err = fmt.Errorf("answer has status %d and %d bytes", response.StatusCode, n)
		}
		return err
	}
	b.ReportAllocs()
	b.SetParallelism((benchClients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	start := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := post(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// cpuTime is what all threads of this process have used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
