package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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

// addressOf returns the IP address of who sent the request, "" when not known.
func addressOf(ctx context.Context) string {
	return identity.ActorOf(ctx).Address
}

// public reports whether a route needs no key.
func public(path string) bool {
	return path == "/healthz" || path == "/openapi.json" || path == "/docs" || strings.HasPrefix(path, "/docs/") || isSignIn(path) || isMailLink(path)
}

// isMailLink reports whether a route is the link of an e-mail, whose token is
// all that it takes.
func isMailLink(path string) bool { return strings.HasPrefix(path, "/mail/") }

// adminOnly reports whether a readonly key may not even read a path: a list of
// keys tells who else has access, and bills are not everybody's business.
func adminOnly(path string) bool {
	return strings.HasPrefix(path, "/account/api-keys") || strings.HasPrefix(path, "/account/billing")
}

// ownThings reports whether an operation changes what is the user's own, which a
// member who may only read can change as well. A readonly key of anybody else was
// made so that it changes nothing.
func ownThings(caller identity.Caller, method, path string) bool {
	return caller.Member == identity.Readonly && caller.Kind == identity.API &&
		method == http.MethodPut && (path == "/profile" || path == "/settings/notifications")
}

// guard runs what no handler may forget: authentication, the rate limit, the
// rights of the role.
func (s *Server) guard(pattern string, next http.Handler) http.Handler {
	method, path, _ := strings.Cut(pattern, " ")
	if public(path) {
		return s.guardPublic(path, next)
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
		if err := authorize(caller, method, path); err != nil {
			return err
		}
		actor := identity.Actor{User: caller.User, Key: caller.Key, Address: httpx.ClientAddress(r, s.internalToken)}
		ctx := identity.WithActor(r.Context(), actor)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, callerKey, caller)))
		return nil
	})
}

// signInsPerMinute bounds how often one network may try.
const signInsPerMinute = 300

// guardPublic lets everybody in, but counts guesses against the network that they
// come from.
func (s *Server) guardPublic(path string, next http.Handler) http.Handler {
	return s.errs.Handle(func(w http.ResponseWriter, r *http.Request) error {
		address := httpx.ClientAddress(r, s.internalToken)
		if takesGuesses(path) && s.limits != (RateLimits{}) && !httpx.InProcess(r) {
			quota := s.limiter.Take("network "+identity.Network(address), "SIGN-IN", signInsPerMinute)
			if !quota.Allowed {
				quota.SetHeaders(w.Header())
				return &httpx.Error{Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "Rate limit exceeded"}
			}
		}
		next.ServeHTTP(w, r.WithContext(identity.WithActor(r.Context(), identity.Actor{Address: address})))
		return nil
	})
}

// takesGuesses reports whether a route without a key is one where trying often
// could help: a password, an invitation, a revocation. A session cannot be guessed.
func takesGuesses(path string) bool {
	switch path {
	case "/auth/sign-in", "/auth/sign-up", "/auth/password", "/auth/invitation", "/connection-keys/revoke":
		return true
	}
	return false
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
	if errors.Is(err, identity.ErrKeyRevoked) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="GrowPanel", error="invalid_token"`)
		return identity.Caller{}, &httpx.Error{Status: http.StatusUnauthorized, Code: "key_revoked", Message: err.Error()}
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
	owner := caller.Account
	if owner == "" {
		owner = "user " + caller.User
	}
	quota := s.limiter.Take(owner, class, limit)
	quota.SetHeaders(w.Header())
	if quota.Allowed {
		return nil
	}
	return &httpx.Error{Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "Rate limit exceeded"}
}

func authorize(caller identity.Caller, method, path string) error {
	switch {
	case caller.ByUser:
		return authorizeUser(caller, method, path)
	case !caller.Closing.IsZero():
		return authorizeClosing(caller, method, path)
	case caller.Role.CanWrite(), ownThings(caller, method, path), method == http.MethodGet && !adminOnly(path):
		return nil
	case adminOnly(path):
		return forbidden("a readonly key cannot see or change API keys and bills; use an admin key")
	default:
		return forbidden("a readonly key cannot change data; use an admin key")
	}
}

// authorizeUser lets a user token do the few things that it is for. What else it
// may see or delete there is for the handlers to narrow down.
func authorizeUser(caller identity.Caller, method, path string) error {
	allowed := []string{"GET /profile"}
	if caller.Account != "" {
		allowed = append(allowed, "POST /account/undo-deletion")
		if caller.Closing.IsZero() {
			allowed = append(allowed, "GET /account/api-keys", "POST /account/api-keys", "DELETE /account/api-keys/{id}", "GET /account/api-keys/{id}/created")
		}
	}
	if !slices.Contains(allowed, method+" "+path) {
		return forbidden("a user token cannot do this; use an API key")
	}
	return nil
}

// authorizeClosing leaves its owner what it takes to keep an account.
func authorizeClosing(caller identity.Caller, method, path string) error {
	kept := method == http.MethodGet && path == "/account" || method == http.MethodPost && path == "/account/undo-deletion"
	if kept && caller.Member == identity.Owner {
		return nil
	}
	return &httpx.Error{
		Status: http.StatusForbidden, Code: "account_closing",
		Message: "the account is deleted on " + stampText(caller.Closing.Add(identity.ClosingTime)) + "; until then an owner can undo it",
	}
}

func forbidden(message string) error {
	return &httpx.Error{Status: http.StatusForbidden, Code: "forbidden", Message: message}
}
