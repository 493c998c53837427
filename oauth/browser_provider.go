package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// Provider is an OpenID Connect provider at which people can sign in.
type Provider struct {
	ID           string // as the API names it: google, microsoft, oidc
	Name         string // "Google"
	Issuer       string
	ClientID     string
	ClientSecret Secret
}

const (
	// providerLife is how long somebody may take at a provider.
	providerLife = 10 * time.Minute
	// providerTimeout bounds what a provider is asked while somebody waits.
	providerTimeout = 10 * time.Second
)

// relyingParty sends people to one provider and takes its answer. It does not
// judge the ID token: the API does.
type relyingParty struct {
	provider Provider
	redirect string
	http     *http.Client
}

func newRelyingParty(p Provider, issuer *url.URL, client *http.Client) *relyingParty {
	return &relyingParty{provider: p, redirect: issuer.JoinPath("auth", "callback", p.ID).String(), http: client}
}

// config asks the provider where its endpoints are. That is one request per
// sign-in, and a provider that was down at start is no trouble later.
func (p *relyingParty) config(ctx context.Context) (*oauth2.Config, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.provider.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", p.provider.Issuer, err)
	}
	return &oauth2.Config{
		ClientID: p.provider.ClientID, ClientSecret: p.provider.ClientSecret.Reveal(),
		Endpoint: found.Endpoint(), RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, nil
}

// exchange trades a provider's code for its ID token.
func (p *relyingParty) exchange(ctx context.Context, code, verifier string) (Secret, error) {
	config, err := p.config(ctx)
	if err != nil {
		return Secret{}, err
	}
	token, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, p.http), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Secret{}, fmt.Errorf("exchange code at %s: %w", p.provider.ID, err)
	}
	text, _ := token.Extra("id_token").(string)
	if text == "" {
		return Secret{}, fmt.Errorf("%s gave no ID token", p.provider.ID)
	}
	return NewSecret(text), nil
}

// visit is a sign-in that is under way at a provider. Its record's id is the
// state, which is good once.
type visit struct {
	Provider string `json:"provider"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE
	Browser  string `json:"browser"`  // hash of the cookie
	TX       string `json:"tx"`
	// Invitation is sealed: only the browser's cookie opens it.
	Invitation []byte `json:"invitation,omitempty"`
	Next       string `json:"next"`

	invitation string // opened
}

func (v visit) journey() journey { return journey{tx: v.TX, invitation: v.invitation, next: v.Next} }

// startProvider sends somebody to a provider.
func (b *Browser) startProvider(w http.ResponseWriter, r *http.Request) error {
	j := journeyOf(r.PostForm)
	if err := b.checkForm(r, j.purpose()...); err != nil {
		return err
	}
	p, ok := b.providers[r.PathValue("provider")]
	if !ok {
		return b.notFound(w, r)
	}
	if err := b.limit(r.Context(), "sign-in", b.cfg.Address(r), signInRate()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), providerTimeout)
	defer cancel()
	config, err := p.config(ctx)
	if err != nil {
		return b.providerFailed(w, r, p, j, err, "It does not answer right now. Try again in a moment, or sign in another way.")
	}
	state := randomText()
	v := visit{
		Provider: p.provider.ID, Nonce: randomText(), Verifier: oauth2.GenerateVerifier(),
		Browser: browserHash(b.browserOf(w, r)), TX: j.tx, Next: j.next,
	}
	if j.invitation != "" {
		if v.Invitation, err = b.seal(b.browserOf(w, r), state, j.invitation); err != nil {
			return err
		}
	}
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store sign-in: %w", err)
	}
	if err := b.cfg.Records.Add(r.Context(), KindSignIn, state, value, providerLife); err != nil {
		return fmt.Errorf("store sign-in: %w", err)
	}
	return b.redirect(w, config.AuthCodeURL(state, oidc.Nonce(v.Nonce), oauth2.S256ChallengeOption(v.Verifier)))
}

// finishProvider takes a provider's answer.
func (b *Browser) finishProvider(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	p, ok := b.providers[r.PathValue("provider")]
	if !ok {
		return b.notFound(w, r)
	}
	v, err := b.takeVisit(r, query.Get("state"))
	if err != nil {
		return err
	}
	// An answer that belongs to another provider is a mix-up (RFC 9207).
	if iss := query.Get("iss"); v.Provider != p.provider.ID || iss != "" && iss != p.provider.Issuer {
		return errExpired
	}
	switch {
	case query.Get("error") == "access_denied":
		return b.providerFailed(w, r, p, v.journey(), nil, "It says that the sign-in was canceled.")
	case query.Get("code") == "":
		return b.providerFailed(w, r, p, v.journey(), nil, "It sent an answer that says nothing.")
	}
	ctx, cancel := context.WithTimeout(r.Context(), providerTimeout)
	defer cancel()
	token, err := p.exchange(ctx, query.Get("code"), v.Verifier)
	if err != nil {
		return b.providerFailed(w, r, p, v.journey(), err, "Its answer could not be confirmed. Try again.")
	}
	return b.signInBy(w, r, p, v, token)
}

// signInBy presents a provider's ID token to the API.
func (b *Browser) signInBy(w http.ResponseWriter, r *http.Request, p *relyingParty, v visit, token Secret) error {
	session, err := b.cfg.Users.SignIn(r.Context(), Proof{
		Provider: p.provider.ID, IDToken: token, Nonce: v.Nonce, Invitation: NewSecret(v.invitation), From: b.cfg.Address(r),
	})
	var refused *RefusedError
	switch {
	case errors.Is(err, ErrNotLinked) && v.invitation != "":
		return b.providerFailed(w, r, p, v.journey(), nil, "Somebody with the invited address has a password here already. Join with that.")
	case errors.Is(err, ErrNotLinked):
		return b.askToLink(w, r, v, token)
	case errors.Is(err, ErrCredentials):
		return b.providerFailed(w, r, p, v.journey(), nil, "GrowPanel has no active user for this identity.")
	case errors.As(err, &refused):
		return b.providerFailed(w, r, p, v.journey(), nil, refused.Message)
	case err != nil:
		return err
	}
	return b.signedIn(w, r, session, v.journey())
}

// takeVisit returns the visit of a state, once, to the browser that began it.
func (b *Browser) takeVisit(r *http.Request, state string) (visit, error) {
	browser, ok := b.knownBrowser(r)
	if !ok || len(state) != len(browser) {
		return visit{}, errExpired
	}
	record, err := b.cfg.Records.Consume(r.Context(), KindSignIn, state)
	if errors.Is(err, ErrNotFound) {
		return visit{}, errExpired
	}
	if err != nil {
		return visit{}, fmt.Errorf("read sign-in: %w", err)
	}
	var v visit
	if err := json.Unmarshal(record.Value, &v); err != nil {
		return visit{}, fmt.Errorf("read sign-in: %w", err)
	}
	if v.Browser != browserHash(browser) {
		return visit{}, errExpired
	}
	if len(v.Invitation) > 0 {
		var ok bool
		if v.invitation, ok = b.unseal(browser, state, v.Invitation); !ok {
			return visit{}, errExpired
		}
	}
	return v, nil
}

func (b *Browser) providerFailed(w http.ResponseWriter, r *http.Request, p *relyingParty, j journey, cause error, reason string) error {
	if cause != nil {
		b.cfg.Logger.WarnContext(r.Context(), "sign-in provider failed", "provider", p.provider.ID, "error", cause)
	}
	return b.pages.Write(w, http.StatusBadGateway, pages.ProviderFailed(p.provider.Name, reason, j.signInPath()))
}
