// Package httpx holds what every HTTP surface of the product needs: handlers
// that return errors, the one JSON error body, middleware, bodies, rate limits.
package httpx

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
)

// Error is an error as a client sees it.
type Error struct {
	Status  int      // HTTP status, 4xx or 5xx
	Code    string   // snake_case, stable
	Message string   // what is wrong and what would be right
	Details []Detail // single faults, may be nil
}

// Detail is one fault of a request.
type Detail struct {
	Index   *int64 `json:"index,omitempty"` // position of the row in the body, from 0
	ID      string `json:"id,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Field returns a 400 about one field or parameter.
func Field(field, message string) *Error {
	return &Error{
		Status: http.StatusBadRequest, Code: "invalid_parameter", Message: field + ": " + message,
		Details: []Detail{{Field: field, Message: message}},
	}
}

// Internal is what a client sees of an error that is not meant for it.
func Internal() *Error {
	return &Error{Status: http.StatusInternalServerError, Code: "internal", Message: "internal error"}
}

// errorBody is the product's one error body: older clients read message, the
// others error, so both hold the same text.
type errorBody struct {
	Error   string   `json:"error"`
	Message string   `json:"message"`
	Code    string   `json:"code"`
	Details []Detail `json:"details,omitempty"`
}

// HandlerFunc answers a request, or returns an error before it has written
// anything.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Errors writes the errors of handlers, and logs those that clients do not see.
type Errors struct {
	// Translate finds the client's view of an error; nil for one that is not
	// meant for clients. It need not know *Error. May be nil.
	Translate func(error) *Error
	Logger    *slog.Logger
}

// Handle adapts a handler that returns errors.
func (e Errors) Handle(h HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			e.Write(w, r, err)
		}
	})
}

// Write answers a request with an error.
func (e Errors) Write(w http.ResponseWriter, r *http.Request, err error) {
	seen := e.view(err)
	if seen == nil {
		seen = Internal()
		// A client that hung up is no fault of the server.
		if r.Context().Err() == nil {
			e.Logger.ErrorContext(r.Context(), "request failed", slog.String("request_id", RequestID(r.Context())), slog.Any("error", err))
		}
	}
	WriteJSON(w, seen.Status, errorBody{Error: seen.Message, Message: seen.Message, Code: seen.Code, Details: seen.Details})
}

func (e Errors) view(err error) *Error {
	if e.Translate != nil {
		if seen := e.Translate(err); seen != nil {
			return seen
		}
	}
	if seen, ok := errors.AsType[*Error](err); ok {
		return seen
	}
	return nil
}

// ContentTypeJSON is the content type of every JSON answer. Clients look for
// "json" in it before they decode.
const ContentTypeJSON = "application/json; charset=utf-8"

// WriteJSON answers with v as JSON. v must be encodable: a value that is not is
// a programming error and panics.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("httpx: encode response: " + err.Error())
	}
	WriteBody(w, status, append(body, '\n'))
}

// WriteBody answers with JSON that is already encoded.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", ContentTypeJSON)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that hung up is not told anything
}
