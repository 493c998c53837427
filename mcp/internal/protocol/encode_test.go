package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// What is encoded here means the same as what mcp-go would have written.
func TestAppendResult_MeansWhatTheLibraryWrites(t *testing.T) {
	t.Parallel()
	annotated := mcpgo.NewTextContent("for the user")
	annotated.Annotations = &mcpgo.Annotations{Audience: []mcpgo.Role{mcpgo.RoleUser}}
	results := map[string]any{
		"text":       mcpgo.NewToolResultText("a \"quoted\"\n<b>\u2028 text\x00\x1f"),
		"error":      mcpgo.NewToolResultError("no"),
		"no content": &mcpgo.CallToolResult{},
		"contents": &mcpgo.CallToolResult{Content: []mcpgo.Content{
			annotated, mcpgo.NewImageContent("AAAA", "image/png"), mcpgo.NewTextContent(""),
		}},
		"structured value": mcpgo.NewToolResultStructured(map[string]any{"mrr": "1.00"}, "1.00"),
		"structured raw": &mcpgo.CallToolResult{
			Result:            mcpgo.Result{ResultType: "complete", Meta: mcpgo.NewMetaFromMap(map[string]any{"k": "v"})},
			StructuredContent: json.RawMessage("{\"a\":\n[1,\r\n2]}"),
		},
		"raw wins": &mcpgo.CallToolResult{StructuredContent: 1, RawStructuredContent: json.RawMessage(`{"a":2}`)},
		"question": server.NewInputRequestBuilder("state").Roots("r").ToolResult(),
		"other":    mcpgo.EmptyResult{},
	}
	for name, result := range results {
		got, err := appendResult(nil, result, encoded{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.ContainsAny(got, "\r\n") {
			t.Errorf("%s: a line break would tear the message apart: %q", name, got)
		}
		want, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed(t, want), parsed(t, got)); diff != "" {
			t.Errorf("%s (-library +ours):\n%s", name, diff)
		}
	}
}

func parsed(t *testing.T, document []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatalf("not JSON: %v: %s", err, document)
	}
	return v
}

func TestAppendResult_ReportsWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]*mcpgo.CallToolResult{
		"a function": {StructuredContent: func() {}},
		"broken raw": {StructuredContent: json.RawMessage("{\n")},
	} {
		if got, err := appendResponse(nil, json.RawMessage("1"), result, encoded{}); err == nil {
			t.Errorf("%s is encoded as %s", name, got)
		}
	}
}

func TestCheckTools(t *testing.T) {
	t.Parallel()
	for name, tools := range map[string][]server.ServerTool{
		"two of a name": {testTools()[0], testTools()[0]},
		"no name":       {testTool("", testTools()[0].Handler)},
		"no handler":    {testTool("x", nil)},
	} {
		if _, err := New(Config{Tools: tools}); err == nil {
			t.Errorf("New accepts %s", name)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "plain", "\"\\\n\r\t\x00\x1f\x7f", "\u2028é😀", "\xff\xfe", strings.Repeat("x", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); got != want || !utf8.ValidString(got) {
			t.Errorf("%q comes back as %q", s, got)
		}
	})
}

// Whatever comes in is either understood or answered with an error that has an
// id to answer to.
func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `{"jsonrpc":"2.0","id":"x","result":{}}`,
		`{"jsonrpc":"2.0","method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":7}}}`,
		`[]`, `null`, `{"id":[]}`, `{"jsonrpc":2}`, `{"params":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, problem := parseMessage(raw)
		if problem == nil {
			kinds := 0
			for _, is := range []bool{m.isResponse(), m.isNotification(), m.Method != "" && len(m.ID) > 0} {
				if is {
					kinds++
				}
			}
			if kinds != 1 || !json.Valid(raw) {
				t.Errorf("%q is %d kinds of message", raw, kinds)
			}
			_ = m.version()
			return
		}
		answer, err := appendError(nil, m.ID, problem.Code, problem.Message, problem.Data)
		if err != nil || !json.Valid(answer) {
			t.Errorf("%q is answered with %q, %v", raw, answer, err)
		}
	})
}
