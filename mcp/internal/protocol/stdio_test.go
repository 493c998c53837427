package protocol

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// stdioClient is the other end of a running stdio server.
type stdioClient struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Scanner
	done chan error
}

// startStdio serves s until ctx ends or the client closes its end.
func startStdio(ctx context.Context, t *testing.T, s *Server) *stdioClient {
	t.Helper()
	inReader, in := io.Pipe()
	outReader, out := io.Pipe()
	c := &stdioClient{t: t, in: in, out: bufio.NewScanner(outReader), done: make(chan error, 1)}
	c.out.Buffer(nil, 1<<20)
	go func() {
		c.done <- s.ServeStdio(ctx, inReader, out)
		_ = out.Close()
	}()
	t.Cleanup(func() { _ = in.Close() })
	return c
}

func (c *stdioClient) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, strings.Join(lines, "\n")+"\n"); err != nil {
		c.t.Error(err)
	}
}

func (c *stdioClient) receive() envelope {
	c.t.Helper()
	if !c.out.Scan() {
		c.t.Fatalf("the server sent nothing more: %v", c.out.Err())
	}
	return decode(c.t, c.out.Text())
}

// end closes the input and returns what else the server sends, and its error.
func (c *stdioClient) end() ([]string, error) {
	_ = c.in.Close()
	var rest []string
	for c.out.Scan() {
		rest = append(rest, c.out.Text())
	}
	return rest, <-c.done
}

func TestStdio_BothEras(t *testing.T) {
	t.Parallel()
	c := startStdio(t.Context(), t, newTestServer(t, nil))
	c.send(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	if got := c.receive().Result["protocolVersion"]; got != "2025-06-18" {
		t.Errorf("initialize = %v", got)
	}
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, "", callTool(`"a"`, "echo", `{"x":1}`))
	if got := textOf(t, c.receive()); got != `{"x":1}` {
		t.Errorf("tools/call = %s", got)
	}
	c.send(modernBody("2", "server/discover", "", "{}"))
	if got := c.receive().Result["resultType"]; got != "complete" {
		t.Errorf("server/discover has resultType %v", got)
	}
	if rest, err := c.end(); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// tools/list is one thing, however it is asked for.
func TestStdio_ToolsListIsTheOneOfHTTP(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	c := startStdio(t.Context(), t, s)
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	c.send(list)
	c.out.Scan()
	if got := do(t, s, call{body: list}).body; got != c.out.Text() {
		t.Errorf("over HTTP %s\non stdio  %s", got, c.out.Text())
	}
	var tools, modern struct {
		Result struct{ Tools json.RawMessage }
	}
	if err := json.Unmarshal([]byte(c.out.Text()), &tools); err != nil {
		t.Fatal(err)
	}
	got := do(t, s, call{header: modernHeader("tools/list", "", nil), body: modernBody("1", "tools/list", "", "{}")}).body
	if err := json.Unmarshal([]byte(got), &modern); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(tools.Result.Tools), string(modern.Result.Tools)); diff != "" {
		t.Errorf("the two eras list different tools:\n%s", diff)
	}
}

func TestStdio_OpenRequestsAreAnsweredAtTheEnd(t *testing.T) {
	t.Parallel()
	c := startStdio(t.Context(), t, newNotifyingServer(t))
	var lines []string
	for i := range 100 {
		lines = append(lines, callTool(strconv.Itoa(i), "notify", `{"count":2}`))
	}
	go c.send(strings.Join(lines, "\n"))
	seen := make(map[string]int)
	for range 300 {
		e := c.receive()
		seen[string(e.ID)]++
	}
	rest, err := c.end()
	if err != nil || len(rest) > 0 || len(seen) != 101 || seen[""] != 200 {
		t.Errorf("%d ids, %d notifications, then %q, %v", len(seen)-1, seen[""], rest, err)
	}
}

// What the client cancels is not answered, not even by an error.
func TestStdio_CancelledRequestsAreSilent(t *testing.T) {
	t.Parallel()
	for _, id := range []string{`7`, `"seven"`} {
		c := startStdio(t.Context(), t, newTestServer(t, nil))
		c.send(
			callTool(id, "wait", "{}"),
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`,"reason":"enough"}}`,
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}`,
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}`,
			callTool("8", "echo", "{}"),
		)
		if e := c.receive(); string(e.ID) != "8" {
			t.Errorf("canceled %s, got an answer to %s", id, e.ID)
		}
		if rest, err := c.end(); err != nil || len(rest) > 0 {
			t.Errorf("at the end: %q, %v", rest, err)
		}
	}
}

func TestStdio_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := startStdio(ctx, t, newTestServer(t, nil))
	c.send(callTool("1", "wait", "{}"), callTool("2", "echo", "{}"))
	c.receive()
	cancel()
	if e := c.receive(); string(e.ID) != "1" {
		t.Errorf("answer to %s, want 1", e.ID)
	}
	if err := <-c.done; err != nil {
		t.Errorf("ServeStdio = %v, want a clean end", err)
	}
}

func TestStdio_BadLines(t *testing.T) {
	t.Parallel()
	c := startStdio(t.Context(), t, newTestServer(t, func(c *Config) { c.BodyLimit = 100 << 10 }))
	for _, test := range []struct {
		line string
		code int
	}{
		{`{`, mcpgo.PARSE_ERROR},
		{`[]`, mcpgo.INVALID_REQUEST},
		{`{"jsonrpc":"2.0","id":null,"method":"ping"}`, mcpgo.INVALID_REQUEST},
		{callTool("1", "echo", `{"x":"`+strings.Repeat("x", 200<<10)+`"}`), mcpgo.INVALID_REQUEST},
		{callTool("1", "nope", `{}`), mcpgo.INVALID_PARAMS},
	} {
		c.send(test.line)
		if !c.out.Scan() {
			t.Fatal("no answer")
		}
		wantError(t, c.out.Text(), test.code)
	}
	c.send(callTool("1", "echo", `{"x":"`+strings.Repeat("x", 90<<10)+`"}`))
	if e := c.receive(); e.Result == nil {
		t.Errorf("a long line after a longer one = %+v", e)
	}
}

func TestStdio_Batch(t *testing.T) {
	t.Parallel()
	c := startStdio(t.Context(), t, newNotifyingServer(t))
	c.send(`[{"jsonrpc":"2.0","method":"notifications/initialized"}]`,
		`[`+callTool("1", "echo", "{}")+`,`+callTool("2", "notify", `{"count":1}`)+`]`)
	if e := c.receive(); e.Method != "notifications/progress" {
		t.Errorf("first message = %+v, want the notification", e)
	}
	if !c.out.Scan() || !strings.HasPrefix(c.out.Text(), `[{"jsonrpc":"2.0","id":1,`) {
		t.Errorf("batch is answered with %s", c.out.Text())
	}
}

func TestStdio_AskAndAnswer(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`"result":{"action":"accept","content":{}}`: "answer: accept",
		`"error":{"code":-32601,"message":"no"}`:    "answer: cancel",
	} {
		c := startStdio(t.Context(), t, newTestServer(t, nil))
		c.send(callTool("1", "ask", "{}"))
		question := c.receive()
		if question.Method != "elicitation/create" {
			t.Fatalf("first message = %+v, want the question", question)
		}
		c.send(`{"jsonrpc":"2.0","id":` + string(question.ID) + `,` + answer + `}`)
		if got := textOf(t, c.receive()); got != want {
			t.Errorf("result = %q, want %q", got, want)
		}
	}
}

func TestStdio_SubscriptionEndsWithTheInput(t *testing.T) {
	t.Parallel()
	c := startStdio(t.Context(), t, newTestServer(t, func(c *Config) {
		c.Options = []server.ServerOption{server.WithToolCapabilities(true)}
	}))
	c.send(modernBody(`"sub"`, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`, "{}"))
	if first := c.receive(); subscriptionID(first) != "sub" {
		t.Fatalf("first message = %+v, want the acknowledgement", first)
	}
	rest, err := c.end()
	if err != nil || len(rest) != 1 || decode(t, rest[0]).Result == nil {
		t.Errorf("at the end: %q, %v; want the result", rest, err)
	}
}

func TestStdio_TooManyOpenRequests(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := startStdio(ctx, t, newTestServer(t, nil))
	var lines []string
	for i := range stdioOpen + 1 {
		lines = append(lines, callTool(strconv.Itoa(i), "wait", "{}"))
	}
	go c.send(lines...)
	if e := c.receive(); e.Error == nil || string(e.ID) != strconv.Itoa(stdioOpen) {
		t.Errorf("first answer = %+v, want the refusal of request %d", e, stdioOpen)
	}
}

// A client that has stopped reading does not keep the server from ending, by
// signal or by the end of its input.
func TestStdio_EndsThoughNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		in, feed := io.Pipe()
		unread, out := io.Pipe()
		defer func() { _, _ = feed.Close(), unread.Close() }()
		done := make(chan error)
		go func() { done <- s.ServeStdio(ctx, in, out) }()
		go func() { _, _ = io.WriteString(feed, callTool("1", "echo", "{}")+"\n") }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("after a signal: %v", err)
		}
		_ = unread.Close()

		unread, out = io.Pipe()
		go func() { done <- s.ServeStdio(t.Context(), strings.NewReader(callTool("1", "echo", "{}")+"\n"), out) }()
		if err := <-done; err != nil {
			t.Errorf("after the end of the input: %v", err)
		}
	})
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestStdio_BrokenStreams(t *testing.T) {
	t.Parallel()
	s, broken := newTestServer(t, nil), errors.New("broken pipe")
	in, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	go func() { _, _ = io.WriteString(feed, callTool("1", "echo", "{}")+"\n") }()
	if err := s.ServeStdio(t.Context(), in, brokenWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("an output that breaks ends the server with %v", err)
	}
	if err := s.ServeStdio(t.Context(), io.MultiReader(strings.NewReader("\n"), brokenReader{broken}), io.Discard); !errors.Is(err, broken) {
		t.Errorf("an input that breaks ends the server with %v", err)
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }
