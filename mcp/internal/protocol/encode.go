package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// The answers that carry data, tools/call and tools/list, are encoded here in
// one pass: mcp-go builds a map, marshals it, and has encoding/json validate
// and compact the result twice, which for a report of 20 KB costs more than
// fetching it.

// encoded are parts of answers that are always the same. A nil part is encoded
// from the result at hand.
type encoded struct {
	// tools are those of a tools/list result.
	tools []byte
	// meta is the _meta of a tools/call result that has none.
	meta []byte
}

// appendResponse appends the JSON-RPC response that carries result.
func appendResponse(dst []byte, id json.RawMessage, result any, parts encoded) ([]byte, error) {
	dst = appendHead(dst, id)
	dst = append(dst, `,"result":`...)
	dst, err := appendResult(dst, result, parts)
	if err != nil {
		return dst, err
	}
	return append(dst, '}'), nil
}

// appendError appends a JSON-RPC error response; a nil id becomes null.
func appendError(dst []byte, id json.RawMessage, code int, text string, data any) ([]byte, error) {
	dst = appendHead(dst, id)
	dst = fmt.Appendf(dst, `,"error":{"code":%d,"message":`, code)
	dst = appendString(dst, text)
	if data != nil {
		encoded, err := json.Marshal(data)
		if err != nil {
			return dst, fmt.Errorf("encode error data: %w", err)
		}
		dst = append(dst, `,"data":`...)
		dst = append(dst, encoded...)
	}
	return append(dst, "}}"...), nil
}

func appendHead(dst []byte, id json.RawMessage) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	if len(id) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, id...)
}

func appendResult(dst []byte, result any, parts encoded) ([]byte, error) {
	switch r := result.(type) {
	case *mcpgo.CallToolResult:
		return appendCallToolResult(dst, r, parts.meta)
	case mcpgo.ListToolsResult:
		if parts.tools != nil && r.NextCursor == "" {
			return appendToolList(dst, r, parts.tools)
		}
	}
	return appendJSON(dst, result)
}

func appendJSON(dst []byte, v any) ([]byte, error) {
	encoded, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("encode %T: %w", v, err)
	}
	return append(dst, encoded...), nil
}

// appendToolList writes a tools/list result around tools that are encoded
// already.
func appendToolList(dst []byte, r mcpgo.ListToolsResult, tools []byte) ([]byte, error) {
	r.Tools = nil
	frame, err := json.Marshal(r)
	if err != nil {
		return dst, fmt.Errorf("encode tools/list: %w", err)
	}
	before, after, found := bytes.Cut(frame, []byte(`"tools":null`))
	if !found {
		return dst, fmt.Errorf("encode tools/list: no place for the tools in %s", frame)
	}
	dst = append(dst, before...)
	dst = append(dst, `"tools":`...)
	dst = append(dst, tools...)
	return append(dst, after...), nil
}

func appendCallToolResult(dst []byte, r *mcpgo.CallToolResult, meta []byte) ([]byte, error) {
	var err error
	if r.Meta != nil {
		if meta, err = appendJSON(nil, r.Meta); err != nil {
			return dst, err
		}
	}
	dst = append(dst, '{')
	if meta != nil {
		dst = append(dst, `"_meta":`...)
		dst = append(append(dst, meta...), ',')
	}
	if r.ResultType != "" {
		dst = append(dst, `"resultType":`...)
		dst = append(appendString(dst, string(r.ResultType)), ',')
	}
	dst = append(dst, `"content":[`...)
	for i, content := range r.Content {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendContent(dst, content); err != nil {
			return dst, err
		}
	}
	dst = append(dst, ']')
	if dst, err = appendStructured(dst, r); err != nil {
		return dst, err
	}
	if r.IsError {
		dst = append(dst, `,"isError":true`...)
	}
	if len(r.InputRequests) > 0 {
		dst = append(dst, `,"inputRequests":`...)
		if dst, err = appendJSON(dst, r.InputRequests); err != nil {
			return dst, err
		}
	}
	if r.RequestState != "" {
		dst = append(dst, `,"requestState":`...)
		dst = appendString(dst, r.RequestState)
	}
	return append(dst, '}'), nil
}

func appendContent(dst []byte, content mcpgo.Content) ([]byte, error) {
	text, ok := content.(mcpgo.TextContent)
	if !ok || text.Meta != nil || text.Annotations != nil {
		return appendJSON(dst, content)
	}
	dst = append(dst, `{"type":"text","text":`...)
	return append(appendString(dst, text.Text), '}'), nil
}

// appendStructured writes structuredContent. Raw JSON is taken as it is,
// because its author is a tool of ours; only line breaks, which would tear a
// message on stdio apart, are taken out.
func appendStructured(dst []byte, r *mcpgo.CallToolResult) ([]byte, error) {
	raw := r.RawStructuredContent
	if len(raw) == 0 {
		if r.StructuredContent == nil {
			return dst, nil
		}
		var ok bool
		if raw, ok = r.StructuredContent.(json.RawMessage); !ok {
			return appendJSON(append(dst, `,"structuredContent":`...), r.StructuredContent)
		}
	}
	dst = append(dst, `,"structuredContent":`...)
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return append(dst, raw...), nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return dst, fmt.Errorf("encode structuredContent: %w", err)
	}
	return append(dst, compact.Bytes()...), nil
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
