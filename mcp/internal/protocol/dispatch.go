package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// answer is an encoded JSON-RPC response.
type answer struct {
	body []byte
	// code is the JSON-RPC error code, 0 for a result.
	code int
}

// handle answers one request. By the time it returns, every notification that
// the handler sent has been passed to the session's sink.
func (s *Server) handle(ctx context.Context, m *message, sess *session) answer {
	response := s.dispatch(ctx, m, sess)
	switch r := response.(type) {
	case mcpgo.JSONRPCResponse:
		body, err := appendResponse(make([]byte, 0, sizeHint(r.Result)), m.ID, r.Result, s.toolList)
		if err != nil {
			return s.internalError(ctx, m, err)
		}
		return answer{body: body}
	case mcpgo.JSONRPCError:
		return s.refuse(ctx, m, s.refine(ctx, m, sess, r.Error))
	default:
		return s.internalError(ctx, m, fmt.Errorf("unexpected response of type %T", response))
	}
}

// dispatch lets mcp-go handle the message. A panic outside of a tool becomes an
// internal error.
func (s *Server) dispatch(ctx context.Context, m *message, sess *session) (response mcpgo.JSONRPCMessage) {
	defer sess.drain()
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Logger.ErrorContext(ctx, "panic while answering a request",
				"method", m.Method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			response = mcpgo.JSONRPCError{Error: mcpgo.JSONRPCErrorDetails{
				Code: mcpgo.INTERNAL_ERROR, Message: "internal error",
			}}
		}
	}()
	return s.mcp.HandleMessage(s.mcp.WithContext(ctx, sess), m.raw)
}

// refine turns an error of mcp-go into the one that the specification asks for
// and that tells the client nothing about this program's insides.
func (s *Server) refine(ctx context.Context, m *message, sess *session, e mcpgo.JSONRPCErrorDetails) *Error {
	if own, ok := errors.AsType[*Error](sess.failed()); ok {
		return own
	}
	if missing, ok := errors.AsType[mcpgo.MissingRequiredClientCapabilityError](sess.failed()); ok {
		return &Error{
			Code:    mcpgo.MISSING_REQUIRED_CLIENT_CAPABILITY,
			Message: missing.Error(),
			Data:    map[string]any{"requiredCapabilities": map[string]any{missing.Capability: struct{}{}}},
		}
	}
	switch {
	case e.Code == mcpgo.INTERNAL_ERROR:
		s.cfg.Logger.ErrorContext(ctx, "request failed", "method", m.Method, "error", e.Message)
		return &Error{Code: e.Code, Message: "internal error"}
	case e.Code == mcpgo.INVALID_REQUEST:
		// The envelope has been checked, so it is the parameters that do not
		// decode; the library's text names Go types.
		return &Error{Code: mcpgo.INVALID_PARAMS, Message: "the params of " + m.Method + " do not have the expected shape"}
	case m.Method == string(mcpgo.MethodToolsCall) && s.mcp.GetTool(m.target.Name) == nil:
		return &Error{Code: mcpgo.INVALID_PARAMS, Message: fmt.Sprintf("unknown tool %q: tools/list has the tools there are", m.target.Name)}
	case m.Method == string(mcpgo.MethodResourcesRead) && e.Data == nil:
		return &Error{Code: e.Code, Message: e.Message, Data: map[string]any{"uri": m.target.URI}}
	}
	return &Error{Code: e.Code, Message: e.Message, Data: e.Data}
}

// refuse encodes an error response to m.
func (s *Server) refuse(ctx context.Context, m *message, e *Error) answer {
	body, err := appendError(nil, m.ID, e.Code, e.Message, e.Data)
	if err != nil {
		return s.internalError(ctx, m, err)
	}
	return answer{body: body, code: e.Code}
}

func (s *Server) internalError(ctx context.Context, m *message, err error) answer {
	s.cfg.Logger.ErrorContext(ctx, "answer could not be encoded", "method", m.Method, "error", err)
	// Without data there is nothing left that could fail to encode.
	body, _ := appendError(nil, m.ID, mcpgo.INTERNAL_ERROR, "internal error", nil)
	return answer{body: body, code: mcpgo.INTERNAL_ERROR}
}

// sizeHint guesses the length of an encoded result in bytes, so that a report
// is not copied over and over while it grows.
func sizeHint(result any) int {
	const frame = 512
	r, ok := result.(*mcpgo.CallToolResult)
	if !ok {
		return frame
	}
	size := frame + len(r.RawStructuredContent)
	if raw, ok := r.StructuredContent.(json.RawMessage); ok {
		size += len(raw)
	}
	for _, content := range r.Content {
		if text, ok := content.(mcpgo.TextContent); ok {
			size += len(text.Text) + len(text.Text)/4
		}
	}
	return size
}
