package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

type contextKey int

const (
	callerKey contextKey = iota
	queryKey
	bodyKey
)

// callerOf returns who sent the request. Every route but the public ones is
// behind the guard, so there always is one.
func callerOf(ctx context.Context) identity.Caller {
	caller, ok := ctx.Value(callerKey).(identity.Caller)
	if !ok {
		panic("httpapi: a handler without a caller")
	}
	return caller
}

// public reports whether a route needs no key.
func public(path string) bool { return path == "/healthz" || path == "/openapi.json" }

// adminOnly reports whether a readonly key may not even read a path: a list of
// keys tells who else has access.
func adminOnly(path string) bool { return strings.HasPrefix(path, "/account/api-keys") }

// guard runs what no handler may forget: authentication, the rate limit, the
// rights of the role.
func (s *Server) guard(pattern string, next http.Handler) http.Handler {
	method, path, _ := strings.Cut(pattern, " ")
	if public(path) {
		return next
	}
	class, limit := s.limits.classOf(method, path)
	return s.errs.Handle(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := s.authenticate(w, r)
		if err != nil {
			return err
		}
		if err := s.spend(w, caller, class, limit); err != nil {
			return err
		}
		if err := authorize(caller.Role, method, path); err != nil {
			return err
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey, caller)))
		return nil
	})
}

func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (identity.Caller, error) {
	token := httpx.BearerToken(r.Header.Get("Authorization"))
	if token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="GrowPanel"`)
		return identity.Caller{}, unauthorized("send an API key as Authorization: Bearer <key>")
	}
	caller, err := s.identity.Authenticate(r.Context(), token)
	if errors.Is(err, identity.ErrInvalidKey) {
		// RFC 6750 section 3.1.
		w.Header().Set("WWW-Authenticate", `Bearer realm="GrowPanel", error="invalid_token"`)
		return identity.Caller{}, unauthorized("the API key is unknown or revoked")
	}
	if err != nil {
		return identity.Caller{}, fmt.Errorf("authenticate: %w", err)
	}
	httpx.Annotate(r.Context(), slog.String("account", caller.Account))
	httpx.Annotate(r.Context(), slog.String("key", caller.Key))
	return caller, nil
}

func unauthorized(message string) error {
	return &httpx.Error{Status: http.StatusUnauthorized, Code: "unauthorized", Message: message}
}

// spend counts the request against the account's limit of its class.
func (s *Server) spend(w http.ResponseWriter, caller identity.Caller, class string, limit int) error {
	if limit == 0 {
		return nil
	}
	quota := s.limiter.Take(caller.Account, class, limit)
	quota.SetHeaders(w.Header())
	if quota.Allowed {
		return nil
	}
	return &httpx.Error{Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "Rate limit exceeded"}
}

func authorize(role identity.Role, method, path string) error {
	switch {
	case role.CanWrite(), method == http.MethodGet && !adminOnly(path):
		return nil
	case adminOnly(path):
		return forbidden("a readonly key cannot see or change API keys; use an admin key")
	default:
		return forbidden("a readonly key cannot change data; use an admin key")
	}
}

func forbidden(message string) error {
	return &httpx.Error{Status: http.StatusForbidden, Code: "forbidden", Message: message}
}
