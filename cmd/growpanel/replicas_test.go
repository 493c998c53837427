package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// balancer sends each request to the next of its replicas, under one address.
type balancer struct {
	*httptest.Server

	replicas []*url.URL
	next     atomic.Uint64
	only     atomic.Int64 // index of the one to use, -1 for all in turn
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{}
	b.only.Store(-1)
	// Not the shared one, which other tests close; and without connections that wait
	// unused, for which a server that shuts down waits.
	transport := &http.Transport{DisableKeepAlives: true}
	b.Server = httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		i := int(b.only.Load())
		if i < 0 {
			i = int(b.next.Add(1) % uint64(len(b.replicas)))
		}
		r.SetURL(b.replicas[i])
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(b.Close)
	return b
}

// cable leads to a server and can be cut.
type cable struct {
	addr string
	cut  atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	var listening net.ListenConfig
	listener, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{addr: listener.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).Dial("tcp", to)
			if err != nil || c.cut.Load() {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, near, far)
			c.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				open.Go(func() {
					_, _ = io.Copy(way[0], way[1]) // until either end closes
					_ = way[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.setCut(true)
		open.Wait()
	})
	return c
}

func (c *cable) setCut(cut bool) {
	c.cut.Store(cut)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// startReplicas runs two MCP endpoints over one Redis behind a balancer.
func startReplicas(t *testing.T, redis string) (running, *balancer) {
	t.Helper()
	demo := start(t, config.ServeAPI, demoConfig(t))
	lb := newBalancer(t)
	key := oauthtest.SecretText("shared")
	var front running
	for range 2 {
		from := map[string]string{
			"GROWPANEL_API_URL": demo.url(apiName), "GROWPANEL_PUBLIC_URL": lb.URL, "GROWPANEL_SECRET": key.Reveal(),
			"GROWPANEL_REDIS_URL": "redis://" + redis, "GROWPANEL_DATA": t.TempDir(), "GROWPANEL_TRUSTED_PROXIES": "127.0.0.0/8",
		}
		cfg, err := config.LoadServe(config.Source{Lookup: func(name string) (string, bool) { v, ok := from[name]; return v, ok }}, config.ServeMCP)
		if err != nil {
			t.Fatal(err)
		}
		front = start(t, config.ServeMCP, cfg)
		for _, e := range front.endpoints {
			lb.replicas = append(lb.replicas, &url.URL{Scheme: "http", Host: e.listener.Addr().String()})
		}
	}
	return front, lb
}

// TestServe_Replicas: any replica serves any step of a connection, and what is
// revoked on one is refused by all with the next request.
func TestServe_Replicas(t *testing.T) {
	t.Parallel()
	front, lb := startReplicas(t, oauthtest.StartRedis(t).Addr)
	client := front.register(t)
	access, refresh := front.connect(t, client, newPerson(t, lb.URL))

	var all sync.WaitGroup
	successors, accesses := make([]string, 20), make([]string, 20)
	for i := range successors {
		all.Go(func() {
			status, answer := front.postForm(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}})
			if status != http.StatusOK {
				t.Errorf("refresh %d = %d %v", i, status, answer)
				return
			}
			successors[i], accesses[i] = fmt.Sprint(answer["refresh_token"]), fmt.Sprint(answer["access_token"])
		})
	}
	all.Wait()
	for _, got := range successors {
		if got != successors[0] || got == refresh {
			t.Fatal("20 refreshes over two replicas have different successors")
		}
	}
	access = accesses[0] // the first one made room for the twentieth
	both := func(want int) {
		t.Helper()
		for i := range lb.replicas {
			lb.only.Store(int64(i))
			if status, answer := front.post(t, access, listTools); status != want {
				t.Errorf("a call to replica %d = %d %.200s, want %d", i, status, answer, want)
			}
		}
		lb.only.Store(-1)
	}
	both(http.StatusOK)
	lb.only.Store(0)
	if status, answer := front.postForm(t, "/revoke", url.Values{"token": {successors[0]}, "client_id": {client}}); status != http.StatusOK {
		t.Errorf("revoke = %d %v", status, answer)
	}
	both(http.StatusUnauthorized)
}

// TestServe_RedisDown: while the store cannot be asked nobody is told that their
// token is bad, and afterwards all is as it was.
func TestServe_RedisDown(t *testing.T) {
	t.Parallel()
	redis := newCable(t, oauthtest.StartRedis(t).Addr)
	front, lb := startReplicas(t, redis.addr)
	client := front.register(t)
	access, refresh := front.connect(t, client, newPerson(t, lb.URL))
	renew := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {client}}

	redis.setCut(true)
	for path, form := range map[string]url.Values{"/token": renew, "/revoke": {"token": {access}, "client_id": {client}}} {
		status, answer := front.postForm(t, path, form)
		if status != http.StatusServiceUnavailable || answer["error"] != "temporarily_unavailable" {
			t.Errorf("%s without Redis = %d %v", path, status, answer)
		}
	}
	if status, answer := front.send(t, "/register", "application/json", `{"redirect_uris":["`+callback+`"]}`); status != http.StatusServiceUnavailable {
		t.Errorf("/register without Redis = %d %v", status, answer)
	}
	if status, answer := front.post(t, access, listTools); status != http.StatusServiceUnavailable || strings.Contains(answer, "redis") {
		t.Errorf("a call without Redis = %d %s", status, answer)
	}
	if status, _ := front.post(t, demoKey, listTools); status != http.StatusOK {
		t.Errorf("a call with an API key without Redis = %d", status)
	}

	redis.setCut(false)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, answer := front.post(t, access, listTools)
		if status == http.StatusOK {
			break
		}
		if status == http.StatusUnauthorized || time.Now().After(deadline) {
			t.Fatalf("a call after Redis is back = %d %s", status, answer)
		}
	}
	if status, answer := front.postForm(t, "/token", renew); status != http.StatusOK {
		t.Errorf("refresh after Redis is back = %d %v", status, answer)
	}
}

// to sends what follows to one replica, or with -1 to all in turn.
func (b *balancer) to(replica int) { b.only.Store(int64(replica)) }

// TestServe_Replicas_CountWrongKeysTogether: a guesser gains nothing by the number
// of replicas, nor by a Redis that is down.
func TestServe_Replicas_CountWrongKeysTogether(t *testing.T) {
	t.Parallel()
	redis := newCable(t, oauthtest.StartRedis(t).Addr)
	front, lb := startReplicas(t, redis.addr)
	guess := func() int {
		t.Helper()
		status, _ := front.post(t, "wrong", listTools)
		return status
	}
	refused := func() bool {
		t.Helper()
		for range 2 * wrongKeys().Burst { // while more become free every other second
			if guess() == http.StatusTooManyRequests {
				return true
			}
		}
		return false
	}
	lb.to(0)
	if !refused() {
		t.Fatal("one replica answers every wrong key")
	}
	lb.to(1)
	free := 0
	for guess() == http.StatusUnauthorized {
		if free++; free > wrongKeys().Burst/2 {
			t.Fatalf("the other replica answers %d wrong keys more", free)
		}
	}
	if status, answer := front.post(t, demoKey, listTools); status != http.StatusOK {
		t.Errorf("a good key of the same address = %d %s", status, answer)
	}
	redis.setCut(true)
	if !refused() {
		t.Error("without Redis every wrong key is answered")
	}
}

// TestServe_Replicas_AnswerEachOthersQuestions asks for a confirmation on one
// replica and gives it on the other.
func TestServe_Replicas_AnswerEachOthersQuestions(t *testing.T) {
	t.Parallel()
	front, lb := startReplicas(t, oauthtest.StartRedis(t).Addr)
	access, _ := front.connect(t, front.register(t), newPerson(t, lb.URL))
	call := func(more string) (result struct {
		IsError      bool
		RequestState string
		Content      []struct{ Text string }
	},
	) {
		t.Helper()
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"manage_webhooks","arguments":{"action":"delete","id":"wh_nobody"}` + more +
			`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}`
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, lb.URL+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer " + access, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "manage_webhooks",
		} {
			r.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer := struct{ Result any }{&result}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d, %v", response.StatusCode, err)
		}
		return result
	}
	lb.to(0)
	asked := call("")
	if asked.RequestState == "" {
		t.Fatalf("nothing is asked: %+v", asked)
	}
	lb.to(1)
	answered := call(`,"inputResponses":{"confirm":{"action":"accept","content":{"confirm":true}}},"requestState":"` + asked.RequestState + `"`)
	if len(answered.Content) == 0 || !strings.Contains(answered.Content[0].Text, "no webhook") || strings.Contains(answered.Content[0].Text, "confirmation") {
		t.Errorf("the other replica says %+v, want that there is no such webhook", answered)
	}
}

// Replicas that keep nothing, before an API without users, share a secret if they
// are given one.
func TestSharedStateKeys(t *testing.T) {
	t.Parallel()
	load := func(secret string) config.Serve {
		t.Helper()
		from := map[string]string{"GROWPANEL_API_URL": "http://127.0.0.1:1", "GROWPANEL_SECRET": secret}
		cfg, err := config.LoadServe(config.Source{Lookup: func(name string) (string, bool) { return from[name], from[name] != "" }}, config.ServeMCP)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	if keys, err := sharedStateKeys(load("")); err != nil || keys != nil {
		t.Errorf("without a secret: %d keys, %v", len(keys), err)
	}
	secret := oauthtest.SecretText("shared").Reveal()
	one, err := sharedStateKeys(load(secret))
	if err != nil {
		t.Fatal(err)
	}
	two, err := sharedStateKeys(load(secret))
	if err != nil || len(one) != 1 || len(two) != 1 || !bytes.Equal(one[0], two[0]) {
		t.Errorf("with one secret: %d and %d keys that differ, %v", len(one), len(two), err)
	}
}
