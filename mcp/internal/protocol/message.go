package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// message is one JSON-RPC message as it came in: a request, a notification, or
// a response to something this server asked.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`

	// raw is the message as received.
	raw []byte
	// target is what the parameters say about era and addressee, targetErr why
	// they could not be decoded.
	target    target
	targetErr error
	// protocol is the version that the message declares, or "".
	protocol string
}

// target holds the parameters that this package reads itself.
type target struct {
	Name      string          `json:"name"`
	URI       string          `json:"uri"`
	Cursor    string          `json:"cursor"`
	Arguments json.RawMessage `json:"arguments"`
	Task      json.RawMessage `json:"task"`
	mcpgo.MultiRoundTripParams
	Meta struct {
		Version       json.RawMessage `json:"io.modelcontextprotocol/protocolVersion"`
		Capabilities  json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
		ProgressToken any             `json:"progressToken"`
	} `json:"_meta"`
}

// Error is a JSON-RPC error. A tool that returns one, rather than a result that
// says what went wrong, gives it to the client program instead of the model.
type Error struct {
	Code    int
	Message string
	// Data is encoded as JSON; nil is left out.
	Data any
}

func (e *Error) Error() string { return e.Message }

// parseMessage decodes one JSON-RPC message, or says what is wrong with it. The
// returned message has the id to answer with even when the rest is unusable.
func parseMessage(raw []byte) (message, *Error) {
	m := message{raw: raw}
	if err := json.Unmarshal(raw, &m); err != nil {
		if !json.Valid(raw) {
			return message{}, &Error{Code: mcpgo.PARSE_ERROR, Message: "the message is not valid JSON"}
		}
		return message{}, &Error{Code: mcpgo.INVALID_REQUEST, Message: "the message is not a JSON-RPC 2.0 object"}
	}
	if len(m.ID) > 0 && !validID(m.ID) {
		m.ID = nil
		return m, &Error{Code: mcpgo.INVALID_REQUEST, Message: "id must be a string or a number"}
	}
	if m.JSONRPC != mcpgo.JSONRPC_VERSION {
		return m, &Error{Code: mcpgo.INVALID_REQUEST, Message: `jsonrpc must be "2.0"`}
	}
	if m.Method == "" && !m.isResponse() {
		return m, &Error{Code: mcpgo.INVALID_REQUEST, Message: "method is missing"}
	}
	if len(m.Params) > 0 {
		// Parameters of another shape are reported by the method they are for.
		m.targetErr = json.Unmarshal(m.Params, &m.target)
		m.protocol = plainString(m.target.Meta.Version)
	}
	return m, nil
}

// validID reports whether id is what JSON-RPC lets a request be named by: MCP
// excludes null.
func validID(id json.RawMessage) bool {
	return id[0] == '"' || id[0] == '-' || '0' <= id[0] && id[0] <= '9'
}

func (m *message) isResponse() bool {
	return m.Method == "" && len(m.ID) > 0 && (m.Result != nil || m.Error != nil)
}

func (m *message) isNotification() bool { return m.Method != "" && len(m.ID) == 0 }

// version is the protocol version that the message itself declares, or "".
func (m *message) version() string { return m.protocol }

// plainString decodes a JSON string, or returns "" for anything else.
func plainString(raw json.RawMessage) string {
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : n-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// modern reports whether the message belongs to the stateless protocol of
// 2026-07-28.
func (m *message) modern() bool { return mcpgo.IsModernProtocol(m.version()) }

// splitBatch returns the messages of a JSON-RPC batch, or ok = false when raw
// is not an array.
func splitBatch(raw []byte) (batch []json.RawMessage, ok bool, err *Error) {
	trimmed := bytes.TrimLeft(raw, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' {
		return nil, false, nil
	}
	if json.Unmarshal(trimmed, &batch) != nil {
		return nil, true, &Error{Code: mcpgo.PARSE_ERROR, Message: "the message is not valid JSON"}
	}
	if len(batch) == 0 {
		return nil, true, &Error{Code: mcpgo.INVALID_REQUEST, Message: "the batch is empty"}
	}
	if len(batch) > maxBatch {
		return nil, true, &Error{
			Code:    mcpgo.INVALID_REQUEST,
			Message: fmt.Sprintf("the batch has %d messages, at most %d are allowed", len(batch), maxBatch),
		}
	}
	return batch, true, nil
}

// maxBatch bounds the work that one request can ask for.
const maxBatch = 50
