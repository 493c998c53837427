package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

// plainSealer seals nothing: it is for credentials of tests.
type plainSealer struct{}

func (plainSealer) Seal(text []byte, place string) []byte {
	return append([]byte(place+"|"), text...)
}

func (plainSealer) Current([]byte) bool { return true }

func (plainSealer) Open(sealed []byte, place string) ([]byte, error) {
	text, ok := strings.CutPrefix(string(sealed), place+"|")
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return []byte(text), nil
}

// newTestFetcher connects to an endpoint with a bearer token. pauses gets how
// long it waits between tries.
func newTestFetcher(t *testing.T, endpoint string, o httpx.OutgoingConfig, pauses *[]time.Duration) (*fetcher, error) {
	t.Helper()
	o.AllowHTTP = true
	i := NewImporter(Config{Sealer: plainSealer{}, Outgoing: o, Sleep: func(_ context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return nil
	}})
	secret := plainSealer{}.Seal([]byte("hunter2"), place("acc", "ds", endpoint))
	return i.newFetcher("acc", "ds", &Connection{Endpoint: endpoint, Auth: Auth{Type: authBearer, Secret: secret}})
}

// loopback lets a test reach its own servers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestFetcher_GivesUpOnASlowEndpoint(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	for name, serve := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"an answer in drops": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		},
	} {
		server := httptest.NewServer(serve)
		defer server.Close()
		var pauses []time.Duration
		f, err := newTestFetcher(t, server.URL, httpx.OutgoingConfig{Networks: loopback, Timeout: 50 * time.Millisecond}, &pauses)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.page(t.Context(), "invoices", 3)
		problem, ok := errors.AsType[*Problem](err)
		if !ok || problem.Code != codeUnreachable || problem.Final || !strings.Contains(err.Error(), "invoices, page 3: the endpoint did not answer within 50ms") {
			t.Errorf("%s: %v", name, err)
		}
		if want := []time.Duration{firstPause, 2 * firstPause, 4 * firstPause}; fmt.Sprint(pauses) != fmt.Sprint(want) {
			t.Errorf("%s: pauses %v, want %v", name, pauses, want)
		}
	}
	close(release)
}

func TestFetcher_HeedsRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[string]string{"7": "[7s 7s 7s]", "3600": "[]", "soon": "[1s 2s 4s]", "-1": "[1s 2s 4s]"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", wait)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		defer server.Close()
		var pauses []time.Duration
		f, err := newTestFetcher(t, server.URL, httpx.OutgoingConfig{Networks: loopback}, &pauses)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.page(t.Context(), "plans", 1); err == nil || fmt.Sprint(pauses) != want {
			t.Errorf("Retry-After %s: pauses %v, want %s; %v", wait, pauses, want, err)
		}
	}
}

func TestFetcher_FollowsRedirectsOfTheSameHostAlone(t *testing.T) {
	t.Parallel()
	var authorized []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorized = append(authorized, r.URL.Path+" "+r.Header.Get("Authorization"))
		if r.URL.Path == "/customers" {
			http.Redirect(w, r, "/v2/customers", http.StatusFound)
			return
		}
		_, _ = fmt.Fprint(w, "[]")
	}))
	defer server.Close()
	f, err := newTestFetcher(t, server.URL, httpx.OutgoingConfig{Networks: loopback}, new([]time.Duration))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := f.page(t.Context(), "customers", 1); err != nil || string(body) != "[]" {
		t.Errorf("%s, %v", body, err)
	}
	if got := strings.Join(authorized, ", "); got != "/customers Bearer hunter2, /v2/customers Bearer hunter2" {
		t.Errorf("requests %s", got)
	}
	for _, to := range []string{strings.Replace(server.URL, "127.0.0.1", "localhost", 1), strings.Replace(server.URL, "http:", "https:", 1), "http://127.0.0.1:1", "ftp://127.0.0.1/x"} {
		away := httptest.NewServer(http.RedirectHandler(to, http.StatusTemporaryRedirect))
		defer away.Close()
		f, err := newTestFetcher(t, away.URL, httpx.OutgoingConfig{Networks: loopback}, new([]time.Duration))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.page(t.Context(), "customers", 1)
		if problem, ok := errors.AsType[*Problem](err); !ok || !problem.Final || problem.Code != codeRedirect {
			t.Errorf("to %s: %v", to, err)
		}
	}
}

func TestFetcher_RefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	if _, err := newTestFetcher(t, server.URL, httpx.OutgoingConfig{}, new([]time.Duration)); err == nil {
		t.Error("a loopback address is accepted")
	}
	f, err := newTestFetcher(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), httpx.OutgoingConfig{}, new([]time.Duration))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.page(t.Context(), "customers", 1)
	problem, ok := errors.AsType[*Problem](err)
	if !ok || problem.Code != codeRefused || !problem.Final || reached || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("a name that leads to this machine: %v, reached %t", err, reached)
	}
}

func TestFetcher_CredentialsOfAnotherPlaceAreLost(t *testing.T) {
	t.Parallel()
	i := NewImporter(Config{Sealer: plainSealer{}})
	sealed := plainSealer{}.Seal([]byte("hunter2"), place("acc", "ds", "https://a.example/x"))
	for _, c := range []struct{ account, source, endpoint string }{{"other", "ds", "https://a.example/x"}, {"acc", "other", "https://a.example/x"}, {"acc", "ds", "https://b.example/x"}, {"acc", "ds", "https://a.example:8443/x"}} {
		_, err := i.newFetcher(c.account, c.source, &Connection{Endpoint: c.endpoint, Auth: Auth{Type: authBearer, Secret: sealed}})
		if problem, ok := errors.AsType[*Problem](err); !ok || problem.Code != codeCredentials {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := i.newFetcher("acc", "ds", &Connection{Endpoint: "https://A.example:443/other", Auth: Auth{Type: authBearer, Secret: sealed}}); err != nil {
		t.Errorf("another path of the same host: %v", err)
	}
}
