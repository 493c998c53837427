package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// stubAPI answers like the API and remembers what it was asked.
type stubAPI struct {
	mu     sync.Mutex
	asked  []string // method, path with query, body
	answer func(w http.ResponseWriter, r *http.Request)
}

func (a *stubAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.URL.RequestURI()
	if len(body) > 0 {
		line += " " + string(body)
	}
	a.mu.Lock()
	a.asked = append(a.asked, line)
	a.mu.Unlock()
	if a.answer != nil {
		a.answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true,"id":"x"}`)
}

// newServer returns a server whose tools ask api.
func newServer(t *testing.T, api http.Handler, readOnly bool) *Server {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{
		BaseURL: "http://api.test", Key: apiclient.NewSecret("k.s"), MaxWait: -1, Transport: apiclient.InProcess(api),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{
		Version:      "test",
		ClientFor:    func(context.Context, Caller) (*apiclient.Client, error) { return client, nil },
		Authenticate: func(context.Context, string) (Caller, error) { return Caller{ID: "test"}, nil },
		ReadOnly:     readOnly,
		Now:          time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// callTool calls a tool of s with arguments in JSON.
func callTool(t *testing.T, s *Server, name, arguments string) *mcpgo.CallToolResult {
	t.Helper()
	for _, tool := range s.catalog() {
		if tool.Tool.Name != name {
			continue
		}
		var decoded any
		if err := json.Unmarshal([]byte(arguments), &decoded); err != nil {
			t.Fatalf("arguments %s: %v", arguments, err)
		}
		request := mcpgo.CallToolRequest{Params: mcpgo.CallToolParams{
			Name: name, Arguments: decoded, RawArguments: json.RawMessage(arguments),
		}}
		result, err := tool.Handler(t.Context(), request)
		if err != nil {
			t.Fatalf("%s %s: %v", name, arguments, err)
		}
		return result
	}
	t.Fatalf("no tool %s", name)
	return nil
}

// textOf returns the text of a result.
func textOf(t *testing.T, r *mcpgo.CallToolResult) string {
	t.Helper()
	if len(r.Content) != 1 {
		t.Fatalf("%d contents, want one text", len(r.Content))
	}
	text, ok := r.Content[0].(mcpgo.TextContent)
	if !ok {
		t.Fatalf("content is %T, want text", r.Content[0])
	}
	return text.Text
}

// ask calls a tool against an API that answers every request alike, and
// returns the text and what the API was asked.
func ask(t *testing.T, name, arguments string) (string, []string) {
	t.Helper()
	api := &stubAPI{}
	result := callTool(t, newServer(t, api, false), name, arguments)
	return textOf(t, result), api.asked
}

// post sends one request over HTTP in a version of the protocol and returns its
// result, or the whole message when it has none.
func post(t *testing.T, s *Server, version, method, params string) map[string]any {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("MCP-Protocol-Version", version)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	body := w.Body.Bytes()
	if _, data, ok := bytes.Cut(body, []byte("data: ")); ok {
		body, _, _ = bytes.Cut(data, []byte("\n"))
	}
	var message map[string]any
	if err := json.Unmarshal(body, &message); err != nil {
		t.Fatalf("%s: %d %.300s: %v", method, w.Code, w.Body, err)
	}
	if result, ok := message["result"].(map[string]any); ok {
		return result
	}
	return message
}
