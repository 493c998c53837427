package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// The golden pages show a change of words or structure in review. The style is
// the same in all of them and left out.
func TestPages_Golden(t *testing.T) {
	t.Parallel()
	for name, view := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := cutElement(cutElement(render(t, view).Body.String(), "style"), "script")
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the page changed; look at it, then run go test -update (-want +got):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.html")
	if err != nil || len(files) != len(samples(t)) {
		t.Errorf("%d golden pages for %d samples, %v", len(files), len(samples(t)), err)
	}
}

func TestRenderer_Write_Headers(t *testing.T) {
	t.Parallel()
	for name, view := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := render(t, view)
			for header, want := range map[string]string{
				"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got := answer.Header().Get(header); got != want {
					t.Errorf("%s = %q, want %q", header, got, want)
				}
			}
			policy := answer.Header().Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("the policy lacks %s: %s", want, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
				t.Errorf("the policy is open: %s", policy)
			}
			for _, name := range []string{"style", "script"} {
				content := contentOf(answer.Body.String(), name)
				sum := sha256.Sum256([]byte(content))
				source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
				if content != "" && !strings.Contains(policy, name+"-src "+source) {
					t.Errorf("the policy does not allow the page's own %s", name)
				}
			}
		})
	}
}

// Browsers apply form-action to every redirect that follows a form, so it must
// not be there where the answer leads to a client or to a provider.
func TestRenderer_Write_FormsThatLeave(t *testing.T) {
	t.Parallel()
	for name, view := range samples(t) {
		leaves := strings.HasPrefix(name, "consent") || strings.HasPrefix(name, "sign-in") || name == "link" || name == "invitation" || name == "invitation-known"
		restricted := strings.Contains(render(t, view).Header().Get("Content-Security-Policy"), "form-action 'self'")
		if leaves == restricted {
			t.Errorf("%s: form-action 'self' is %v", name, restricted)
		}
	}
}

func TestHandover_OpensTheAppByItself(t *testing.T) {
	t.Parallel()
	const link = "cursor://anysphere.cursor-mcp/oauth/callback?code=c&state=s"
	handover, err := NewHandover(NewClient("Cursor", link, ""), link, false)
	if err != nil {
		t.Fatal(err)
	}
	answer := render(t, handover)
	if got := answer.Header().Get("Refresh"); got != "0; url="+link {
		t.Errorf("Refresh = %q", got)
	}
	if !strings.Contains(answer.Body.String(), `href="cursor://anysphere.cursor-mcp/oauth/callback?code=c&amp;state=s"`) {
		t.Error("the page has no link to the app")
	}
	for _, link := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "https://example.com", "http://localhost", "", "/path", "blob:x", "view-source:x", "\x00a:b",
	} {
		if _, err := NewHandover(Client{}, link, false); err == nil {
			t.Errorf("a page leads to %q", link)
		}
	}
}
