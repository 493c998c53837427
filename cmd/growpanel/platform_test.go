package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

var pinned = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// running is a platform that serves until its test ends.
type running struct {
	*platform
	out  *syncBuffer
	logs *syncBuffer
	stop func() error // ends Run and returns its error; may be called twice
}

// syncBuffer is a buffer that a server may write while the test reads.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// start runs a serve command on free ports.
func start(t *testing.T, command config.Command, cfg config.Serve) running {
	t.Helper()
	out, logs := &syncBuffer{}, &syncBuffer{}
	p := testProcess(nil)
	p.out, p.err = out, logs
	cfg.APIListen, cfg.MCPListen = "127.0.0.1:0", "127.0.0.1:0"
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // Cleanup must find it alive
	pf, err := newPlatform(ctx, p, cfg, command)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- pf.Run(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run() = %v, want a clean end", err)
		}
	})
	return running{platform: pf, out: out, logs: logs, stop: stop}
}

func demoConfig(t *testing.T) config.Serve {
	t.Helper()
	return config.Serve{Data: t.TempDir(), Demo: true, Now: pinned, RateLimits: config.DefaultRateLimits()}
}

// client calls the API of a running demo over the network.
func (r running) client(t *testing.T) *apiclient.Client {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{BaseURL: r.url(apiName), Key: apiclient.NewSecret(demoKey)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (r running) get(t *testing.T, segments ...string) string {
	t.Helper()
	response, err := r.client(t).Do(t.Context(), http.MethodGet, segments, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(response.Body)
}

// post sends a message to the MCP endpoint.
func (r running) post(t *testing.T, key, message string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(mcpName)+"/mcp", strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

const askMRR = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_report","arguments":{"name":"mrr","date":"2026-03","interval":"month"}}}`

// TestServe_Demo asks the demo the same question through its API, through MCP
// in the same process, and through an MCP endpoint in a process of its own.
func TestServe_Demo(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	front := start(t, config.ServeMCP, config.Serve{Upstream: demo.url(apiName), Data: t.TempDir()})

	var report struct {
		Result []struct {
			TotalMRR int64 `json:"total_mrr"`
		}
	}
	if err := json.Unmarshal([]byte(demo.get(t, "reports", "mrr")), &report); err != nil {
		t.Fatal(err)
	}
	mrr := report.Result[len(report.Result)-1].TotalMRR
	if mrr < 100_000_00 {
		t.Errorf("the demo's MRR is %d cents, want a business of some size", mrr)
	}
	digits := json.Number(jsonInt(mrr / 100)).String()
	for name, server := range map[string]running{"one process": demo, "two processes": front} {
		status, answer := server.post(t, demoKey, askMRR)
		if status != http.StatusOK || !strings.Contains(answer, digits+".") {
			t.Errorf("%s: get_report answered %d %s, want the MRR of %d cents", name, status, answer, mrr)
		}
		if status, answer := server.post(t, strings.Replace(demoKey, "2", "3", 1), askMRR); status != http.StatusUnauthorized {
			t.Errorf("%s: a wrong key was answered with %d %s", name, status, answer)
		}
	}
}

func jsonInt(n int64) string {
	text, _ := json.Marshal(n) //nolint:errchkjson // an integer
	return string(text)
}

// TestServe_Demo_StartsAgain checks that a second start finds the first one's
// data and changes nothing about it.
func TestServe_Demo_StartsAgain(t *testing.T) {
	t.Parallel()
	cfg := demoConfig(t)
	first := start(t, config.ServeAPI, cfg)
	before := first.get(t, "reports", "movement-table")
	sources := first.get(t, "data", "data-sources")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, config.ServeAPI, cfg)
	if diff := cmp.Diff(before, second.get(t, "reports", "movement-table")); diff != "" {
		t.Errorf("movements changed with a second start:\n%s", diff)
	}
	if diff := cmp.Diff(sources, second.get(t, "data", "data-sources")); diff != "" {
		t.Errorf("data sources changed with a second start:\n%s", diff)
	}
}

func TestServe_Demo_Announcement(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAll, demoConfig(t))
	for !strings.Contains(demo.out.String(), "Then ask") { // printed once Run has begun
		time.Sleep(time.Millisecond)
	}
	text := demo.out.String()
	var configs []map[string]map[string]clientEntry
	for at := strings.Index(text, "{"); at >= 0; at = strings.Index(text, "{") {
		decoder := json.NewDecoder(strings.NewReader(text[at:]))
		var block map[string]map[string]clientEntry
		if err := decoder.Decode(&block); err != nil {
			t.Fatalf("a block to paste is not JSON: %v", err)
		}
		configs = append(configs, block)
		text = text[at+int(decoder.InputOffset()):]
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]map[string]clientEntry{
		{"mcpServers": {"growpanel": {URL: demo.url(mcpName) + "/mcp", Headers: map[string]string{"Authorization": "Bearer " + demoKey}}}},
		{"mcpServers": {"growpanel": {
			Command: program, Args: []string{"mcp"},
			Env: map[string]string{"GROWPANEL_API_URL": demo.url(apiName), "GROWPANEL_API_KEY": demoKey},
		}}},
	}
	if diff := cmp.Diff(want, configs); diff != "" {
		t.Errorf("blocks to paste -want +got:\n%s", diff)
	}
}

// TestServe_Demo_AnswersItsOwnMachine makes sure that a page of another site,
// or a name that leads here, cannot use the key that everybody knows.
func TestServe_Demo_AnswersItsOwnMachine(t *testing.T) {
	t.Parallel()
	demo := start(t, config.ServeAPI, demoConfig(t))
	tests := []struct {
		name, host, origin string
		want               int
	}{
		{name: "no browser", want: http.StatusOK},
		{name: "a page of this machine", origin: "http://localhost:3000", want: http.StatusOK},
		{name: "a page of another site", origin: "https://example.com", want: http.StatusForbidden},
		{name: "a page without origin", origin: "null", want: http.StatusForbidden},
		{name: "a name that leads here", host: "rebound.example.com", want: http.StatusForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, demo.url(apiName)+"/settings", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+demoKey)
			req.Host = tt.host
			if tt.origin != "" {
				req.Header.Set("Origin", tt.origin)
			}
			response, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			var body map[string]any
			if err := json.NewDecoder(response.Body).Decode(&body); err != nil || response.StatusCode != tt.want {
				t.Errorf("status %d, body %v, %v, want %d", response.StatusCode, body, err, tt.want)
			}
		})
	}
}

// TestServe_OneServerPerFolder starts a second server, and an admin command,
// beside a first.
func TestServe_OneServerPerFolder(t *testing.T) {
	t.Parallel()
	cfg := config.Serve{Data: filepath.Join(t.TempDir(), "data")}
	first := start(t, config.ServeAPI, cfg)

	p := testProcess(nil)
	p.err = io.Discard
	cfg.APIListen = "127.0.0.1:0"
	_, err := newPlatform(t.Context(), p, cfg, config.ServeAPI)
	var locked *sqldb.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("a second server got %v, want the first one's process named", err)
	}

	key, stderr, code := command(t, nil, "", "admin", "create-key", "--account", "Acme", "--data", cfg.Data)
	if code != 0 {
		t.Fatalf("create-key beside a server: %s", stderr)
	}
	client, err := first.client(t).WithKey(apiclient.NewSecret(strings.TrimSpace(key)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), http.MethodGet, []string{"settings"}, nil, nil); err != nil {
		t.Errorf("a key made beside the server does not work: %v", err)
	}
}

// TestServe_PortTaken wants the data folder released when the start fails.
func TestServe_PortTaken(t *testing.T) {
	t.Parallel()
	other := start(t, config.ServeAPI, config.Serve{Data: t.TempDir()})
	p := testProcess(nil)
	p.err = io.Discard
	cfg := config.Serve{Data: t.TempDir(), APIListen: strings.TrimPrefix(other.url(apiName), "http://")}
	if _, err := newPlatform(t.Context(), p, cfg, config.ServeAPI); err == nil || !strings.Contains(err.Error(), "listen for the REST API") {
		t.Fatalf("newPlatform() = %v, want the address in use", err)
	}
	start(t, config.ServeAPI, cfg)
}

// TestReadme checks that its configurations are those of the demo.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadServe(config.Source{}, config.ServeAll)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```json\n")[1:]
	if len(blocks) != 4 {
		t.Fatalf("%d configurations, want 4", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		var parsed any
		if err := json.Unmarshal([]byte(block), &parsed); err != nil {
			t.Errorf("%v in:\n%s", err, block)
		}
		if !strings.Contains(block, demoKey) || !strings.Contains(block, "http://"+cfg.MCPListen+"/mcp") && !strings.Contains(block, "http://"+cfg.APIListen+`"`) {
			t.Errorf("no demo key or address in:\n%s", block)
		}
	}
}
