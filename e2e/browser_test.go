package e2e

import (
	"encoding/json"
	"flag"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

var shots = flag.String("shots", "", "folder for screenshots of the pages, to be looked at")

// The people and accounts of the demo.
const (
	demoEmail         = "demo@example.com"
	demoPassword      = "growpanel-demo"
	demoAccount       = "Tidewater Software (demo)"
	demoSecondAccount = "Harbor Books"
)

// Every page in a real browser, over http on this machine and over https.
func TestBrowser(t *testing.T) {
	provider := oauthtest.NewProvider(t, oauthtest.ProviderUser{Subject: "4711", Email: demoEmail, Verified: true})
	provider.URL = strings.Replace(provider.URL, "127.0.0.1", "localhost", 1) // another site than ours
	d := startDemo(t, "GROWPANEL_OIDC_ISSUER="+provider.URL, "GROWPANEL_OIDC_CLIENT_ID="+provider.ClientID,
		"GROWPANEL_OIDC_CLIENT_SECRET="+provider.Secret, "GROWPANEL_OIDC_NAME=Acme SSO", "--signup")
	folder := *shots
	if folder != "" {
		var err error
		if folder, err = filepath.Abs(folder); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := json.Marshal(map[string]any{
		"url": strings.TrimSuffix(d.mcpURL, "/mcp"), "tls": startOverTLS(t), "browser": chromium(t), "shots": folder, "api": d.apiURL, "key": d.key,
		"email": demoEmail, "password": demoPassword, "accounts": []string{demoAccount, demoSecondAccount},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := output(t, cleanEnv(), nil, "node", "browser/scenarios.mjs", string(encoded))
	if err != nil {
		t.Fatal(err)
	}
	scenarios := 0
	for line := range strings.Lines(out) {
		var result struct {
			Name, Error string
			Seconds     float64
		}
		decode(t, line, &result)
		scenarios++
		t.Run(result.Name, func(t *testing.T) {
			t.Logf("%.1f s", result.Seconds)
			if result.Error != "" {
				t.Error(result.Error)
			}
		})
	}
	if scenarios == 0 {
		t.Errorf("no scenario was run: %s", out)
	}
}

// chromium returns the path of a Chromium without a window.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium is installed: run .ci/tools")
	return ""
}

// startOverTLS starts a second demo behind a proxy that speaks https, and returns
// its public URL.
func startOverTLS(t *testing.T) string {
	t.Helper()
	listen := freeAddress(t)
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: listen})
		r.Out.Host = r.In.Host
	}})
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	proxy.Config.ErrorLog = nil
	startDemo(t, "--mcp-listen", listen, "--public-url", proxy.URL)
	return proxy.URL
}

// freeAddress returns an address that nothing listens on at this moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
