package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
)

// confirming serves one irreversible tool through the real transport.
type confirming struct {
	t    *testing.T
	http http.Handler
	now  time.Time
	done int // how often the action was carried out
}

func newConfirming(t *testing.T) *confirming {
	t.Helper()
	c := &confirming{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := &Server{sealer: protocol.NewSealer(nil, func() time.Time { return c.now })}
	core, err := protocol.New(protocol.Config{
		Authenticate: func(ctx context.Context, token string) (context.Context, error) {
			return context.WithValue(ctx, callerKey{}, Caller{ID: token}), nil
		},
		Tools: []server.ServerTool{{
			Tool: mcpgo.NewToolWithRawSchema("delete", "Deletes.", json.RawMessage(`{"type":"object"}`)),
			Handler: func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				if stop := s.confirm(ctx, r, "Delete the account?", "confirm", r.GetBool("confirm", false)); stop != nil {
					return stop, nil
				}
				c.done++
				return mcpgo.NewToolResultText("deleted"), nil
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(core.Close)
	c.http = core.Handler()
	return c
}

// confirmResult is what the tests read of a tools/call result.
type confirmResult struct {
	ResultType    string
	IsError       bool
	RequestState  string
	InputRequests map[string]struct {
		Method string
		Params struct{ Message string }
	}
}

// call calls the tool as caller, in the stateless era if capabilities are
// given. more is the rest of its params.
func (c *confirming) call(caller, capabilities, more string) confirmResult {
	c.t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"` + more
	if capabilities != "" {
		body += `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + capabilities + `}`
	}
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://localhost/mcp", strings.NewReader(body+`}}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+caller)
	if capabilities != "" {
		r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", "tools/call")
		r.Header.Set("Mcp-Name", "delete")
	}
	w := httptest.NewRecorder()
	c.http.ServeHTTP(w, r)
	var answer struct{ Result *confirmResult }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Result == nil {
		c.t.Fatalf("answer %s: %v", w.Body, err)
	}
	return *answer.Result
}

const elicits = `{"elicitation":{}}`

func accepts(state string) string {
	return `,"inputResponses":{"confirm":{"action":"accept","content":{"confirm":true}}},"requestState":"` + state + `"`
}

func TestConfirm_AsksTheUser(t *testing.T) {
	t.Parallel()
	c := newConfirming(t)
	// A model that confirms on its own changes nothing about the question.
	const arguments = `,"arguments":{"id":"a","confirm":true}`
	asked := c.call("alice", elicits, arguments)
	question := asked.InputRequests["confirm"]
	if asked.ResultType != "input_required" || question.Method != "elicitation/create" ||
		!strings.HasPrefix(question.Params.Message, "Delete the account?") || c.done != 0 {
		t.Fatalf("first call = %+v, done %d times", asked, c.done)
	}
	// Another order of the keys is the same call.
	if got := c.call("alice", elicits, `,"arguments":{"confirm":true,"id":"a"}`+accepts(asked.RequestState)); got.IsError || c.done != 1 {
		t.Errorf("accepted = %+v, done %d times, want once", got, c.done)
	}
}

func TestConfirm_TakesOnlyItsOwnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		caller, arguments, answer string
		later                     time.Duration
	}{
		"declined":            {answer: `,"inputResponses":{"confirm":{"action":"decline"}},"requestState":"STATE"`},
		"closed":              {answer: `,"inputResponses":{"confirm":{"action":"cancel"}},"requestState":"STATE"`},
		"left unticked":       {answer: `,"inputResponses":{"confirm":{"action":"accept","content":{"confirm":false}}},"requestState":"STATE"`},
		"accepted empty":      {answer: `,"inputResponses":{"confirm":{"action":"accept"}},"requestState":"STATE"`},
		"never asked":         {answer: accepts("")},
		"made up":             {answer: accepts("c3RhdGU")},
		"for another call":    {arguments: `,"arguments":{"id":"b"}`, answer: accepts("STATE")},
		"of another caller":   {caller: "mallory", answer: accepts("STATE")},
		"after too much time": {answer: accepts("STATE"), later: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConfirming(t)
			const arguments = `,"arguments":{"id":"a"}`
			state := c.call("alice", elicits, arguments).RequestState
			c.now = c.now.Add(test.later)
			if test.caller == "" {
				test.caller = "alice"
			}
			if test.arguments == "" {
				test.arguments = arguments
			}
			got := c.call(test.caller, elicits, test.arguments+strings.ReplaceAll(test.answer, "STATE", state))
			if !got.IsError || c.done != 0 {
				t.Errorf("= %+v, done %d times, want an error and nothing done", got, c.done)
			}
		})
	}
}

// A client that cannot ask its user has to say that it did.
func TestConfirm_WithoutAWayToAsk(t *testing.T) {
	t.Parallel()
	for name, capabilities := range map[string]string{
		"handshake era": "", "no elicitation": "{}", "only by URL": `{"elicitation":{"url":{}}}`,
	} {
		c := newConfirming(t)
		if got := c.call("alice", capabilities, `,"arguments":{}`); !got.IsError || c.done != 0 {
			t.Errorf("%s, not confirmed = %+v, done %d times", name, got, c.done)
		}
		if got := c.call("alice", capabilities, `,"arguments":{"confirm":true}`); got.IsError || c.done != 1 {
			t.Errorf("%s, confirmed = %+v, done %d times", name, got, c.done)
		}
	}
}

// On stdio a client of the handshake era said in its handshake what it can do.
func TestConfirm_OnStdio(t *testing.T) {
	t.Parallel()
	s := &Server{sealer: protocol.NewSealer(nil, func() time.Time { return time.Unix(0, 0) })}
	core, err := protocol.New(protocol.Config{Tools: []server.ServerTool{{
		Tool: mcpgo.NewToolWithRawSchema("delete", "Deletes.", json.RawMessage(`{"type":"object"}`)),
		Handler: func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			if canAsk(ctx) {
				return mcpgo.NewToolResultText("can ask"), nil
			}
			return s.confirm(ctx, r, "Delete?", "confirm", false), nil
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for capabilities, want := range map[string]string{elicits: "can ask", `{}`: `"isError":true`} {
		var out bytes.Buffer
		in := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":` + capabilities +
			`,"clientInfo":{"name":"t","version":"1"}}}` + "\n" + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"delete"}}` + "\n"
		if err := core.ServeStdio(t.Context(), strings.NewReader(in), &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("capabilities %s: %v, %s; want %s", capabilities, err, out.String(), want)
		}
	}
}

// Replicas share keys, and while the secret is replaced those of before are good.
func TestConfirm_StateOfAnotherReplica(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	a, b, both := []byte("key a"), []byte("key b"), [][]byte{[]byte("key b"), []byte("key a")}
	state := protocol.NewSealer([][]byte{a}, now).Seal([]byte("subject"))
	for name, tt := range map[string]struct {
		keys [][]byte
		want bool
	}{"the same key": {[][]byte{a}, true}, "a newer key before it": {both, true}, "another key": {[][]byte{b}, false}, "a random key": {nil, false}} {
		if got := protocol.NewSealer(tt.keys, now).Valid(state, []byte("subject")); got != tt.want {
			t.Errorf("%s: valid %v, want %v", name, got, tt.want)
		}
	}
	if !protocol.NewSealer([][]byte{b}, now).Valid(protocol.NewSealer(both, now).Seal(nil), nil) {
		t.Error("the first key is not the one that seals")
	}
}
