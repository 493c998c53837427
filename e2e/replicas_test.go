package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// slowAPI stands before an API and keeps reports waiting.
type slowAPI struct {
	*httptest.Server

	asked    chan struct{} // closed when the first report was asked for
	canceled chan struct{} // closed when whoever asked for it has given up
}

func newSlowAPI(t *testing.T, api string) *slowAPI {
	t.Helper()
	target, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowAPI{asked: make(chan struct{}), canceled: make(chan struct{})}
	var first sync.Once
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/reports/") {
			forward.ServeHTTP(w, r)
			return
		}
		first.Do(func() {
			close(s.asked)
			<-r.Context().Done()
			close(s.canceled)
		})
	}))
	t.Cleanup(s.Close)
	return s
}

// startReplicas runs two MCP servers over one Redis before one API, as behind a
// load balancer, whose address is the first one's.
func startReplicas(t *testing.T, api string) (public string, replicas [2]string) {
	t.Helper()
	replicas = [2]string{"http://" + freeAddress(t), "http://" + freeAddress(t)}
	public = replicas[0]
	redis := oauthtest.StartRedis(t)
	for _, replica := range replicas {
		env := cleanEnv(
			"GROWPANEL_API_URL="+api, "GROWPANEL_PUBLIC_URL="+public, "GROWPANEL_REDIS_URL=redis://"+redis.Addr,
			"GROWPANEL_SECRET="+oauthtest.SecretText("replicas").Reveal(), "GROWPANEL_MCP_LISTEN="+strings.TrimPrefix(replica, "http://"), "GROWPANEL_DATA="+t.TempDir(),
		)
		start(t, env, regexp.MustCompile("listening"), program("growpanel"), "serve", "mcp")
	}
	return public, replicas
}

// stream is an answer that is read while it comes.
type stream struct {
	status int
	lines  chan string // closed when the answer has ended
}

// open sends a message to a replica under the public host.
func open(t *testing.T, public, replica, token, method, name, params string) *stream {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":"x","method":"` + method + `","params":{` + params +
		`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, replica+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = strings.TrimPrefix(public, "http://")
	for header, value := range map[string]string{
		"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": name,
	} {
		if value != "" {
			r.Header.Set(header, value)
		}
	}
	s := &stream{lines: make(chan string, 100)}
	answered := make(chan error, 1)
	go func() {
		defer close(s.lines)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- err
			return
		}
		defer func() { _ = response.Body.Close() }()
		s.status = response.StatusCode
		answered <- nil
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if text := lines.Text(); text != "" && !strings.HasPrefix(text, ":") {
				s.lines <- text
			}
		}
	}()
	if method != "tools/call" { // whose answer may not begin before it ends
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// rest waits for the end of a stream and returns what came.
func (s *stream) rest(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for deadline := time.After(patience); ; {
		select {
		case line, more := <-s.lines:
			if !more {
				return text.String()
			}
			text.WriteString(line + "\n")
		case <-deadline:
			t.Fatalf("the stream goes on; so far it has\n%s", text.String())
		}
	}
}

// TestOAuth_RevokedOnAnotherReplica: what is revoked on one replica is refused by
// the other with the very next request, and what it was answering ends within 15
// seconds, with nothing but the defaults.
func TestOAuth_RevokedOnAnotherReplica(t *testing.T) {
	t.Parallel()
	const promised = 15 * time.Second
	banner := start(t, cleanEnv(), regexp.MustCompile(`API key +\S+`), program("growpanel"), "serve", "api", "--demo", "--now", demoDay,
		"--data", t.TempDir(), "--api-listen", "127.0.0.1:0")
	api := newSlowAPI(t, regexp.MustCompile(`REST API +(\S+)`).FindStringSubmatch(banner)[1])
	public, replicas := startReplicas(t, api.URL)

	options, err := json.Marshal(map[string]any{"url": public + "/mcp", "email": demoEmail, "password": demoPassword, "account": demoAccount, "keep": true})
	if err != nil {
		t.Fatal(err)
	}
	out, err := output(t, cleanEnv(), nil, "node", "oauth/checker.mjs", string(options))
	if err != nil {
		t.Fatal(err)
	}
	var tokens struct {
		Client  string
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	decode(t, out, &tokens)

	other := replicas[1]
	listening := open(t, public, other, tokens.Access, "subscriptions/listen", "", `"notifications":{"toolsListChanged":true}`)
	if first := <-listening.lines; listening.status != http.StatusOK || first == "" {
		t.Fatalf("subscriptions/listen = %d %q", listening.status, first)
	}
	calling := open(t, public, other, tokens.Access, "tools/call", "get_report", `"name":"get_report","arguments":{"name":"mrr"}`)
	wait(t, api.asked, "the API is asked for the report")

	response, err := http.PostForm(public+"/revoke", url.Values{"token": {tokens.Refresh}, "client_id": {tokens.Client}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	revoked := time.Now()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("revoke = %d", response.StatusCode)
	}
	if next := open(t, public, other, tokens.Access, "tools/list", "", `"cursor":null`); next.status != http.StatusUnauthorized {
		t.Errorf("the very next call to the other replica = %d, want 401", next.status)
	}
	wait(t, api.canceled, "the API hears that nobody waits for the report any more")
	if text := calling.rest(t); !strings.Contains(text, `"error"`) && !strings.Contains(text, `"isError":true`) && text != "" {
		t.Errorf("the call was answered with %s", text)
	}
	if text := listening.rest(t); !strings.Contains(text, `"id":"x"`) {
		t.Errorf("the subscription ended without its result: %s", text)
	}
	if took := time.Since(revoked); took > promised {
		t.Errorf("the streams ended after %s, want at most %s", took, promised)
	} else {
		t.Logf("the streams ended %.1f s after the revocation", took.Seconds())
	}
}

// wait waits until something has happened.
func wait(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("it does not happen that %s", what)
	}
}
