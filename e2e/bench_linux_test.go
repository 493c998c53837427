package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// stdioServer is a running growpanel-mcp.
type stdioServer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startStdio(b *testing.B, api string) *stdioServer {
	b.Helper()
	s := &stdioServer{cmd: exec.Command(program("growpanel-mcp"))}
	s.cmd.Env = cleanEnv("GROWPANEL_API_KEY=bench.key", "GROWPANEL_API_URL="+api)
	in, err := s.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.in, s.out = in, bufio.NewReaderSize(out, 64<<10)
	return s
}

// answer reads the next message and checks that it is a result.
func (s *stdioServer) answer(b *testing.B) {
	b.Helper()
	line, err := s.out.ReadString('\n')
	if err != nil || !strings.Contains(line[:min(len(line), 100)], `"result"`) || strings.HasSuffix(line, `"isError":true}}`+"\n") {
		b.Fatalf("answer = %.200s, %v", line, err)
	}
}

func (s *stdioServer) end(b *testing.B) {
	b.Helper()
	_ = s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// residentKB is the resident memory of the process in KB.
func (s *stdioServer) residentKB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb
}

// BenchmarkColdStart is the time from starting growpanel-mcp to the list of its
// tools.
func BenchmarkColdStart(b *testing.B) {
	for b.Loop() {
		s := startStdio(b, "http://127.0.0.1:1")
		if _, err := io.WriteString(s.in, listTools+"\n"); err != nil {
			b.Fatal(err)
		}
		s.answer(b)
		s.end(b)
	}
}

// BenchmarkStdio calls get_report 100,000 times, sixteen at a time, and reports
// the resident memory of growpanel-mcp early and at the end.
func BenchmarkStdio(b *testing.B) {
	const calls, inFlight = 100_000, 16
	report := mrrReport()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(report)))
		_, _ = w.Write(report)
	}))
	defer api.Close()
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_report",` +
		`"arguments":{"name":"mrr","date":"2024-01..2026-12","interval":"month"}}}` + "\n"
	var early, late float64
	for b.Loop() {
		s := startStdio(b, api.URL)
		for range inFlight {
			if _, err := io.WriteString(s.in, call); err != nil {
				b.Fatal(err)
			}
		}
		for i := range calls {
			s.answer(b)
			if i == calls/100 {
				early = s.residentKB(b)
			}
			if i >= calls-inFlight {
				continue
			}
			if _, err := io.WriteString(s.in, call); err != nil {
				b.Fatal(err)
			}
		}
		late = s.residentKB(b)
		s.end(b)
	}
	b.ReportMetric(early, "KB-after-1000")
	b.ReportMetric(late, "KB-after-100000")
	b.ReportMetric(calls*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// mrrReport is 36 months of the MRR report, about 20 KB.
func mrrReport() []byte {
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
