package e2e

import (
	"encoding/json"
	"encoding/pem"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// connected is what the scripts in oauth/ print.
type connected struct {
	Tools     []string `json:"tools"`
	Client    string   `json:"client"`
	Scope     string   `json:"scope"`
	Resource  string   `json:"resource"`
	ExpiresIn int      `json:"expires_in"`
	Authorize string   `json:"authorize"`
	Asked     bool     `json:"asked"`
	Said      string   `json:"said"`
}

// allowing runs a script in which a person allows a client.
func allowing(t *testing.T, env []string, script, url string, more map[string]any) connected {
	t.Helper()
	options := map[string]any{"url": url, "email": demoEmail, "password": demoPassword, "account": demoAccount}
	maps.Copy(options, more)
	encoded, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	out, err := output(t, env, nil, "node", "oauth/"+script, string(encoded))
	if err != nil {
		t.Fatal(err)
	}
	var got connected
	decode(t, out, &got)
	return got
}

// Real clients find the server by its URL alone, register, are allowed by a
// person, use the tools, refresh, and are shut out when they are revoked; at
// both URLs of the server.
func TestOAuth_Clients(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	root := strings.TrimSuffix(d.mcpURL, "/mcp")
	for _, url := range []string{d.mcpURL, root, root + "/"} {
		for _, script := range []string{"sdk1.mjs", "sdk2.mjs"} {
			t.Run(script+" at "+strings.TrimPrefix(url, root), func(t *testing.T) {
				got := allowing(t, cleanEnv(), script, url, nil)
				if diff := cmp.Diff(theTools, got.Tools); diff != "" {
					t.Errorf("tools (-want +got):\n%s", diff)
				}
				if !strings.Contains(got.Scope, "growpanel.write") || got.Client == "" {
					t.Errorf("got %+v", got)
				}
			})
		}
		t.Run("oauth4webapi at "+strings.TrimPrefix(url, root), func(t *testing.T) {
			got := allowing(t, cleanEnv(), "checker.mjs", url, nil)
			if got.ExpiresIn != 30*24*60*60 {
				t.Errorf("access tokens live %d s, want 30 days", got.ExpiresIn)
			}
		})
	}
	t.Run("read only", func(t *testing.T) {
		got := allowing(t, cleanEnv(), "sdk1.mjs", d.mcpURL, map[string]any{"access": "read"})
		if strings.Contains(got.Scope, "growpanel.write") {
			t.Errorf("got the scope %q", got.Scope)
		}
	})
	t.Run("the other account", func(t *testing.T) {
		allowing(t, cleanEnv(), "sdk1.mjs", d.mcpURL, map[string]any{"account": demoSecondAccount})
	})
}

// mcp-remote, the newest and the one that is pinned in many a config, asks a
// person once and then remembers.
func TestOAuth_MCPRemote(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	for _, module := range []string{"mcp-remote", "mcp-remote-0.1"} {
		t.Run(module, func(t *testing.T) {
			script, err := filepath.Abs("node_modules/" + module + "/dist/client.js")
			if err != nil {
				t.Fatal(err)
			}
			more := map[string]any{"script": script, "config": t.TempDir()}
			for _, asks := range []bool{true, false} {
				got := allowing(t, cleanEnv(), "remote.mjs", d.mcpURL, more)
				if got.Asked != asks || !strings.Contains(got.Said, "get_report") {
					t.Errorf("asked a person: %v, want %v\n%s", got.Asked, asks, got.Said)
				}
			}
		})
	}
}

// A client that presents itself by a metadata document needs no registration:
// its id is the document's URL.
func TestOAuth_ClientMetadataDocument(t *testing.T) {
	t.Parallel()
	document := ""
	asked := 0
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(document))
	}))
	defer site.Close()
	// The certificate of httptest is for example.com and 127.0.0.1.
	authority := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	id := site.URL + "/client.json"
	document = `{"client_id":"` + id + `","client_name":"End to end","redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none"}`
	d := startDemo(t, "SSL_CERT_FILE="+authority, "--allow-private-networks", "127.0.0.0/8")
	got := allowing(t, cleanEnv(), "sdk2.mjs", d.mcpURL, map[string]any{"metadata": id})
	if !strings.Contains(got.Authorize, "client_id="+strings.NewReplacer(":", "%3A", "/", "%2F").Replace(id)) || asked == 0 {
		t.Errorf("the document was asked for %d times; the client asks to be authorized at %s", asked, got.Authorize)
	}
}

// The public conformance suite finds nothing wrong with the authorization server.
func TestOAuth_Conformance(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	got := allowing(t, cleanEnv(), "conformance.mjs", d.mcpURL, map[string]any{
		"node": installed(t, "node-linux-*/bin/node"), "suite": installed(t, "@modelcontextprotocol/conformance/dist/index.js"),
		"port": port, "out": t.TempDir(),
	})
	if !got.Asked || !regexp.MustCompile(`Passed: [1-9]|[1-9]\d* passed, 0 failed`).MatchString(got.Said) {
		t.Errorf("the suite says:\n%s", got.Said)
	}
}

// The product's own doctor finds nothing wrong with the product.
func TestDoctor(t *testing.T) {
	d := startDemo(t)
	for _, url := range []string{d.mcpURL, strings.TrimSuffix(d.mcpURL, "/mcp")} {
		out, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "doctor", url, "--api-key", d.key)
		if err != nil || strings.Contains(out, "FAIL") || strings.Contains(out, "note") || strings.Count(out, "connects") != 5 {
			t.Errorf("%s: %v\n%s", url, err, out)
		}
	}
	if out, err := output(t, cleanEnv(), nil, program("growpanel"), "admin", "doctor", d.apiURL); err == nil || !strings.Contains(out, "FAIL") {
		t.Errorf("the API is no MCP server, but: %v\n%s", err, out)
	}
}
