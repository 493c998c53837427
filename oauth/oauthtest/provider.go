package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Provider is an OpenID Connect provider on this machine whose only user is
// always signed in. It holds clients to what real ones do: the redirect URI, the
// secret, PKCE, and codes that are good once.
type Provider struct {
	URL              string
	ClientID, Secret string

	mu       sync.Mutex
	user     ProviderUser
	fault    string // answered in place of a code, when set
	codes    map[string]url.Values
	requests []url.Values // to the authorization endpoint
	tokens   []string     // ID tokens given
	key      *rsa.PrivateKey
}

// ProviderUser is who signs in at a Provider.
type ProviderUser struct {
	Subject  string
	Email    string
	Verified bool
}

// NewProvider starts a provider that ends with the test.
func NewProvider(t testing.TB, user ProviderUser) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{ClientID: "growpanel", Secret: "the provider's secret", user: user, codes: map[string]url.Values{}, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /keys", p.keys)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Fail makes the authorization endpoint answer with an error; "" mends it.
func (p *Provider) Fail(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = code
}

// Requests returns the queries that the authorization endpoint got.
func (p *Provider) Requests() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// Tokens returns the ID tokens that were given.
func (p *Provider) Tokens() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	query := r.URL.Query()
	p.requests = append(p.requests, query)
	back, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || query.Get("client_id") != p.ClientID || query.Get("response_type") != "code" {
		http.Error(w, "unknown client or redirect", http.StatusBadRequest)
		return
	}
	result := url.Values{"state": {query.Get("state")}}
	if p.fault != "" {
		result.Set("error", p.fault)
	} else {
		code := rand.Text()
		p.codes[code] = query
		result.Set("code", code)
	}
	back.RawQuery = result.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	} else if plain, err := url.QueryUnescape(secret); err == nil {
		secret = plain
	}
	request, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != p.ClientID || secret != p.Secret:
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !known || request.Get("redirect_uri") != r.PostFormValue("redirect_uri") || request.Get("code_challenge_method") != "S256" ||
		request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	token, err := p.sign(request.Get("nonce"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.tokens = append(p.tokens, token)
	answer(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600, "id_token": token})
}

func (p *Provider) sign(nonce string) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "one")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: p.key}, options)
	if err != nil {
		return "", err
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": p.URL, "aud": p.ClientID, "sub": p.user.Subject, "email": p.user.Email, "email_verified": p.user.Verified,
		"nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}).Serialize()
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone; there is nobody to tell
}
