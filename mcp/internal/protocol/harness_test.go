package protocol

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const anyArguments = `{"type":"object"}`

func testTool(name string, handler server.ToolHandlerFunc) server.ServerTool {
	return server.ServerTool{Tool: mcpgo.NewToolWithRawSchema(name, "Does "+name+".", json.RawMessage(anyArguments)), Handler: handler}
}

// testTools are tools that each do one thing a transport has to cope with.
func testTools() []server.ServerTool {
	return []server.ServerTool{
		testTool("echo", func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			return &mcpgo.CallToolResult{
				Content:           []mcpgo.Content{mcpgo.NewTextContent(string(r.Params.RawArguments))},
				StructuredContent: json.RawMessage(`{"a":1,` + "\n" + `"b":"<x>"}`),
			}, nil
		}),
		testTool("panic", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			panic("secret detail")
		}),
		testTool("fail", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			return nil, errors.New("secret detail")
		}),
		testTool("ask", func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			answer := server.ElicitationResponse(r.Params.InputResponses, "q")
			if answer == nil {
				return server.NewInputRequestBuilder("").Elicit("q", mcpgo.ElicitationParams{
					Message: "Really?", RequestedSchema: map[string]any{"type": "object"},
				}).ToolResult(), nil
			}
			return mcpgo.NewToolResultText("answer: " + string(answer.Action)), nil
		}),
		testTool("wait", func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			<-ctx.Done()
			return mcpgo.NewToolResultText("canceled"), nil
		}),
	}
}

// newTestServer returns a server with testTools; change may adjust its Config.
func newTestServer(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Name: "test", Version: "1", Tools: testTools(),
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// newNotifyingServer returns a server that has, besides testTools, one that
// notifies the client.
func newNotifyingServer(t *testing.T) *Server {
	t.Helper()
	return newTestServer(t, func(c *Config) {
		c.Extend = func(s *server.MCPServer) {
			notify := testTool("notify", func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				for i := range r.GetInt("count", 0) {
					err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
						"progressToken": r.GetString("token", ""), "progress": i,
					})
					if err != nil {
						return nil, err
					}
				}
				return mcpgo.NewToolResultText("notified"), nil
			})
			s.AddTool(notify.Tool, notify.Handler)
		}
	})
}

// call describes one POST; the zero value is a tools/list without anything that
// could be left out.
type call struct {
	body    string
	header  map[string]string
	host    string
	path    string
	method  string
	chunked bool
}

type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request straight into the handler.
func do(t *testing.T, s *Server, c call) reply {
	t.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.path == "" {
		c.path = "/mcp"
	}
	if c.body == "" {
		c.body = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	}
	var body io.Reader = strings.NewReader(c.body)
	if c.chunked {
		body = struct{ io.Reader }{body}
	}
	r := httptest.NewRequestWithContext(t.Context(), c.method, "http://127.0.0.1:8080"+c.path, body)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.host != "" {
		r.Host = c.host
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return reply{status: w.Code, header: w.Header(), body: w.Body.String()}
}

// modernHeader returns the headers of a request of the stateless era.
func modernHeader(method, name string, more map[string]string) map[string]string {
	header := map[string]string{
		"Accept":               "application/json, text/event-stream",
		"Mcp-Protocol-Version": mcpgo.ProtocolVersion20260728,
		"Mcp-Method":           method,
	}
	if name != "" {
		header["Mcp-Name"] = name
	}
	maps.Copy(header, more)
	return header
}

// modernBody returns a request of the stateless era; params is the inside of an
// object, without _meta.
func modernBody(id, method, params, capabilities string) string {
	if params != "" {
		params += ","
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{` + params +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + capabilities + `}}}`
}

// envelope is a decoded JSON-RPC message.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params map[string]any  `json:"params"`
	Result map[string]any  `json:"result"`
	Error  *struct {
		Code    int            `json:"code"`
		Message string         `json:"message"`
		Data    map[string]any `json:"data"`
	} `json:"error"`
}

func decode(t *testing.T, body string) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, body)
	}
	return e
}

// wantError checks that body is a JSON-RPC error with the given code.
func wantError(t *testing.T, body string, code int) envelope {
	t.Helper()
	e := decode(t, body)
	if e.Error == nil || e.Error.Code != code {
		t.Fatalf("answer = %s, want error %d", body, code)
	}
	return e
}

// textOf returns the first text of a tools/call result.
func textOf(t *testing.T, e envelope) string {
	t.Helper()
	content, _ := e.Result["content"].([]any)
	if len(content) == 0 {
		t.Fatalf("no content in %v", e)
	}
	first, _ := content[0].(map[string]any)
	text, _ := first["text"].(string)
	return text
}

// events decodes the messages of an event stream.
func events(t *testing.T, body io.Reader) []envelope {
	t.Helper()
	var all []envelope
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if data, ok := strings.CutPrefix(scanner.Text(), "data: "); ok {
			all = append(all, decode(t, data))
		}
	}
	return all
}

func callTool(id, tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `}}`
}
