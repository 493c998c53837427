package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/mcp"
)

// TestRemote_Authenticate checks what the answer of an API elsewhere says about
// a key, and that a good one is asked about once in trustTime.
func TestRemote_Authenticate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		want   error
		asked  int64 // requests for two calls
	}{
		{name: "good", status: http.StatusOK, asked: 1},
		{name: "good without a right to settings", status: http.StatusForbidden, asked: 1},
		{name: "unknown", status: http.StatusUnauthorized, want: mcp.ErrInvalidToken, asked: 2},
		{name: "API broken", status: http.StatusInternalServerError, asked: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.Header.Get("Authorization") != "Bearer key" {
					t.Errorf("Authorization = %q", r.Header.Get("Authorization"))
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(`{}`))
			}))
			t.Cleanup(api.Close)
			back, err := newRemote(testProcess(nil), config.Serve{Upstream: api.URL})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				caller, err := back.authenticate(t.Context(), "key")
				switch {
				case tt.status < 500 && !errors.Is(err, tt.want):
					t.Errorf("authenticate() error = %v, want %v", err, tt.want)
				case tt.status >= 500 && (err == nil || errors.Is(err, mcp.ErrInvalidToken)):
					t.Errorf("authenticate() error = %v, want one that does not blame the key", err)
				case err == nil && (caller.ID == "" || caller.ID == "key" || caller.Key.IsZero()):
					t.Errorf("authenticate() = %+v", caller)
				}
			}
			if got := asked.Load(); got != tt.asked {
				t.Errorf("%d requests for two calls, want %d", got, tt.asked)
			}
		})
	}
}

func TestRemote_Authenticate_TrustEnds(t *testing.T) {
	t.Parallel()
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(api.Close)
	p := testProcess(nil)
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	p.now = func() time.Time { return now }
	back, err := newRemote(p, config.Serve{Upstream: api.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, trustTime - 1, 1} {
		now = now.Add(wait)
		if _, err := back.authenticate(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("%d requests, want a second one after %v", asked, trustTime)
	}
}

// TestHasUsers: an API that says no is told from one that cannot say yet.
func TestHasUsers(t *testing.T) {
	t.Parallel()
	for first, want := range map[int]string{
		http.StatusOK: "true <nil> 1", http.StatusNotFound: "false <nil> 1", http.StatusUnauthorized: "false <nil> 1", http.StatusMethodNotAllowed: "false <nil> 1",
		http.StatusBadRequest: "true <nil> 2", http.StatusInternalServerError: "true <nil> 2",
	} {
		asked := 0
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if asked++; asked == 1 {
				w.WriteHeader(first)
			}
			_, _ = w.Write([]byte(`{"password":true}`))
		}))
		client, err := apiclient.New(apiclient.Options{BaseURL: api.URL, MaxWait: -1})
		if err != nil {
			t.Fatal(err)
		}
		users, err := hasUsers(t.Context(), client, time.Minute)
		if got := fmt.Sprint(users, err, asked); got != want {
			t.Errorf("first answer %d: %s, want %s", first, got, want)
		}
		api.Close()
	}
	client, err := apiclient.New(apiclient.Options{BaseURL: "http://127.0.0.1:1", MaxWait: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hasUsers(t.Context(), client, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("an API that is down: %v, want its address", err)
	}
}
