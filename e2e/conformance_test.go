package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The public conformance suite finds nothing wrong with the stack: no failure
// is expected, and so none is listed.
func TestConformance_Stack(t *testing.T) {
	target := strings.TrimSpace(start(t, cleanEnv(), regexp.MustCompile(`^http://`), program("conformance")))
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(revision, func(t *testing.T) {
			suite(t, target, "--requirements", revision)
		})
	}
}

// The product itself has no tools that exist for tests, so it is held against
// the scenarios that suit any server. What they cannot see without such tools
// is listed, check by check, in testdata/conformance.yaml.
func TestConformance_Product(t *testing.T) {
	target := withKey(t, startDemo(t))
	baseline, err := filepath.Abs("testdata/conformance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for revision, scenarios := range map[string][]string{
		"2025-11-25": {
			"server-initialize", "ping", "tools-list", "dns-rebinding-protection",
		},
		"2026-07-28": {
			"tools-list", "caching", "http-header-validation", "dns-rebinding-protection", "server-stateless",
			"input-required-result-unsupported-methods", "server-sse-multiple-streams",
		},
	} {
		for _, scenario := range scenarios {
			t.Run(revision+"/"+scenario, func(t *testing.T) {
				suite(t, target, "--scenario", scenario, "--spec-version", revision, "--expected-failures", baseline)
			})
		}
	}
}

// suite runs the conformance suite against a server. It needs a newer Node than
// the clients do, which is installed beside it. The suite waits no longer than
// half a second for some messages, which a busy machine may need for more: what
// passes once in three tries conforms.
func suite(t *testing.T, target string, args ...string) {
	t.Helper()
	node := installed(t, "node-linux-*/bin/node")
	args = append([]string{
		installed(t, "@modelcontextprotocol/conformance/dist/index.js"), "server", "--url", target, "-o", t.TempDir(),
	}, args...)
	var out string
	var err error
	for range 3 {
		if out, err = output(t, cleanEnv(), nil, node, args...); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`Passed: [1-9]|[1-9]\d* passed, 0 failed`).MatchString(out) {
		t.Fatalf("the suite checked nothing:\n%s", out)
	}
}

// withKey stands before the MCP endpoint and adds the key to every request,
// which the suite has no option for. Everything else passes as it is, but for the
// port in Host: that is the endpoint's, which answers for no other.
func withKey(t *testing.T, d demo) string {
	t.Helper()
	endpoint, err := url.Parse(d.mcpURL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(nil)
	proxy.Config.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host})
			r.Out.Host = r.In.Host
			if host, port, err := net.SplitHostPort(r.In.Host); err == nil && strings.HasSuffix(proxy.URL, ":"+port) {
				r.Out.Host = net.JoinHostPort(host, endpoint.Port())
			}
			r.Out.Header.Set("Authorization", "Bearer "+d.key)
		},
		FlushInterval: -1,
		Transport:     &http.Transport{},
	}
	proxy.Start()
	t.Cleanup(proxy.Close)
	return proxy.URL + "/mcp"
}
