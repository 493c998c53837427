package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrResponseTooLarge is returned for an answer beyond Options.MaxResponseBytes.
var ErrResponseTooLarge = errors.New("the answer is too large; narrow the request")

// ErrUnreachable is what an error of a call is when the API was not reached, or
// its answer did not arrive whole.
var ErrUnreachable = errors.New("the API cannot be reached")

// unreachableError is an ErrUnreachable in the words of what went wrong.
type unreachableError struct{ error }

func (e unreachableError) Unwrap() []error { return []error{ErrUnreachable, e.error} }

// errPanicked is about a handler in this process, which is reached all the same.
var errPanicked = errors.New("the handler panicked")

// Error is an answer of the API outside 2xx.
type Error struct {
	// Method and Path are those of the request.
	Method, Path string
	// Status is the HTTP status.
	Status int
	// Code is the kind of error as a snake_case word, empty if the API sent none.
	Code string
	// Message says what is wrong, in the API's words.
	Message string
	// Details are the single faults, if the API sent any.
	Details []Detail
	// RetryAfter is how long the API asked to wait, 0 if it did not.
	RetryAfter time.Duration
}

// Detail is one fault of a request.
type Detail struct {
	// Index is the position of the row in the body, nil when it is not about a row.
	Index *int64 `json:"index,omitempty"`
	// ID is the id of the row or thing concerned.
	ID string `json:"id,omitempty"`
	// Field is the field or parameter at fault.
	Field string `json:"field,omitempty"`
	// Message says what would be right.
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %s (HTTP %d)", e.Method, e.Path, e.Message, e.Status)
}

// longestMessage bounds a text that is not the API's own, such as a proxy's page.
const longestMessage = 300

// newError reads the body of an answer outside 2xx. Older servers send only
// one of error and message; what stands between may send no JSON at all.
func newError(method, path string, r *Response) *Error {
	e := &Error{Method: method, Path: path, Status: r.Status}
	e.RetryAfter, _ = retryAfter(r.Header)
	var body struct {
		Error   string
		Message string
		Code    string
		Details []Detail
	}
	if err := json.Unmarshal(r.Body, &body); err == nil {
		e.Message, e.Code, e.Details = orDefault(body.Error, body.Message), body.Code, body.Details
	} else if strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		e.Message = strings.TrimSpace(shorten(string(r.Body)))
	}
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(r.Status))
	}
	if e.Message == "" {
		e.Message = "unexpected status"
	}
	return e
}

// shorten cuts a text at a rune boundary.
func shorten(text string) string {
	if len(text) <= longestMessage {
		return text
	}
	end := longestMessage
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
