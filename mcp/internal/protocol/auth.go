package protocol

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// refusal is an HTTP-level "no": the request does not reach the protocol.
type refusal struct {
	status int
	code   string
	text   string
	header http.Header
}

// authenticate returns the context of an authenticated request, or the refusal
// to send. The token itself is in neither. The context ends when the token is
// revoked while the request is still being answered; release frees what watches
// over that.
func (s *Server) authenticate(r *http.Request) (ctx context.Context, release func(), refused *refusal) {
	if s.cfg.Authenticate == nil {
		return r.Context(), func() {}, nil
	}
	token, problem := bearerToken(r)
	if problem != nil {
		return nil, nil, s.challenge(r, problem)
	}
	ctx, err := s.cfg.Authenticate(r.Context(), token)
	switch {
	case err == nil:
		ctx, release = s.watch(ctx, token)
		return ctx, release, nil
	case errors.Is(err, ErrInvalidToken):
		return nil, nil, s.challenge(r, &refusal{
			status: http.StatusUnauthorized, code: "invalid_token",
			text: "the token is unknown, expired or revoked",
		})
	case errors.Is(err, ErrForbidden):
		return nil, nil, &refusal{
			status: http.StatusForbidden, code: "forbidden",
			text: "this API key may not use the MCP server",
		}
	case errors.Is(err, ErrTooMany):
		return nil, nil, &refusal{
			status: http.StatusTooManyRequests, code: "rate_limited",
			text:   "too many wrong keys from this address, try again later",
			header: http.Header{"Retry-After": {"60"}},
		}
	default:
		s.cfg.Logger.ErrorContext(r.Context(), "token could not be checked", "error", err)
		return nil, nil, &refusal{
			status: http.StatusServiceUnavailable, code: "unavailable",
			text:   "the token cannot be checked at the moment, try again",
			header: http.Header{"Retry-After": {"5"}},
		}
	}
}

// watch ends the returned context when the token stops being good: a stream may
// outlast it. What cannot be checked stays open; a wrong token among too many is
// wrong as well.
func (s *Server) watch(ctx context.Context, token string) (context.Context, func()) {
	ctx, end := context.WithCancel(ctx)
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(s.recheck, func() {
		<-armed
		if ctx.Err() != nil {
			return
		}
		_, err := s.cfg.Authenticate(ctx, token)
		if errors.Is(err, ErrInvalidToken) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrTooMany) {
			end()
			return
		}
		timer.Reset(s.recheck)
	})
	close(armed)
	return ctx, func() {
		timer.Stop()
		end()
	}
}

// bearerToken takes the token from the Authorization header. RFC 6750 section 2
// has other places for it, of which the query ends up in logs: a token there is
// not looked at, and beside one in the header it is one too many.
func bearerToken(r *http.Request) (string, *refusal) {
	values := r.Header["Authorization"]
	if len(values) > 1 || len(values) == 1 && strings.Contains(r.URL.RawQuery, "access_token=") {
		return "", &refusal{
			status: http.StatusBadRequest, code: "invalid_request",
			text: "a request carries one token, in one Authorization header",
		}
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t,") {
		// RFC 6750 section 3.1: no error code when no bearer token was tried.
		return "", &refusal{
			status: http.StatusUnauthorized,
			text:   "sign in, or send an API key as Authorization: Bearer <API key>",
		}
	}
	return token, nil
}

// challenge adds the WWW-Authenticate header of RFC 6750 section 3 to a 400, 401
// or 403, with the place where the client learns how to get a token (RFC 9728
// section 5.1).
func (s *Server) challenge(r *http.Request, f *refusal) *refusal {
	parameters := []string{parameter("realm", s.cfg.Name)}
	if f.code != "" {
		parameters = append(parameters, parameter("error", f.code), parameter("error_description", f.text))
	} else {
		f.code = "unauthorized"
	}
	if s.cfg.ResourceMetadata != nil {
		parameters = append(parameters, parameter("resource_metadata", s.cfg.ResourceMetadata(r)), parameter("scope", s.cfg.Scope))
	}
	f.header = http.Header{"Www-Authenticate": {"Bearer " + strings.Join(parameters, ", ")}}
	return f
}

// parameter is one of a challenge, as a quoted string (RFC 9110 section 5.6.4).
func parameter(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// insufficientScope is the answer to a request that needs more than its client
// asked for (RFC 6750 section 3.1); the client can ask for it now.
func (s *Server) insufficientScope(r *http.Request) *refusal {
	return s.challenge(r, &refusal{
		status: http.StatusForbidden, code: "insufficient_scope", text: ErrInsufficientScope.Message,
	})
}
