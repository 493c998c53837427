package protocol

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

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
//
// The answer is built in buf, which may be nil.
func (s *Server) handle(ctx context.Context, m *message, sess *session, buf []byte) answer {
	if m.Method == string(mcpgo.MethodToolsCall) {
		if a, ok := s.callTool(ctx, m, sess, buf); ok {
			return a
		}
	}
	if m.Method == string(mcpgo.MethodToolsList) && m.target.Cursor != "" {
		return s.refuse(ctx, m, errCursor) // the list is never cut, so no cursor was ever handed out
	}
	response := s.dispatch(ctx, m, sess)
	switch r := response.(type) {
	case mcpgo.JSONRPCResponse:
		body, err := appendResponse(buf, m.ID, r.Result, encoded{tools: s.toolList})
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

var errCursor = &Error{Code: mcpgo.INVALID_PARAMS, Message: "the cursor is none of this server's: ask without one"}

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
	if failure := sess.failed(); failure != nil {
		return protocolError(failure)
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
	case e.Code == mcpgo.INVALID_PARAMS && strings.HasSuffix(m.Method, "/list"):
		return errCursor
	case m.Method == string(mcpgo.MethodResourcesRead) && e.Data == nil:
		return &Error{Code: e.Code, Message: e.Message, Data: map[string]any{"uri": m.target.URI}}
	}
	return &Error{Code: e.Code, Message: e.Message, Data: e.Data}
}

// protocolError returns the JSON-RPC error for an error of a tool that is meant
// for the client program; see isProtocolError.
func protocolError(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if missing, ok := errors.AsType[mcpgo.MissingRequiredClientCapabilityError](err); ok {
		return &Error{
			Code:    mcpgo.MISSING_REQUIRED_CLIENT_CAPABILITY,
			Message: missing.Error(),
			Data:    map[string]any{"requiredCapabilities": map[string]any{missing.Capability: struct{}{}}},
		}
	}
	return &Error{Code: mcpgo.INTERNAL_ERROR, Message: "internal error"}
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

// maxPooled is the largest buffer that is kept for another answer; reports are
// smaller, exports may be much larger.
const maxPooled = 256 << 10

// buffer returns an empty buffer for an answer.
func (s *Server) buffer() []byte {
	if buf, ok := s.buffers.Get().(*[]byte); ok {
		return (*buf)[:0]
	}
	return make([]byte, 0, 4<<10)
}

// recycle takes back the buffer of an answer that has been sent.
func (s *Server) recycle(buf []byte) {
	if cap(buf) > 0 && cap(buf) <= maxPooled {
		s.buffers.Put(&buf)
	}
}
