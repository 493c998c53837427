package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// pendingLink is an identity of a provider that waits for its user to sign in
// with a password: an e-mail address alone never makes it somebody's.
type pendingLink struct {
	Visit   visit  `json:"visit"`
	IDToken []byte `json:"id_token"` // sealed: only the browser's cookie opens it
}

// askToLink keeps an ID token that no user has and leads to the page that asks
// for the user's password.
func (b *Browser) askToLink(w http.ResponseWriter, r *http.Request, v visit, token Secret) error {
	id, browser := randomText(), b.browserOf(w, r)
	sealed, err := b.seal(browser, id, token.Reveal())
	if err != nil {
		return err
	}
	value, err := json.Marshal(pendingLink{Visit: v, IDToken: sealed})
	if err != nil {
		return fmt.Errorf("store link: %w", err)
	}
	if err := b.cfg.Records.Add(r.Context(), KindSignIn, id, value, providerLife); err != nil {
		return fmt.Errorf("store link: %w", err)
	}
	return b.redirect(w, "/link?id="+url.QueryEscape(id))
}

// pending returns a link that waits, to the browser that it is of.
func (b *Browser) pending(r *http.Request, id string) (visit, Secret, error) {
	browser, ok := b.knownBrowser(r)
	if !ok || len(id) != len(browser) {
		return visit{}, Secret{}, errExpired
	}
	record, err := b.cfg.Records.Record(r.Context(), KindSignIn, id)
	if errors.Is(err, ErrNotFound) {
		return visit{}, Secret{}, errExpired
	}
	if err != nil {
		return visit{}, Secret{}, fmt.Errorf("read link: %w", err)
	}
	var link pendingLink
	if err := json.Unmarshal(record.Value, &link); err != nil {
		return visit{}, Secret{}, fmt.Errorf("read link: %w", err)
	}
	token, ok := b.unseal(browser, id, link.IDToken)
	if !ok {
		return visit{}, Secret{}, errExpired
	}
	return link.Visit, NewSecret(token), nil
}

func (b *Browser) showLink(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("id")
	v, _, err := b.pending(r, id)
	if err != nil {
		return err
	}
	return b.writeLink(w, r, http.StatusOK, id, v, pages.SignIn{})
}

func (b *Browser) writeLink(w http.ResponseWriter, r *http.Request, status int, id string, v visit, page pages.SignIn) error {
	page.Link, page.Password = b.providers[v.Provider].provider.Name, true
	page.Form = pages.Form{
		Action: "/link", CSRF: b.token(b.browserOf(w, r), "link", id), Hidden: []pages.Field{{Name: "id", Value: id}},
	}
	return b.pages.Write(w, status, page)
}

// link signs in with the password and gives the identity to that user.
func (b *Browser) link(w http.ResponseWriter, r *http.Request) error {
	id := r.PostForm.Get("id")
	if err := b.checkForm(r, "link", id); err != nil {
		return err
	}
	v, token, err := b.pending(r, id)
	if err != nil {
		return err
	}
	from := b.cfg.Address(r)
	if err := b.limit(r.Context(), "sign-in", from, signInRate()); err != nil {
		return err
	}
	email, password := r.PostForm.Get("email"), NewSecret(r.PostForm.Get("password"))
	first, err := b.cfg.Users.SignIn(r.Context(), Proof{Email: email, Password: password, From: from})
	if errors.Is(err, ErrCredentials) || password.IsZero() {
		return b.writeLink(w, r, http.StatusUnauthorized, id, v, pages.SignIn{Email: email, Problem: "E-mail or password is wrong."})
	}
	if err != nil {
		return err
	}
	session, err := b.cfg.Users.SignIn(r.Context(), Proof{
		Provider: v.Provider, IDToken: token, Nonce: v.Nonce, Session: first.Secret, Password: password, From: from,
	})
	b.endSession(r.Context(), first.Secret)
	if err != nil {
		return err
	}
	if err := b.cfg.Records.Delete(r.Context(), KindSignIn, id); err != nil {
		return fmt.Errorf("drop link: %w", err)
	}
	return b.signedIn(w, r, session, v.journey())
}
