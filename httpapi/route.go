package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// router finds the handler of a request. It wraps http.ServeMux, whose plain
// text 404 and 405 and whose redirects to cleaned paths API clients cannot use.
type router struct {
	mux  *http.ServeMux
	wrap func(pattern string, h http.Handler) http.Handler
	errs httpx.Errors
}

// HandleFunc registers a handler under a ServeMux pattern with a method.
func (rt *router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	rt.mux.Handle(pattern, rt.wrap(pattern, http.HandlerFunc(h)))
}

// ServeHTTP implements http.Handler.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := canonicalPath(r.URL.EscapedPath())
	if !ok {
		rt.errs.Write(w, r, unknownPath(r))
		return
	}
	r, err := withPath(r, path)
	if err != nil {
		rt.errs.Write(w, r, unknownPath(r))
		return
	}
	if _, pattern := rt.mux.Handler(r); pattern == "" {
		rt.serveUnmatched(w, r)
		return
	}
	// url.URL.Query drops what it cannot read: a filter that is lost in silence
	// would give a wrong number.
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		rt.errs.Write(w, r, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_query", Message: "the query cannot be read: " + clip(err.Error())})
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// serveUnmatched answers a method that a path does not have, OPTIONS, and a
// path that is not there at all.
func (rt *router) serveUnmatched(w http.ResponseWriter, r *http.Request) {
	allowed := rt.methodsOf(r)
	switch {
	case len(allowed) == 0:
		rt.errs.Write(w, r, unknownPath(r))
	case r.Method == http.MethodOptions:
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		w.Header().Set("Access-Control-Allow-Methods", allow)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		rt.errs.Write(w, r, &httpx.Error{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Message: fmt.Sprintf("%s is not possible here; use %s", clip(r.Method), strings.Join(allowed, ", ")),
		})
	}
}

func (rt *router) methodsOf(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := *r
		probe.Method = method
		if _, pattern := rt.mux.Handler(&probe); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		allowed = append(allowed, http.MethodOptions)
	}
	if len(allowed) > 0 && allowed[0] == http.MethodGet {
		allowed = append(allowed, http.MethodHead)
	}
	return allowed
}

func unknownPath(r *http.Request) error {
	message := fmt.Sprintf("there is no endpoint %s %s; GET /openapi.json lists all, and /docs shows them", clip(r.Method), clip(r.URL.EscapedPath()))
	if path, ok := canonicalPath(r.URL.EscapedPath()); ok {
		if name, ok := strings.CutPrefix(path, reportsPath); ok {
			message = fmt.Sprintf("there is no report %q; reports are %s", clip(name), strings.Join(reportNames(), ", "))
		}
	}
	return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: message}
}

const reportsPath = "/reports/"

// reportNames lists the reports of the contract.
func reportNames() []string {
	var names []string
	for _, op := range openapi.Operations() {
		if name, ok := strings.CutPrefix(op.Path, reportsPath); ok {
			names = append(names, name)
		}
	}
	return names
}

// canonicalPath returns the escaped path under which routes are registered:
// without the version prefix and a trailing slash, aliases resolved. It reports
// false for a path with an empty or relative segment, which ServeMux would
// redirect and which is never an id: clients escape those.
func canonicalPath(escaped string) (string, bool) {
	path := escaped
	for _, version := range [...]string{"/v1", "/v2"} {
		if rest, ok := strings.CutPrefix(path, version); ok && (rest == "" || rest[0] == '/') {
			path = rest
			break
		}
	}
	path, ok := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/")
	if !ok {
		return "", false
	}
	segments := strings.Split(path, "/")
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", false
		}
	}
	resolveAliases(segments)
	return "/" + strings.Join(segments, "/"), true
}

// resolveAliases replaces the underscored names of older documents where a
// resource's name stands, never where an id does.
func resolveAliases(segments []string) {
	at := 0
	if segments[0] == "data" && len(segments) > 1 {
		at = 1
	}
	switch segments[at] {
	case "data_sources":
		segments[at] = "data-sources"
	case "plan_groups":
		segments[at] = "plan-groups"
	}
}

// withPath returns the request with another escaped path. The mux matches
// escaped segments and hands them out unescaped, so an id may contain %2F, and
// a plus sign stays one.
func withPath(r *http.Request, escaped string) (*http.Request, error) {
	if escaped == r.URL.EscapedPath() {
		return r, nil
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return r, fmt.Errorf("unescape path: %w", err)
	}
	u := *r.URL
	u.Path, u.RawPath = path, escaped
	copied := *r
	copied.URL = &u
	return &copied, nil
}
