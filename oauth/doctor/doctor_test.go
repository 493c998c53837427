package doctor_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/doctor"
)

// server is a deployment that is as it should be, but for what a test spoils.
type server struct {
	url   string
	spoil map[string]http.HandlerFunc // by "METHOD path"; instead of the answer
	edit  map[string]func(map[string]any)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, MCP-Protocol-Version")
	for _, key := range []string{r.Method + " " + r.URL.Path, r.Method, "*"} {
		if h, ok := s.spoil[key]; ok {
			h(w, r)
			return
		}
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch r.URL.Path {
	case "/mcp", "/mcp/":
		challenge := `Bearer realm="x", resource_metadata="` + s.url + `/.well-known/oauth-protected-resource/mcp"`
		switch token := r.Header.Get("Authorization"); token {
		case "Bearer the key":
			_, _ = io.WriteString(w, "{}")
			return
		case "":
		default:
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	case "/.well-known/oauth-protected-resource/mcp":
		s.json(w, r, http.StatusOK, map[string]any{"resource": s.url + "/mcp", "authorization_servers": []string{s.url}})
	case "/.well-known/oauth-authorization-server":
		s.json(w, r, http.StatusOK, map[string]any{
			"issuer": s.url, "authorization_endpoint": s.url + "/authorize", "token_endpoint": s.url + "/token", "registration_endpoint": s.url + "/register",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"none"}, "grant_types_supported": []string{"authorization_code", "refresh_token"},
			"scopes_supported": []string{"offline_access"}, "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": true,
		})
	case "/register":
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		body["client_id"] = "c1"
		s.json(w, r, http.StatusCreated, body)
	case "/authorize":
		q := r.URL.Query()
		switch {
		case q.Get("redirect_uri") != "https://claude.ai/api/mcp/auth_callback":
			w.WriteHeader(http.StatusBadRequest)
		case q.Get("code_challenge_method") != "S256":
			http.Redirect(w, r, q.Get("redirect_uri")+"?error=invalid_request", http.StatusSeeOther)
		default:
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		}
	case "/sign-in":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>Sign in</h1>")
	case "/token":
		if r.FormValue("client_id") != "c1" {
			s.json(w, r, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
			return
		}
		s.json(w, r, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		s.json(w, r, http.StatusNotFound, map[string]any{"error": "not_found"})
	}
}

func (s *server) json(w http.ResponseWriter, r *http.Request, status int, body map[string]any) {
	if edit, ok := s.edit[r.URL.Path]; ok {
		edit(body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func examine(t *testing.T, spoil map[string]http.HandlerFunc, edit map[string]func(map[string]any), key string) *doctor.Report {
	t.Helper()
	s := &server{spoil: spoil, edit: edit}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	report, err := doctor.Run(t.Context(), doctor.Config{URL: web.URL + "/mcp", HTTP: web.Client(), Register: true, Now: time.Now, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRun_OfAServerThatIsWell(t *testing.T) {
	t.Parallel()
	r := examine(t, nil, nil, "the key")
	if !r.Healthy() || len(r.Problems()) > 0 || len(r.Findings) < 15 {
		t.Errorf("%d checks, problems: %+v", len(r.Findings), r.Problems())
	}
}

// Whatever is spoiled is found, by the check that it is the matter of, and laid
// to the clients that suffer.
func TestRun_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<title>Our shop</title>")
	}
	set := func(name string, value any) func(map[string]any) {
		return func(d map[string]any) { d[name] = value }
	}
	const (
		prm = "/.well-known/oauth-protected-resource/mcp"
		as  = "/.well-known/oauth-authorization-server"
	)
	for name, test := range map[string]struct {
		spoil  map[string]http.HandlerFunc
		edit   map[string]func(map[string]any)
		check  string
		says   string
		client string // that fails; "" for a note
	}{
		"no such path":         {spoil: map[string]http.HandlerFunc{"POST /mcp": status(404, "nothing here")}, check: "the first message", says: "404", client: doctor.Claude},
		"a redirect":           {spoil: map[string]http.HandlerFunc{"POST /mcp": http.RedirectHandler("/mcp/", http.StatusTemporaryRedirect).ServeHTTP}, check: "the first message", says: "redirected", client: doctor.Cursor},
		"open to everybody":    {spoil: map[string]http.HandlerFunc{"POST /mcp": status(200, "{}")}, check: "the first message", says: "without asking", client: doctor.VSCode},
		"a lost header":        {spoil: map[string]http.HandlerFunc{"POST /mcp": status(401, "")}, check: "the first message", says: "WWW-Authenticate", client: doctor.ChatGPT},
		"a firewall":           {spoil: map[string]http.HandlerFunc{"GET /mcp": status(403, "Blocked")}, check: "beside", says: "403", client: doctor.Claude},
		"no slash":             {spoil: map[string]http.HandlerFunc{"GET /mcp/": status(404, "")}, check: "beside", says: "/mcp/", client: doctor.Claude},
		"metadata of a shop":   {spoil: map[string]http.HandlerFunc{"GET " + prm: page}, check: "resource metadata", says: "Our shop", client: doctor.Claude},
		"another resource":     {edit: map[string]func(map[string]any){prm: set("resource", "https://other.example/mcp")}, check: "resource metadata", says: "other.example", client: doctor.MCPRemote},
		"a slash too many":     {edit: map[string]func(map[string]any){prm: func(d map[string]any) { d["resource"] = fmt.Sprint(d["resource"]) + "/" }}, check: "resource metadata", says: "letter by letter", client: doctor.VSCode},
		"no server":            {edit: map[string]func(map[string]any){prm: set("authorization_servers", nil)}, check: "resource metadata", says: "no authorization server", client: doctor.Claude},
		"no server metadata":   {spoil: map[string]http.HandlerFunc{"GET " + as: status(502, "Bad gateway")}, check: "server metadata", says: "502", client: doctor.Claude},
		"another issuer":       {edit: map[string]func(map[string]any){as: set("issuer", "http://localhost")}, check: "server metadata", says: "issuer", client: doctor.ChatGPT},
		"no PKCE":              {edit: map[string]func(map[string]any){as: set("code_challenge_methods_supported", []string{"plain"})}, check: "server metadata", says: "S256", client: doctor.Claude},
		"no refresh":           {edit: map[string]func(map[string]any){as: set("scopes_supported", []string{"x"})}, check: "server metadata", says: "offline_access"},
		"an empty member":      {edit: map[string]func(map[string]any){as: set("service_documentation", "")}, check: "server metadata", says: "service_documentation", client: doctor.Claude},
		"half an OIDC server":  {spoil: map[string]http.HandlerFunc{"GET /.well-known/openid-configuration": status(500, "oops")}, check: "where else", says: "500", client: doctor.MCPRemote},
		"no calls from pages":  {spoil: map[string]http.HandlerFunc{"OPTIONS": status(405, "")}, check: "web pages", says: "OPTIONS"},
		"a list of redirects":  {spoil: map[string]http.HandlerFunc{"POST /register": status(400, `{"error":"invalid_redirect_uri"}`)}, check: "registration of Cursor", says: "invalid_redirect_uri", client: doctor.Cursor},
		"registration is full": {spoil: map[string]http.HandlerFunc{"POST /register": status(429, "")}, check: "registration of Claude", says: "429", client: doctor.Claude},
		"null in the answer":   {edit: map[string]func(map[string]any){"/register": set("logo_uri", nil)}, check: "registration", says: "logo_uri", client: doctor.VSCode},
		"a broken page":        {spoil: map[string]http.HandlerFunc{"GET /sign-in": status(500, "oops")}, check: "person sees", says: "500", client: doctor.Claude},
		"circles":              {spoil: map[string]http.HandlerFunc{"GET /sign-in": http.RedirectHandler("/authorize2", http.StatusSeeOther).ServeHTTP, "GET /authorize2": http.RedirectHandler("/sign-in", http.StatusSeeOther).ServeHTTP}, check: "person sees", says: "circles", client: doctor.VSCode},
		"an open redirect": {spoil: map[string]http.HandlerFunc{"GET /authorize": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?error=access_denied", http.StatusSeeOther)
		}}, check: "person sees", says: "attacker.example", client: doctor.Claude},
		"plain PKCE":      {spoil: map[string]http.HandlerFunc{"GET /authorize": page}, check: "person sees", says: "plain"},
		"a vague refusal": {spoil: map[string]http.HandlerFunc{"POST /token": status(400, `{"error":"invalid_request"}`)}, check: "token endpoint", says: "invalid_grant", client: doctor.Claude},
		"a wrong key":     {spoil: map[string]http.HandlerFunc{}, check: "API key", says: "not good", client: doctor.Cursor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := ""
			if name == "a wrong key" {
				key = "another"
			}
			r := examine(t, test.spoil, test.edit, key)
			found := slices.ContainsFunc(r.Problems(), func(f doctor.Finding) bool {
				blamed := test.client == "" && len(f.Fails) == 0 || slices.Contains(f.Fails, test.client)
				return strings.Contains(f.Check, test.check) && strings.Contains(f.Problem, test.says) && f.Mend != "" && blamed
			})
			if !found {
				t.Errorf("found %+v", r.Problems())
			}
			if (test.client != "") == r.Healthy() {
				t.Errorf("healthy: %v", r.Healthy())
			}
		})
	}
}

func TestRun_WrongURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mcp.example.com", "ftp://x", "http://", "::"} {
		if _, err := doctor.Run(t.Context(), doctor.Config{URL: url, HTTP: http.DefaultClient, Now: time.Now}); err == nil {
			t.Errorf("%q is examined", url)
		}
	}
}

func TestRun_NobodyThere(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close()
	r, err := doctor.Run(t.Context(), doctor.Config{URL: web.URL, HTTP: web.Client(), Now: time.Now})
	if err != nil || r.Healthy() || len(r.Findings) > 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
