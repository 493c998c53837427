package protocol

import (
	"net/url"
	"strings"
	"testing"
)

// realRedirects are what clients in use register.
func realRedirects() []string {
	return []string{
		"https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback",
		"http://localhost:58135/callback", "http://localhost/callback", "http://127.0.0.1/callback",
		"claude://claude.ai/mcp-auth-callback/sdk",
		"https://chatgpt.com/connector_platform_oauth_redirect", "https://chatgpt.com/connector/oauth/abc",
		"cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback",
		"http://localhost:8787/callback", "http://127.0.0.1/", "http://127.0.0.1:33418/", "http://127.0.0.1:33418",
		"https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect", "http://localhost:47779/oauth/callback",
		"http://localhost:6274/oauth/callback/debug", "https://grok.com/connectors-oauth-exchange-code/",
		"com.example.app:/oauth", "vscode://vscode.github-authentication/did-authenticate", "http://[::1]:8080/cb?a=b",
	}
}

// TestR1_RedirectURISchemes: https, loopback http and private-use schemes alone.
func TestR1_RedirectURISchemes(t *testing.T) {
	t.Parallel()
	for _, uri := range realRedirects() {
		if err := CheckRedirectURI(uri); err != nil {
			t.Errorf("%s is refused: %v", uri, err)
		}
	}
	for _, uri := range []string{
		"", "callback", "/callback", "//evil.example/cb", "http://example.com/cb", "http://example.com:80/cb", "HTTP://example.com/",
		"http://localhost.evil.example/cb", "http://localhost@evil.example/cb", "http://127.0.0.1@evil.example/cb",
		"http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1.evil.example/", "http://127.0.0.2/cb", "http://0.0.0.0/cb",
		"http://2130706433/cb", "http://[::ffff:127.0.0.1]/cb", "http://LOCALHOST/cb", "http://localhost:/cb", "http://localhost:0/cb",
		"http://localhost:65536/cb", "http://localhost:080/cb", "http://localhost:80a/cb", "http://localhost\\@evil.example/",
		"https:///cb", "https://", "https:cb", "https://user@example.com/cb", "https://example.com/cb#", "https://example.com/cb#f",
		"https://example.com:/cb", "https://example.com:99999/cb", "https://example.com/ cb", "https://example.com/\ncb",
		"https://example.com/\x00", "https://exämple.com/cb", "https://example.com/<script>", `https://example.com/"onload`,
		"https://example.com/%zz", " https://example.com/cb", "\thttps://example.com/cb",
		"javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
		"blob:https://x/y", "about:blank", "ws://x", "wss://x", "ftp://x", "chrome://settings", "view-source:https://x",
		"intent://x", "mailto:a@b.example", "tel:1", "myapp:", "myapp://", "https://" + strings.Repeat("a", 3000) + ".example/",
	} {
		if err := CheckRedirectURI(uri); err == nil {
			t.Errorf("%q is accepted", uri)
		} else if err.Code != InvalidRedirectURI || err.Description == "" {
			t.Errorf("%q: %v, want invalid_redirect_uri with a reason", uri, err)
		}
	}
}

// TestR2_RedirectURIComparedExactly: every way to change a URI makes it another.
func TestR2_RedirectURIComparedExactly(t *testing.T) {
	t.Parallel()
	registered := []string{"https://client.example/cb?keep=1", "http://localhost:3000/callback", "cursor://anysphere.cursor-mcp/oauth/callback"}
	for _, uri := range registered {
		if !MatchRedirectURI(registered, uri) {
			t.Errorf("%s does not match itself", uri)
		}
	}
	for _, uri := range []string{
		"", "https://client.example/cb", "https://client.example/cb?keep=1&x=2", "https://client.example/cb?keep=2", "https://client.example/cb/?keep=1",
		"https://client.example/CB?keep=1", "https://CLIENT.example/cb?keep=1", "https://client.example:443/cb?keep=1", "http://client.example/cb?keep=1",
		"https://client.example/cb?keep=1#", "https://client.example./cb?keep=1", "https://client.example/x/../cb?keep=1", "https://client.example/%63b?keep=1",
		"https://client.example@evil.example/cb?keep=1", "https://client.example.evil.example/cb?keep=1", "https://client.example/cb?keep=1 ",
		"https://localhost:3000/callback", "http://127.0.0.1:3000/callback", "http://localhost:3000/callback/", "http://localhost:3000/Callback",
		"http://localhost:3000/callback?x", "http://localhost:3000", "http://localhost:3000@evil.example/callback", "http://localhost.evil.example:3000/callback",
		"cursor://anysphere.cursor-mcp/oauth/callback2", "cursor://evil/oauth/callback", "Cursor://anysphere.cursor-mcp/oauth/callback",
	} {
		if MatchRedirectURI(registered, uri) {
			t.Errorf("%q matches", uri)
		}
	}
}

// TestR44_LoopbackAnyPort: for the IP literals; the path stays exact.
func TestR44_LoopbackAnyPort(t *testing.T) {
	t.Parallel()
	for registered, asked := range map[string]string{
		"http://127.0.0.1/callback": "http://127.0.0.1:58135/callback", "http://127.0.0.1:33418/": "http://127.0.0.1:1/",
		"http://[::1]:80/cb": "http://[::1]/cb", "http://127.0.0.1:33418": "http://127.0.0.1:9", "http://[::1]/cb?a=1": "http://[::1]:65535/cb?a=1",
	} {
		if !MatchRedirectURI([]string{registered}, asked) {
			t.Errorf("%s does not match the registered %s", asked, registered)
		}
	}
	for registered, asked := range map[string]string{
		"http://127.0.0.1/callback": "http://[::1]:1/callback", "http://127.0.0.1": "http://127.0.0.1/", "http://127.0.0.1/a": "http://127.0.0.1:1/b",
		"https://127.0.0.1/cb": "https://127.0.0.1:1/cb", "http://127.0.0.1/cb": "http://127.0.0.1:0/cb",
	} {
		if MatchRedirectURI([]string{registered}, asked) {
			t.Errorf("%s matches the registered %s", asked, registered)
		}
	}
}

// TestR45_LocalhostAnyPort: Claude Code registers http://localhost/callback and
// listens on a port of its own.
func TestR45_LocalhostAnyPort(t *testing.T) {
	t.Parallel()
	if !MatchRedirectURI([]string{"http://localhost/callback"}, "http://localhost:58135/callback") {
		t.Error("a port on localhost does not match")
	}
	if MatchRedirectURI([]string{"http://localhost/callback"}, "http://127.0.0.1:58135/callback") {
		t.Error("localhost matches 127.0.0.1: only the port may differ")
	}
}

// TestR46_PrivateUseSchemes: those without a period are accepted, because
// clients use them; what a browser would run or open is not.
func TestR46_PrivateUseSchemes(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"cursor://a/b", "vscode://a", "windsurf://a/b", "com.example.app:/cb"} {
		if err := CheckRedirectURI(uri); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, scheme := range forbiddenSchemes() {
		for _, spelled := range []string{scheme, strings.ToUpper(scheme)} {
			if CheckRedirectURI(spelled+"://host/path") == nil {
				t.Errorf("%s:// is accepted", spelled)
			}
		}
	}
}

func TestRedirectTarget(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://claude.ai/api": "web claude.ai", "https://a.example:8443/": "web a.example:8443", "http://localhost:33/cb": "loopback localhost:33",
		"https://127.0.0.1/cb": "loopback 127.0.0.1", "cursor://anysphere.cursor-mcp/x": "app cursor", "com.example:/x": "app com.example",
	} {
		kind, target := RedirectTarget(uri)
		if got := string(kind) + " " + target; got != want {
			t.Errorf("RedirectTarget(%s) = %s, want %s", uri, got, want)
		}
	}
}

func TestWithParams(t *testing.T) {
	t.Parallel()
	params := url.Values{"code": {"a b"}, "state": {"&="}}
	for uri, want := range map[string]string{
		"https://a.example/cb":        "https://a.example/cb?code=a+b&state=%26%3D",
		"https://a.example/cb?x=%2F1": "https://a.example/cb?x=%2F1&code=a+b&state=%26%3D",
		"https://a.example/cb?":       "https://a.example/cb?code=a+b&state=%26%3D",
		"cursor://a/b":                "cursor://a/b?code=a+b&state=%26%3D",
	} {
		if got := WithParams(uri, params); got != want {
			t.Errorf("WithParams(%s) = %s, want %s", uri, got, want)
		}
	}
}

// FuzzMatchRedirectURI: whatever matches a registered URI differs from it in
// nothing but a loopback port, for a parser that is not ours as well.
func FuzzMatchRedirectURI(f *testing.F) {
	for _, uri := range realRedirects() {
		f.Add(uri, uri)
		f.Add(uri, strings.Replace(uri, "localhost", "localhost:1", 1))
	}
	f.Add("http://localhost/cb", "http://localhost:1@evil.example/cb")
	f.Fuzz(func(t *testing.T, registered, asked string) {
		if CheckRedirectURI(registered) != nil || !MatchRedirectURI([]string{registered}, asked) {
			return
		}
		if registered == asked {
			return
		}
		a, aErr := url.Parse(registered)
		b, bErr := url.Parse(asked)
		if aErr != nil || bErr != nil {
			t.Fatalf("%q matches %q, and one of them is no URL", asked, registered)
		}
		if b.Hostname() != "localhost" && b.Hostname() != "127.0.0.1" && b.Hostname() != "::1" || b.Scheme != "http" || b.User != nil {
			t.Fatalf("%q matches %q without being loopback", asked, registered)
		}
		a.Host, b.Host = a.Hostname(), b.Hostname()
		if a.String() != b.String() {
			t.Fatalf("%q matches %q and differs in more than the port", asked, registered)
		}
	})
}
