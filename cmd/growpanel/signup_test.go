package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/config"
)

// TestServe_SignUp: the API's switch decides what the pages offer, in its own
// process and in front of it.
func TestServe_SignUp(t *testing.T) {
	t.Parallel()
	open := demoConfig(t)
	open.SignUp = true
	for name, tt := range map[string]struct {
		cfg  config.Serve
		want int
	}{
		"by default": {demoConfig(t), http.StatusNotFound},
		"allowed":    {open, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := start(t, config.ServeAll, tt.cfg)
			front := start(t, config.ServeMCP, config.Serve{Upstream: whole.url(apiName), Data: t.TempDir()})
			for _, server := range []running{whole, front} {
				if got, _ := readPage(t, server.url(mcpName)+"/sign-up"); got != tt.want {
					t.Errorf("/sign-up = %d, want %d", got, tt.want)
				}
				if _, body := readPage(t, server.url(mcpName)+"/sign-in"); strings.Contains(body, "/sign-up") != (tt.want == http.StatusOK) {
					t.Errorf("the sign-in page is\n%s", body)
				}
			}
		})
	}
}

func readPage(t *testing.T, address string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(content)
}
