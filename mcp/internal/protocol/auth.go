package protocol

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// refusal is an HTTP-level "no": the request does not reach the protocol.
type refusal struct {
	status int
	code   string
	text   string
	header http.Header
}

// authenticate returns the context of an authenticated request, or the refusal
// to send. The token itself is in neither.
func (s *Server) authenticate(r *http.Request) (context.Context, *refusal) {
	if s.cfg.Authenticate == nil {
		return r.Context(), nil
	}
	token, problem := bearerToken(r.Header)
	if problem != nil {
		return nil, problem.challenge(s.cfg.Name)
	}
	ctx, err := s.cfg.Authenticate(r.Context(), token)
	switch {
	case err == nil:
		return ctx, nil
	case errors.Is(err, ErrInvalidToken):
		problem = &refusal{
			status: http.StatusUnauthorized, code: "invalid_token",
			text: "the API key is unknown, expired or revoked",
		}
		return nil, problem.challenge(s.cfg.Name)
	case errors.Is(err, ErrForbidden):
		return nil, &refusal{
			status: http.StatusForbidden, code: "forbidden",
			text: "this API key may not use the MCP server",
		}
	default:
		s.cfg.Logger.ErrorContext(r.Context(), "token could not be checked", "error", err)
		return nil, &refusal{
			status: http.StatusServiceUnavailable, code: "unavailable",
			text:   "the API key cannot be checked at the moment, try again",
			header: http.Header{"Retry-After": {"5"}},
		}
	}
}

// bearerToken takes the token from the Authorization header; RFC 6750 section 2
// has other places for it, of which the query ends up in logs.
func bearerToken(header http.Header) (string, *refusal) {
	values := header["Authorization"]
	if len(values) > 1 {
		return "", &refusal{
			status: http.StatusBadRequest, code: "invalid_request",
			text: "the Authorization header may be sent once",
		}
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t,") {
		// RFC 6750 section 3.1: no error code when no bearer token was tried.
		return "", &refusal{
			status: http.StatusUnauthorized,
			text:   "an API key is needed: send it as Authorization: Bearer <API key>",
		}
	}
	return token, nil
}

// challenge adds the WWW-Authenticate header of RFC 6750 section 3.
func (f *refusal) challenge(realm string) *refusal {
	challenge := `Bearer realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(realm) + `"`
	if f.code != "" {
		challenge += `, error="` + f.code + `", error_description="` + f.text + `"`
	} else {
		f.code = "unauthorized"
	}
	f.header = http.Header{"Www-Authenticate": {challenge}}
	return f
}
