package protocol

import (
	"strings"
	"testing"
)

func newResources(t testing.TB, public string) Resources {
	t.Helper()
	r, err := NewResources(public)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestR59_ResourceUnknown: anything that is not exactly one of ours is an
// invalid_target.
func TestR59_ResourceUnknown(t *testing.T) {
	t.Parallel()
	r := newResources(t, "https://mcp.example.com")
	for _, name := range []string{
		"https://mcp.example.com/mcp#", "https://mcp.example.com/#x", "https://mcp.example.com?x", "https://mcp.example.com/mcp?", "https://mcp.example.com/MCP",
		"https://mcp.example.com/mcp//", "https://mcp.example.com//", "https://mcp.example.com/mcp/x", "https://mcp.example.com/%6dcp", "https://mcp.example.com/x/../mcp",
		"http://mcp.example.com/mcp", "https://mcp.example.com:8443/mcp", "https://mcp.example.com./mcp", "https://evil.example/mcp", "https://mcp.example.com.evil.example",
		"https://user@mcp.example.com/mcp", "https://mcp.example.com@evil.example", "mcp.example.com/mcp", "/mcp", "//mcp.example.com/mcp", "https:mcp.example.com", "x",
		"https://mcp.example.com\\mcp", " https://mcp.example.com", "https://mcp.example.com\n", "https://mcp.example.com:/mcp", "https://localhost/mcp",
	} {
		if _, err := r.Resolve([]string{name}); err == nil || err.Code != InvalidTarget {
			t.Errorf("Resolve(%q) = %v, want invalid_target", name, err)
		}
	}
	if _, err := r.Resolve([]string{"https://mcp.example.com/mcp", "https://evil.example"}); err == nil {
		t.Error("one foreign resource of two is accepted")
	}
}

// TestR60_ResourceDefaults: without one, the canonical resource.
func TestR60_ResourceDefaults(t *testing.T) {
	t.Parallel()
	r := newResources(t, "https://mcp.example.com")
	for _, names := range [][]string{nil, {"https://mcp.example.com"}, {"https://mcp.example.com/"}, {"https://mcp.example.com/mcp"}, {"https://mcp.example.com/mcp/", "https://mcp.example.com/"}} {
		got, err := r.Resolve(names)
		if err != nil || got != "https://mcp.example.com/mcp" {
			t.Errorf("Resolve(%q) = %s, %v, want the canonical resource", names, got, err)
		}
	}
}

// TestR61_ResourceSpellings: case of scheme and host, the default port and the
// slash of an empty path make no difference.
func TestR61_ResourceSpellings(t *testing.T) {
	t.Parallel()
	for public, names := range map[string][]string{
		"https://mcp.example.com":      {"HTTPS://MCP.Example.com/mcp", "https://mcp.example.com:443", "https://mcp.example.com:443/mcp"},
		"https://mcp.example.com:8443": {"https://mcp.example.com:8443/", "https://MCP.example.com:8443/mcp"},
		"http://127.0.0.1:8080":        {"http://localhost:8080", "http://[::1]:8080/mcp/", "HTTP://LOCALHOST:8080/mcp", "http://127.0.0.1:8080/"},
		"http://localhost":             {"http://127.0.0.1", "http://127.0.0.1:80/mcp", "http://[::1]/"},
	} {
		r := newResources(t, public)
		for _, name := range names {
			if got, err := r.Resolve([]string{name}); err != nil || got != public+"/mcp" {
				t.Errorf("%s: Resolve(%s) = %s, %v", public, name, got, err)
			}
		}
	}
	r := newResources(t, "http://127.0.0.1:8080")
	for _, name := range []string{"http://127.0.0.1:8081", "http://127.0.0.2:8080", "https://127.0.0.1:8080", "http://localhost.evil.example:8080"} {
		if _, err := r.Resolve([]string{name}); err == nil {
			t.Errorf("Resolve(%s) is accepted", name)
		}
	}
}

// TestR51_IssuerURL: https without query and fragment, or http on loopback.
func TestR51_IssuerURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "mcp.example.com", "http://mcp.example.com", "https://mcp.example.com/", "https://mcp.example.com/mcp", "https://a?b", "https://a#b", "https://u@a", "ftp://a", "http://127.0.0.2", "https://"} {
		if _, err := NewResources(bad); err == nil {
			t.Errorf("NewResources(%q) is accepted", bad)
		}
	}
	for _, good := range []string{"https://mcp.example.com", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} {
		if r, err := NewResources(good); err != nil || r.Issuer() != good {
			t.Errorf("NewResources(%q) = issuer %s, %v", good, r.Issuer(), err)
		}
	}
}

func TestResources_Origin(t *testing.T) {
	t.Parallel()
	r := newResources(t, "http://127.0.0.1:8080")
	for host, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "localhost:8080": "http://localhost:8080", "[::1]:8080": "http://[::1]:8080", "LOCALHOST:8080": "http://localhost:8080",
		"": "", "localhost": "", "evil.example": "", "127.0.0.1:8080.evil.example": "", "127.0.0.1:8080@evil.example": "", "evil.example/localhost:8080": "", "localhost:8080/": "",
	} {
		if got, ok := r.Origin(host); got != want || ok != (want != "") {
			t.Errorf("Origin(%q) = %q, %v, want %q", host, got, ok, want)
		}
	}
}

// FuzzResources: a name that is accepted is, read by the standard parser, one of
// the few there are.
func FuzzResources(f *testing.F) {
	for _, name := range []string{"https://mcp.example.com/mcp", "HTTPS://mcp.example.com:443/", "https://mcp.example.com#", "https://mcp.example.com@x", "https://mcp.example.com/%2e"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := newResources(t, "https://mcp.example.com")
		canonical, err := r.Resolve([]string{name})
		if err != nil {
			return
		}
		plain := strings.TrimPrefix(strings.ToLower(name), "https://mcp.example.com")
		plain = strings.TrimPrefix(plain, ":443")
		if plain != "" && plain != "/" && plain != "/mcp" && plain != "/mcp/" || canonical != "https://mcp.example.com/mcp" {
			t.Fatalf("Resolve(%q) = %s", name, canonical)
		}
	})
}
