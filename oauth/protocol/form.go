package protocol

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxForm bounds a form or query in bytes: a private_key_jwt assertion and a
// long state fit many times over.
const maxForm = 32 << 10

// Params are the parameters of a request to an OAuth endpoint. Each occurs at
// most once, resource excepted (RFC 8707 §2); an empty one counts as absent
// (RFC 6749 §3.1).
type Params struct {
	values   url.Values
	repeated []string
}

// ParseParams reads a query or form. The error is an *Error with InvalidRequest
// for text that is not one. Repeated parameters are for the caller to refuse:
// see Repeated.
func ParseParams(encoded string) (Params, error) {
	if len(encoded) > maxForm {
		return Params{}, invalidRequest("the parameters are too long")
	}
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return Params{}, invalidRequest("the parameters are not properly encoded")
	}
	p := Params{values: values}
	for name, all := range values {
		for _, value := range all {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return Params{}, invalidRequest("the parameters must be UTF-8 text without null characters")
			}
		}
		if len(all) > 1 && name != "resource" {
			p.repeated = append(p.repeated, name)
		}
	}
	return p, nil
}

// ReadForm reads the body of a POST to an endpoint that takes a form, and
// refuses a repeated parameter. Parameters in the query are not looked at: they
// end up in logs. The errors are *Error.
func ReadForm(r *http.Request) (Params, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return Params{}, invalidRequest("the Content-Type must be application/x-www-form-urlencoded")
	}
	body, fault := readBody(r, maxForm)
	if fault != nil {
		return Params{}, fault
	}
	p, err := ParseParams(string(body))
	if err != nil {
		return Params{}, err
	}
	if len(p.repeated) > 0 {
		return Params{}, p.repeatedError()
	}
	return p, nil
}

// readBody reads a whole body of at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, *Error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, invalidRequest("Content-Encoding: send the body uncompressed")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || int64(len(body)) > limit:
		return nil, invalidRequest("the body is too large")
	case err != nil:
		return nil, invalidRequest("the body could not be read to its end")
	}
	return body, nil
}

// Get returns a parameter, "" when it is absent.
func (p Params) Get(name string) string { return p.values.Get(name) }

// Has reports whether a parameter is present and not empty.
func (p Params) Has(name string) bool { return p.values.Get(name) != "" }

// Resources returns the values of resource, the one parameter that may be repeated,
// without empty ones.
func (p Params) Resources() []string {
	var all []string
	for _, value := range p.values["resource"] {
		if value != "" {
			all = append(all, value)
		}
	}
	return all
}

// Repeated reports whether a parameter occurs more than once.
func (p Params) Repeated(name string) bool { return len(p.values[name]) > 1 && name != "resource" }

// repeatedError does not show the names: a stranger chose them.
func (p Params) repeatedError() *Error {
	return invalidRequest("a parameter is sent more than once")
}
