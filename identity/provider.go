package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Provider is an OpenID Connect provider whose users may sign in.
type Provider struct {
	ID       string // what clients send, such as google
	Name     string // what a button shows
	Issuer   string
	ClientID string
	// Tenants makes the provider Microsoft's endpoint for many tenants, which
	// writes the tenant into the issuer of each token: those listed may sign in.
	// Empty for a provider with one issuer.
	Tenants []string
	// LinkVerifiedEmail lets a person in as the user with their verified address
	// who has no password and no identity yet. Only for issuers that own the
	// addresses.
	LinkVerifiedEmail bool
}

const (
	discoveryTimeout = 10 * time.Second
	// microsoftIssuer has the tenant's id in its place (Microsoft identity
	// platform, "ID token claims": iss).
	microsoftIssuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
)

// proof is what an ID token proves.
type proof struct {
	login     Login
	email     string // verified, in the form of ParseEmail; "" for none
	linkEmail bool   // whether the operator lets the address identify a user
}

// verifier checks the ID tokens of one provider. Its keys are discovered when
// they are first needed, so that a provider that is down does not stop a start.
type verifier struct {
	Provider

	http *http.Client
	now  func() time.Time

	mu    sync.Mutex
	ready *oidc.IDTokenVerifier
}

// Providers returns the providers that may sign people in.
func (s *Service) Providers() []Provider {
	out := make([]Provider, 0, len(s.verifiers))
	for _, v := range s.verifiers {
		out = append(out, v.Provider)
	}
	return out
}

// verifyIDToken returns what a provider's ID token proves. ErrCredentials for a
// token that is not good, *FieldError for an unknown provider, ErrProvider for one that
// cannot be reached.
func (s *Service) verifyIDToken(ctx context.Context, provider, token, nonce string) (proof, error) {
	at := slices.IndexFunc(s.verifiers, func(v *verifier) bool { return v.ID == provider })
	switch {
	case at < 0:
		return proof{}, &FieldError{Field: "provider", Message: "is not one that GET /auth/methods lists"}
	case token == "":
		return proof{}, &FieldError{Field: "id_token", Message: "is required"}
	case nonce == "":
		return proof{}, &FieldError{Field: "nonce", Message: "is required"}
	}
	return s.verifiers[at].verify(ctx, token, nonce)
}

func (v *verifier) verify(ctx context.Context, token, nonce string) (proof, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, v.http), discoveryTimeout)
	defer cancel()
	check, err := v.discovered(ctx)
	if err != nil {
		return proof{}, err
	}
	verified, err := check.Verify(ctx, token)
	if err != nil {
		return proof{}, fmt.Errorf("%w: %s's ID token: %w", ErrCredentials, v.ID, err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) != 1 {
		return proof{}, fmt.Errorf("%w: the nonce of %s's ID token is another", ErrCredentials, v.ID)
	}
	var claims struct {
		Tenant        string `json:"tid"`
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
	}
	if err := verified.Claims(&claims); err != nil {
		return proof{}, fmt.Errorf("%w: claims of %s's ID token: %w", ErrCredentials, v.ID, err)
	}
	if verified.Subject == "" || len(v.Tenants) > 0 && !v.fromTenant(verified.Issuer, claims.Tenant) {
		return proof{}, fmt.Errorf("%w: the tenant of %s's ID token is not allowed", ErrCredentials, v.ID)
	}
	p := proof{login: Login{Issuer: verified.Issuer, Subject: verified.Subject}, linkEmail: v.LinkVerifiedEmail}
	if claims.EmailVerified {
		p.email, err = ParseEmail(claims.Email)
		if err != nil {
			p.email = ""
		}
	}
	return p, nil
}

// fromTenant reports whether a token of a provider for many tenants comes from
// one that is allowed, and from nobody who merely names it.
func (v *verifier) fromTenant(issuer, tenant string) bool {
	return slices.Contains(v.Tenants, tenant) && issuer == strings.ReplaceAll(microsoftIssuer, "{tenantid}", tenant)
}

// discovered reads the provider's document once. It fails with ErrProvider.
func (v *verifier) discovered(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ready != nil {
		return v.ready, nil
	}
	cfg := &oidc.Config{ClientID: v.ClientID, Now: v.now}
	if len(v.Tenants) > 0 {
		ctx = oidc.InsecureIssuerURLContext(ctx, microsoftIssuer)
		cfg.SkipIssuerCheck = true // fromTenant checks it
	}
	provider, err := oidc.NewProvider(ctx, v.Issuer)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrProvider, v.Name), err)
	}
	// The key set is used after this call and brings its own time-out.
	v.ready = provider.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), v.http), cfg)
	return v.ready, nil
}
