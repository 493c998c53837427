package httpapi_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// page asks the server itself: the contract is about JSON.
func page(t *testing.T, a *api, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	a.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestDocs_ShowEveryOperation(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := page(t, a, "/docs")
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", w.Code, kind)
	}
	text := w.Body.String()
	for _, op := range openapi.Operations() {
		if !strings.Contains(text, `<article id="`+op.ID+`" data-method="`+op.Method+`" data-path="`+html.EscapeString(op.Path)+`">`) {
			t.Errorf("%s is missing", op.ID)
		}
	}
	for _, known := range []string{"money-base", "last-12-months", "name=\"date\" data-in=\"query\"", "name=\"id\" data-in=\"path\" required"} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(known)) {
			t.Errorf("%q is missing", known)
		}
	}
}

// The contract's description is Markdown; the page must not show its marks.
func TestDocs_SetTheDescription(t *testing.T) {
	t.Parallel()
	text := page(t, newAPI(t), "/docs").Body.String()
	head, _, _ := strings.Cut(text, "<form")
	for _, want := range []string{
		"<p><strong>Prefixes.</strong> Each path also answers below <code>/v1</code>",
		`<tr><th scope="col"><code>x-unit</code></th><th scope="col">meaning</th></tr>`,
		"<tr><td><code>days</code>, <code>months</code></td><td>a length of time</td></tr>",
		"separate them with <code>~~</code>",
	} {
		if !strings.Contains(head, want) {
			t.Errorf("%q is missing in\n%s", want, head)
		}
	}
	if mark := regexp.MustCompile(`\*\*|---|\|`).FindString(head); mark != "" {
		t.Errorf("a mark %q is left in\n%s", mark, head)
	}
}

// The page loads nothing from anywhere else, and its policy forbids it to.
func TestDocs_NeedNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := page(t, a, "/docs")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q", policy)
		}
	}
	if inline := regexp.MustCompile(`<script>|<style|style="|onclick=|javascript:`).FindString(w.Body.String()); inline != "" {
		t.Errorf("the page has %q inline", inline)
	}
	for _, match := range regexp.MustCompile(`(?:<link[^>]*href|<script[^>]*src|<img[^>]*src)="([^"]+)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		if match[1] == "data:," {
			continue
		}
		if got := page(t, a, match[1]); got.Code != http.StatusOK || got.Body.Len() == 0 {
			t.Errorf("%s: %d", match[1], got.Code)
		}
	}
	if got := page(t, a, "/docs/assets/page.html"); got.Code != http.StatusNotFound {
		t.Errorf("an asset that does not exist: %d", got.Code)
	}
}
