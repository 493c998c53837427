package protocol

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// The documentation of the hosted server tells people to test their key with
// exactly this: no handshake, no Accept header.
func TestHTTP_ToolsListWithoutHandshake(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for _, path := range []string{"/", "/mcp"} {
		for _, accept := range []string{"", "*/*", "application/json"} {
			c := call{path: path}
			if accept != "" {
				c.header = map[string]string{"Accept": accept}
			}
			got := do(t, s, c)
			if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
				t.Fatalf("POST %s, Accept %q = %d %v", path, accept, got.status, got.header)
			}
			if tools, _ := decode(t, got.body).Result["tools"].([]any); len(tools) != len(testTools()) {
				t.Errorf("POST %s lists %d tools, want %d", path, len(tools), len(testTools()))
			}
		}
	}
}

func TestHTTP_HandshakeNegotiatesEveryLegacyVersion(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for asked, want := range map[string]string{
		"2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25",
		"2026-07-28": "2025-11-25", "1999-01-01": "2025-11-25",
	} {
		got := do(t, s, call{body: `{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"` + asked +
			`","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`})
		e := decode(t, got.body)
		if e.Result["protocolVersion"] != want {
			t.Errorf("initialize %s = %v, want %s", asked, e.Result["protocolVersion"], want)
		}
		if id := got.header.Get("Mcp-Session-Id"); id != "" {
			t.Errorf("initialize %s: a stateless server issued session %q", asked, id)
		}
	}
}

func TestHTTP_ModernRequests(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	got := do(t, s, call{
		header: modernHeader("server/discover", "", nil),
		body:   modernBody("1", "server/discover", "", "{}"),
	})
	e := decode(t, got.body)
	if got.status != http.StatusOK || e.Result["resultType"] != "complete" || e.Result["supportedVersions"] == nil {
		t.Fatalf("server/discover = %d %s", got.status, got.body)
	}
	got = do(t, s, call{
		header: modernHeader("tools/call", "echo", map[string]string{"Last-Event-Id": "7", "Mcp-Session-Id": "x"}),
		body:   modernBody(`"c"`, "tools/call", `"name":"echo","arguments":{"x":1}`, "{}"),
	})
	e = decode(t, got.body)
	if got.status != http.StatusOK || textOf(t, e) != `{"x":1}` || e.Result["resultType"] != "complete" {
		t.Errorf("tools/call = %d %s", got.status, got.body)
	}
}

func TestHTTP_ModernRequestsAreValidated(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	list := modernBody("1", "tools/list", "", "{}")
	for _, test := range []struct {
		name   string
		header map[string]string
		body   string
		status int
		code   int
	}{
		{"no version header", map[string]string{"Mcp-Method": "tools/list"}, list, 400, mcpgo.HEADER_MISMATCH},
		{"another version in the header", modernHeader("tools/list", "", map[string]string{"Mcp-Protocol-Version": "2025-11-25"}), list, 400, mcpgo.HEADER_MISMATCH},
		{"no method header", map[string]string{"Mcp-Protocol-Version": "2026-07-28"}, list, 400, mcpgo.HEADER_MISMATCH},
		{"another method in the header", modernHeader("tools/call", "", nil), list, 400, mcpgo.HEADER_MISMATCH},
		{
			"another tool in the header", modernHeader("tools/call", "fail", nil),
			modernBody("1", "tools/call", `"name":"echo"`, "{}"), 400, mcpgo.HEADER_MISMATCH,
		},
		{"no version in the body", modernHeader("tools/list", "", nil), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 400, mcpgo.INVALID_PARAMS},
		{"no capabilities", modernHeader("tools/list", "", nil), modernBody("1", "tools/list", "", "null"), 400, mcpgo.INVALID_PARAMS},
		{
			"a version of the future", modernHeader("tools/list", "", map[string]string{"Mcp-Protocol-Version": "2099-01-01"}),
			strings.Replace(list, "2026-07-28", "2099-01-01", 1), 400, mcpgo.UNSUPPORTED_PROTOCOL_VERSION,
		},
		{"a method of the handshake era", modernHeader("ping", "", nil), modernBody("1", "ping", "", "{}"), 404, mcpgo.METHOD_NOT_FOUND},
		{"an unknown method", modernHeader("no/such", "", nil), modernBody("1", "no/such", "", "{}"), 404, mcpgo.METHOD_NOT_FOUND},
		{
			"an unknown tool", modernHeader("tools/call", "nope", nil),
			modernBody("1", "tools/call", `"name":"nope"`, "{}"), 400, mcpgo.INVALID_PARAMS,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := do(t, s, call{header: test.header, body: test.body})
			if got.status != test.status {
				t.Errorf("status = %d, want %d", got.status, test.status)
			}
			if e := wantError(t, got.body, test.code); string(e.ID) != "1" {
				t.Errorf("error is for id %s, want 1", e.ID)
			}
		})
	}
}

// A client that asks for input it cannot give must not be sent a question.
func TestHTTP_UndeclaredCapability(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	ask := call{header: modernHeader("tools/call", "ask", nil), body: modernBody("1", "tools/call", `"name":"ask"`, "{}")}
	got := do(t, s, ask)
	e := wantError(t, got.body, mcpgo.MISSING_REQUIRED_CLIENT_CAPABILITY)
	want := map[string]any{"requiredCapabilities": map[string]any{"elicitation": map[string]any{}}}
	if diff := cmp.Diff(want, e.Error.Data); diff != "" || got.status != http.StatusBadRequest {
		t.Errorf("status %d, data (-want +got):\n%s", got.status, diff)
	}

	ask.body = modernBody("1", "tools/call", `"name":"ask"`, `{"elicitation":{}}`)
	if e := decode(t, do(t, s, ask).body); e.Result["resultType"] != "input_required" {
		t.Errorf("with the capability: %v, want input_required", e)
	}
}

func TestHTTP_OnlyPOST(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut, http.MethodHead} {
		got := do(t, s, call{method: method})
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s = %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
	}
	if got := do(t, s, call{path: "/mcp/x"}); got.status != http.StatusNotFound {
		t.Errorf("POST /mcp/x = %d, want 404", got.status)
	}
}

func refuseEveryone(context.Context, string) (context.Context, error) { return nil, ErrInvalidToken }

func TestHTTP_Envelope(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for _, test := range []struct {
		name, body string
		status     int
		code       int
		id         string
	}{
		{"not JSON", `{`, 400, mcpgo.PARSE_ERROR, "null"},
		{"not an object", `7`, 400, mcpgo.INVALID_REQUEST, "null"},
		{"null id", `{"jsonrpc":"2.0","id":null,"method":"tools/list"}`, 400, mcpgo.INVALID_REQUEST, "null"},
		{"object id", `{"jsonrpc":"2.0","id":{},"method":"tools/list"}`, 400, mcpgo.INVALID_REQUEST, "null"},
		{"no version", `{"id":3,"method":"tools/list"}`, 400, mcpgo.INVALID_REQUEST, "3"},
		{"no method", `{"jsonrpc":"2.0","id":3}`, 400, mcpgo.INVALID_REQUEST, "3"},
		{"unknown method", `{"jsonrpc":"2.0","id":3,"method":"no/such"}`, 200, mcpgo.METHOD_NOT_FOUND, "3"},
		{"unknown tool", callTool("3", "nope", "{}"), 200, mcpgo.INVALID_PARAMS, "3"},
		{"made-up cursor", `{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"?"}}`, 200, mcpgo.INVALID_PARAMS, "3"},
		{"cursor of another server", `{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"cursor":"ZWNobw=="}}`, 200, mcpgo.INVALID_PARAMS, "3"},
		{"params of another shape", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":[1]}`, 200, mcpgo.INVALID_PARAMS, "3"},
		{"name of another type", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":7}}`, 200, mcpgo.INVALID_PARAMS, "3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := do(t, s, call{body: test.body})
			e := wantError(t, got.body, test.code)
			if got.status != test.status || string(e.ID) != test.id {
				t.Errorf("= %d for id %s, want %d for id %s", got.status, e.ID, test.status, test.id)
			}
			if strings.Contains(e.Error.Message, "json:") || strings.Contains(e.Error.Message, "Go ") || strings.Contains(e.Error.Message, "illegal") {
				t.Errorf("message %q shows how the server is built", e.Error.Message)
			}
		})
	}
}

func TestHTTP_IDsAreEchoedAsTheyCame(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for _, id := range []string{`9007199254740993`, `-1`, `1.50`, `"a\u00e9\"b"`, `""`} {
		if got := do(t, s, call{body: callTool(id, "echo", "{}")}); !strings.Contains(got.body, `"id":`+id+`,`) {
			t.Errorf("id %s: answer %s", id, got.body)
		}
	}
}

func TestHTTP_NotificationsAndResponsesAreAccepted(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for _, body := range []string{
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","id":"unknown","result":{}}`,
		`{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}`,
	} {
		if got := do(t, s, call{body: body}); got.status != http.StatusAccepted || got.body != "" {
			t.Errorf("%s = %d %q, want 202 without a body", body, got.status, got.body)
		}
	}
}

func TestHTTP_Batch(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	got := do(t, s, call{body: ` [` + strings.Join([]string{
		callTool("1", "echo", "{}"),
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":2,"method":"no/such"}`,
		`{"jsonrpc":"2.0","id":3,"method":"initialize","params":{}}`,
		`7`,
		modernBody("4", "tools/list", "", "{}"),
	}, ",") + `]`})
	var codes []string
	for text := range strings.SplitSeq(strings.Trim(got.body, "[]"), `,{"jsonrpc"`) {
		if !strings.HasPrefix(text, "{") {
			text = `{"jsonrpc"` + text
		}
		e := decode(t, text)
		code := "ok"
		if e.Error != nil {
			code = strconv.Itoa(e.Error.Code)
		}
		codes = append(codes, string(e.ID)+" "+code)
	}
	want := []string{"1 ok", "2 -32601", "3 -32600", "null -32600", "4 -32600"}
	if diff := cmp.Diff(want, codes); diff != "" || got.status != http.StatusOK {
		t.Errorf("status %d, answers (-want +got):\n%s", got.status, diff)
	}

	if got := do(t, s, call{body: `[{"jsonrpc":"2.0","method":"notifications/initialized"}]`}); got.status != http.StatusAccepted {
		t.Errorf("a batch of notifications = %d, want 202", got.status)
	}
	refused := map[string]call{
		"an empty batch":              {body: `[]`},
		"a batch under a later era":   {body: `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, header: map[string]string{"Mcp-Protocol-Version": "2025-06-18"}},
		"a batch of too many":         {body: `[` + strings.Repeat(`{},`, maxBatch) + `{}]`},
		"an array that does not end":  {body: `[{"jsonrpc":"2.0"`},
		"a batch in the modern style": {body: `[{}]`, header: modernHeader("tools/list", "", nil)},
	}
	for name, c := range refused {
		if got := do(t, s, c); got.status != http.StatusBadRequest {
			t.Errorf("%s = %d %s, want 400", name, got.status, got.body)
		}
	}
}

func TestHTTP_UnknownVersionHeader(t *testing.T) {
	t.Parallel()
	got := do(t, newTestServer(t, nil), call{header: map[string]string{"Mcp-Protocol-Version": "2025-01-01"}})
	e := wantError(t, got.body, mcpgo.UNSUPPORTED_PROTOCOL_VERSION)
	if got.status != http.StatusBadRequest || e.Error.Data["supported"] == nil {
		t.Errorf("= %d %s", got.status, got.body)
	}
}

func TestHTTP_BodyLimit(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) { c.BodyLimit = 200 })
	fits := callTool("1", "echo", `{"x":"`+strings.Repeat("x", 100)+`"}`)
	large := callTool("1", "echo", `{"x":"`+strings.Repeat("x", 200)+`"}`)
	for _, chunked := range []bool{false, true} {
		if got := do(t, s, call{body: fits, chunked: chunked}); got.status != http.StatusOK {
			t.Errorf("%d bytes, chunked %t = %d, want 200", len(fits), chunked, got.status)
		}
		if got := do(t, s, call{body: large, chunked: chunked}); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d bytes, chunked %t = %d, want 413", len(large), chunked, got.status)
		}
	}
}

func TestHTTP_ContentType(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for contentType, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415,
	} {
		if got := do(t, s, call{header: map[string]string{"Content-Type": contentType}}); got.status != want {
			t.Errorf("Content-Type %q = %d, want %d", contentType, got.status, want)
		}
	}
}

func TestHTTP_ToolFailuresShowNothingOfTheServer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newTestServer(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for _, tool := range []string{"panic", "fail"} {
		got := do(t, s, call{body: callTool("1", tool, "{}")})
		e := decode(t, got.body)
		if e.Result["isError"] != true || strings.Contains(got.body, "secret") {
			t.Errorf("%s answers %s, want an isError result without the reason", tool, got.body)
		}
	}
	if got := strings.Count(log.String(), "secret detail"); got != 2 {
		t.Errorf("the log has the reason %d times, want 2:\n%s", got, log.String())
	}
}

// Every notification that a tool sends before it returns arrives, in order and
// before the response, and on the stream of the request that it belongs to.
func TestHTTP_NotificationsOfConcurrentRequests(t *testing.T) {
	t.Parallel()
	s := newNotifyingServer(t)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			token, count := strconv.Itoa(i), i%7
			arguments := fmt.Sprintf(`{"token":%q,"count":%d}`, token, count)
			body, header := callTool("1", "notify", arguments), map[string]string{"Accept": "application/json, text/event-stream"}
			if i%2 == 1 {
				body = modernBody("1", "tools/call", `"name":"notify","arguments":`+arguments, "{}")
				header = modernHeader("tools/call", "notify", nil)
			}
			got := post(t, web, body, header)
			for n, e := range got[:len(got)-1] {
				if e.Params["progressToken"] != token || e.Params["progress"] != float64(n) {
					t.Errorf("request %s, notification %d = %v", token, n, e.Params)
				}
			}
			if len(got) != count+1 || got[len(got)-1].Result == nil {
				t.Errorf("request %s: %d messages, want %d notifications and a result", token, len(got), count)
			}
		})
	}
	group.Wait()
}

// post returns all messages that answer a POST.
func post(t *testing.T, web *httptest.Server, body string, header map[string]string) []envelope {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.Header.Get("Content-Type") == "text/event-stream" {
		if response.Header.Get("X-Accel-Buffering") != "no" {
			t.Error("an event stream without X-Accel-Buffering: no")
		}
		return events(t, response.Body)
	}
	document, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return []envelope{decode(t, string(document))}
}

func TestHTTP_NotificationsNeedAnEventStream(t *testing.T) {
	t.Parallel()
	s := newNotifyingServer(t)
	notify := callTool("1", "notify", `{"count":3}`)
	for accept, want := range map[string]string{
		"application/json":                          "application/json",
		"text/event-stream;q=0, application/json":   "application/json",
		"text/event-stream":                         "text/event-stream",
		"application/json;q=0.1, text/event-stream": "text/event-stream",
	} {
		got := do(t, s, call{body: notify, header: map[string]string{"Accept": accept}})
		if got.status != http.StatusOK || got.header.Get("Content-Type") != want {
			t.Errorf("Accept %q is answered as %q, want %q", accept, got.header.Get("Content-Type"), want)
		}
	}
	// Nothing to stream, but the client reads nothing else.
	got := do(t, s, call{body: callTool("1", "echo", "{}"), header: map[string]string{"Accept": "text/event-stream"}})
	if messages := events(t, strings.NewReader(got.body)); len(messages) != 1 || messages[0].Result == nil {
		t.Errorf("Accept text/event-stream is answered with %q", got.body)
	}
}

// A client of the handshake era is asked on the stream of its request and
// answers with a request of its own.
func TestHTTP_AskAndAnswer(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/mcp", strings.NewReader(callTool("1", "ask", "{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	question := nextEvent(t, lines)
	if question.Method != "elicitation/create" || question.Params["message"] != "Really?" {
		t.Fatalf("first event = %+v, want the question", question)
	}
	post202(t, web, `{"jsonrpc":"2.0","id":`+string(question.ID)+`,"result":{"action":"decline"}}`)
	if got := textOf(t, nextEvent(t, lines)); got != "answer: decline" {
		t.Errorf("result = %q", got)
	}
}

func nextEvent(t *testing.T, lines *bufio.Scanner) envelope {
	t.Helper()
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return decode(t, data)
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return envelope{}
}

func post202(t *testing.T, web *httptest.Server, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("%s = %d, want 202", body, response.StatusCode)
	}
}

// A server may give a request a second to come in; its answer may take longer.
func TestHTTP_AnswersOutlastTheReadTimeout(t *testing.T) {
	t.Parallel()
	const readTimeout = time.Second
	s := newTestServer(t, func(c *Config) {
		c.Tools = []server.ServerTool{testTool("slow", func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			select {
			case <-ctx.Done():
				return mcpgo.NewToolResultText("canceled"), nil
			case <-time.After(readTimeout + readTimeout/2):
				return mcpgo.NewToolResultText("done"), nil
			}
		})}
	})
	web := httptest.NewUnstartedServer(s.Handler())
	web.Config.ReadTimeout = readTimeout
	web.Start()
	t.Cleanup(web.Close)
	got := post(t, web, callTool("1", "slow", "{}"), nil)
	if text := textOf(t, got[0]); text != "done" {
		t.Errorf("the tool was %s", text)
	}
}

func TestHTTP_ClosingTheConnectionCancels(t *testing.T) {
	t.Parallel()
	canceled, started := make(chan struct{}), make(chan struct{})
	s := newTestServer(t, func(c *Config) {
		c.Tools = []server.ServerTool{testTool("wait", func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			close(started)
			<-ctx.Done()
			close(canceled)
			return mcpgo.NewToolResultText(""), nil
		})}
	})
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, web.URL, strings.NewReader(callTool("1", "wait", "{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	go func() {
		<-started
		cancel()
	}()
	response, err := web.Client().Do(r)
	if err == nil {
		_ = response.Body.Close()
		t.Fatal("the request was answered")
	}
	<-canceled
}

// A subscription is acknowledged first, carries only what was asked for, every
// message with its id, is kept alive, and ends with a result when the server
// shuts down, which does not wait for the client.
func TestHTTP_Subscription(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) {
		c.Options = []server.ServerOption{server.WithToolCapabilities(true), server.WithPromptCapabilities(true)}
		c.Extend = func(*server.MCPServer) {}
	})
	s.keepAlive = time.Millisecond
	web := httptest.NewUnstartedServer(s.Handler())
	web.Config.RegisterOnShutdown(s.Close)
	web.Start()
	t.Cleanup(web.Close)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(
		modernBody(`"sub"`, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`, "{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range modernHeader("subscriptions/listen", "", nil) {
		r.Header.Set(name, value)
	}
	response, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	if first := nextEvent(t, lines); first.Method != "notifications/subscriptions/acknowledged" || subscriptionID(first) != "sub" {
		t.Fatalf("first event = %+v, want the acknowledgement", first)
	}
	for lines.Text() != ":" { // the comment that keeps the stream alive
		lines.Scan()
	}
	s.mcp.SendNotificationToAllClients(mcpgo.MethodNotificationPromptsListChanged, nil)
	s.mcp.SendNotificationToAllClients(mcpgo.MethodNotificationToolsListChanged, nil)
	if changed := nextEvent(t, lines); changed.Method != mcpgo.MethodNotificationToolsListChanged || subscriptionID(changed) != "sub" {
		t.Fatalf("event = %+v, want the change of the tools", changed)
	}

	shutdown := make(chan error, 1)
	go func() { shutdown <- web.Config.Shutdown(context.WithoutCancel(t.Context())) }()
	if last := nextEvent(t, lines); string(last.ID) != `"sub"` || last.Result == nil {
		t.Errorf("last event = %+v, want the result", last)
	}
	_ = response.Body.Close()
	if err := <-shutdown; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func subscriptionID(e envelope) any {
	meta, _ := e.Params["_meta"].(map[string]any)
	return meta[mcpgo.MetaKeySubscriptionID]
}

func TestHTTP_SubscriptionNeedsAnEventStream(t *testing.T) {
	t.Parallel()
	got := do(t, newTestServer(t, nil), call{
		header: modernHeader("subscriptions/listen", "", map[string]string{"Accept": "application/json"}),
		body:   modernBody("1", "subscriptions/listen", `"notifications":{}`, "{}"),
	})
	if wantError(t, got.body, mcpgo.INVALID_REQUEST); got.status != http.StatusBadRequest {
		t.Errorf("status = %d, want 400", got.status)
	}
}

func TestHTTP_PanicsStayInTheirRequest(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *Config) {
		c.Authenticate = func(context.Context, string) (context.Context, error) { panic(errors.New("secret detail")) }
	})
	got := do(t, s, call{header: map[string]string{"Authorization": "Bearer k"}})
	if got.status != http.StatusInternalServerError || strings.Contains(got.body, "secret") {
		t.Errorf("= %d %s, want 500 without the reason", got.status, got.body)
	}
}
