package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

// smallBodyBytes is enough for every body but a push.
const smallBodyBytes = 1 << 20

// withJSONBody makes a body ready for the generated decoder, which reads the
// first JSON value and ignores the rest: the body is one JSON object whatever
// its Content-Type says, and no body is an empty object.
func (s *Server) withJSONBody(next http.Handler) http.Handler {
	return s.errs.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			// Some clients send a body with DELETE; nothing in it is needed.
			next.ServeHTTP(w, r)
			return nil
		}
		body, release, err := s.bodies.Read(r, smallBodyBytes)
		if err != nil {
			return err
		}
		defer release()
		if body, err = jsonObject(body); err != nil {
			return err
		}
		r = r.WithContext(context.WithValue(r.Context(), bodyKey, body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
		return nil
	})
}

// refuseUnknown returns an error when the body has a member that like, a pointer
// to the body's type, does not have: a misspelled setting must not look changed.
func refuseUnknown(ctx context.Context, like any) error {
	body, ok := ctx.Value(bodyKey).([]byte)
	if !ok {
		return errors.New("the request has no body")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(like)
	if err == nil {
		return nil
	}
	// encoding/json has no type for this error.
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return httpx.Field(clip(strings.Trim(name, `"`)), "is not known here; GET /openapi.json lists the fields")
	}
	return bodyError(err)
}

func jsonObject(body []byte) ([]byte, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	if !utf8.Valid(body) {
		return nil, invalidBody("the body is not UTF-8")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, bodyError(err)
	}
	if object == nil {
		return nil, invalidBody("the body must be a JSON object, not null")
	}
	return body, nil
}

// typeName says in the words of JSON what a field must be.
func typeName(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

func invalidBody(message string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_body", Message: message}
}

// bodyError says where a body stops being what it should be.
func bodyError(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalidBody(fmt.Sprintf("the body is not JSON: %v at byte %d", syntax, syntax.Offset))
	}
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return httpx.Field(wrongType.Field, fmt.Sprintf("must be %s, not %s", typeName(wrongType.Type.Kind()), wrongType.Value))
	case errors.As(err, &wrongType):
		return invalidBody("the body must be a JSON object, not " + wrongType.Value)
	default:
		return invalidBody("the body is not JSON: " + err.Error())
	}
}

// clip shortens what a client sent before it is quoted back.
func clip(s string) string {
	const limit = 120
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
