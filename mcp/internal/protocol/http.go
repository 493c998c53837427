package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// Handler serves streamable HTTP: POST on / and /mcp. There is nothing to GET,
// because a stateless server has no stream that outlives a request, and nothing
// to DELETE, because it has no session.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(s.serveHTTP)
}

// serveHTTP takes a request past the checks that need nothing but its head, in
// the order of their cost.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recoverHTTP(w, r)

	// A client that was given /mcp/ must not be redirected: it would lose the body
	// or the token on the way.
	if r.URL.Path != "/" && r.URL.Path != "/mcp" && r.URL.Path != "/mcp/" {
		refuseHTTP(w, &refusal{status: http.StatusNotFound, code: "not_found", text: "MCP is served at /mcp and at /"})
		return
	}
	if !s.guard.allowsHost(r) {
		refuseHTTP(w, &refusal{
			status: http.StatusMisdirectedRequest, code: "misdirected_request",
			text: fmt.Sprintf("this server does not answer for the host %q", r.Host),
		})
		return
	}
	if !s.guard.allowsOrigin(r) {
		refuseHTTP(w, &refusal{
			status: http.StatusForbidden, code: "origin_not_allowed",
			text: "pages of this origin may not call this server",
		})
		return
	}
	setCORS(w.Header(), r)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	ctx, release, refused := s.authenticate(r)
	if refused != nil {
		refuseHTTP(w, refused)
		return
	}
	defer release()
	if r.Method != http.MethodPost {
		// After the challenge: clients begin with a GET to find out how to sign in.
		refuseHTTP(w, &refusal{
			status: http.StatusMethodNotAllowed, code: "method_not_allowed",
			text:   "MCP messages are sent with POST",
			header: http.Header{"Allow": {"POST, OPTIONS"}},
		})
		return
	}
	body, refused := s.readBody(w, r)
	if refused != nil {
		refuseHTTP(w, refused)
		return
	}
	s.post(ctx, w, r, body)
}

// readBody returns the body of a POST.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, &refusal{
			status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
			text: "the Content-Type must be application/json",
		}
	}
	tooLarge := &refusal{
		status: http.StatusRequestEntityTooLarge, code: "payload_too_large",
		text: fmt.Sprintf("the body has more than %d bytes", s.cfg.BodyLimit),
	}
	if r.ContentLength > s.cfg.BodyLimit {
		return nil, tooLarge
	}
	body := make([]byte, 0, max(r.ContentLength, 0)+1)
	reader := http.MaxBytesReader(w, r.Body, s.cfg.BodyLimit)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := reader.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		var limit *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case errors.As(err, &limit):
			return nil, tooLarge
		case err != nil:
			return nil, &refusal{status: http.StatusBadRequest, code: "bad_request", text: "the body could not be read"}
		}
	}
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

// post answers one body: a message, or a batch of them.
func (s *Server) post(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) {
	header := r.Header
	out := newStream(w, header["Accept"])
	batch, isBatch, problem := splitBatch(body)
	if isBatch {
		if problem == nil {
			problem = batchable(header)
		}
		if problem != nil {
			s.reject(ctx, out, &message{}, problem)
			return
		}
		s.postBatch(ctx, out, header, batch)
		return
	}
	m, problem := parseMessage(body)
	if problem != nil {
		s.reject(ctx, out, &m, problem)
		return
	}
	if m.isResponse() {
		s.asks.answer(m)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if problem := s.checkEra(header, &m); problem != nil {
		s.reject(ctx, out, &m, problem)
		return
	}
	if m.isNotification() {
		// There is nothing here that a notification could change: a request is
		// canceled by closing its connection.
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if m.Method == string(mcpgo.MethodSubscriptionsListen) && m.modern() {
		s.listen(ctx, out, header, &m)
		return
	}
	sess := s.newSession(newPeer(header.Get(mcpgo.HeaderProtocolVersion)), out)
	a := s.handle(ctx, &m, sess, s.buffer())
	if errors.Is(sess.failed(), ErrInsufficientScope) && !out.begun() {
		refuseHTTP(w, s.insufficientScope(r))
		return
	}
	out.finish(status(&m, a.code), a.body)
	s.recycle(a.body)
}

// batchable refuses batches under the protocol versions that have none.
func batchable(header http.Header) *Error {
	if version := header.Get(mcpgo.HeaderProtocolVersion); version > mcpgo.ProtocolVersion20250326 {
		return &Error{Code: mcpgo.INVALID_REQUEST, Message: "protocol version " + version + " has no batches: send one message per request"}
	}
	return nil
}

// postBatch answers the requests of a batch in order, as 2025-03-26 has it.
func (s *Server) postBatch(ctx context.Context, out *stream, header http.Header, batch []json.RawMessage) {
	peer := newPeer(header.Get(mcpgo.HeaderProtocolVersion))
	body := s.answerBatch(ctx, batch, func(m *message) answer {
		if problem := s.checkEra(header, m); problem != nil {
			return s.refuse(ctx, m, problem)
		}
		return s.handle(ctx, m, s.newSession(peer, out), nil)
	})
	if body == nil {
		out.w.WriteHeader(http.StatusAccepted)
		return
	}
	out.finish(http.StatusOK, body)
}

// answerBatch returns the answers to a batch, or nil if it holds nothing that
// is to be answered.
func (s *Server) answerBatch(ctx context.Context, batch []json.RawMessage, handle func(*message) answer) []byte {
	body := []byte{'['}
	for _, raw := range batch {
		if ctx.Err() != nil {
			break
		}
		a := s.answerPart(ctx, raw, handle)
		if a.body == nil {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(body, a.body...)
	}
	if len(body) == 1 {
		return nil
	}
	return append(body, ']')
}

func (s *Server) answerPart(ctx context.Context, raw []byte, handle func(*message) answer) answer {
	m, problem := parseMessage(raw)
	switch {
	case problem != nil:
		return s.refuse(ctx, &m, problem)
	case m.isResponse():
		s.asks.answer(m)
		return answer{}
	case m.isNotification():
		return answer{}
	case m.Method == string(mcpgo.MethodInitialize) || m.modern():
		return s.refuse(ctx, &m, &Error{Code: mcpgo.INVALID_REQUEST, Message: m.Method + " may not be part of a batch"})
	}
	return handle(&m)
}

// listen serves a subscriptions/listen stream until the client leaves or the
// server closes, which ends it with its final result.
func (s *Server) listen(ctx context.Context, out *stream, header http.Header, m *message) {
	if !out.events {
		s.reject(ctx, out, m, &Error{
			Code:    mcpgo.INVALID_REQUEST,
			Message: m.Method + " needs Accept: text/event-stream",
		})
		return
	}
	sess := s.newSession(newPeer(header.Get(mcpgo.HeaderProtocolVersion)), out)
	sess.subscription = m.ID
	if err := s.mcp.RegisterSession(ctx, sess); err != nil {
		a := s.internalError(ctx, m, err)
		out.finish(http.StatusOK, a.body)
		return
	}
	defer s.mcp.UnregisterSession(ctx, sess.id)

	open, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(s.closing, end)()
	a := s.handle(open, m, sess, nil)
	out.finish(status(m, a.code), a.body)
}

// reject answers a message that is not handed on.
func (s *Server) reject(ctx context.Context, out *stream, m *message, problem *Error) {
	a := s.refuse(ctx, m, problem)
	code := http.StatusBadRequest
	if problem.Code == mcpgo.METHOD_NOT_FOUND {
		code = http.StatusNotFound
	}
	out.finish(code, a.body)
}

// status is the HTTP status of an answered request. Only the stateless era maps
// errors to it; before, an error was as good an answer as a result.
func status(m *message, code int) int {
	if !m.modern() {
		return http.StatusOK
	}
	switch code {
	case mcpgo.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcpgo.HEADER_MISMATCH, mcpgo.MISSING_REQUIRED_CLIENT_CAPABILITY,
		mcpgo.UNSUPPORTED_PROTOCOL_VERSION, mcpgo.INVALID_REQUEST, mcpgo.INVALID_PARAMS:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}

// refuseHTTP answers in the form that all of GrowPanel's HTTP errors have.
func refuseHTTP(w http.ResponseWriter, f *refusal) {
	maps.Copy(w.Header(), f.header)
	body := append(appendString([]byte(`{"error":`), f.text), `,"message":`...)
	body = append(appendString(body, f.text), `,"code":`...)
	body = append(appendString(body, f.code), "}\n"...)
	writeJSON(w, f.status, body)
}

// recoverHTTP keeps a panic in this package to its request.
func (s *Server) recoverHTTP(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	s.cfg.Logger.ErrorContext(r.Context(), "panic while serving a request", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	refuseHTTP(w, &refusal{status: http.StatusInternalServerError, code: "internal", text: "internal error"})
}
