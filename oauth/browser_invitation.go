package oauth

import (
	"errors"
	"net/http"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// maxInvitation bounds the secret of a link in bytes.
const maxInvitation = 200

func (b *Browser) showInvitation(w http.ResponseWriter, r *http.Request) error {
	return b.writeInvitation(w, r, http.StatusOK, r.URL.Query().Get("token"), pages.Invitation{})
}

// writeInvitation completes and writes the page of an invitation.
func (b *Browser) writeInvitation(w http.ResponseWriter, r *http.Request, status int, secret string, page pages.Invitation) error {
	if secret == "" || len(secret) > maxInvitation {
		return ErrInvitationOver
	}
	if err := b.limit(r.Context(), "invitation", b.cfg.Address(r), signInRate()); err != nil {
		return err
	}
	i, err := b.cfg.Users.Invitation(r.Context(), NewSecret(secret))
	if err != nil {
		return err
	}
	page.Account, page.Email, page.Role, page.New = i.Account, i.Email, pages.RoleName(i.Role), i.New
	methods, err := b.cfg.Users.Methods(r.Context())
	if err != nil {
		return err
	}
	page.Providers = b.offer(methods)
	j := journey{invitation: secret}
	browser := b.browserOf(w, r)
	page.ProviderForm = pages.Form{CSRF: b.token(browser, j.purpose()...), Hidden: j.fields()}
	page.Form = pages.Form{
		Action: "/invitation", CSRF: b.token(browser, "invitation", secret), Hidden: []pages.Field{{Name: "invitation", Value: secret}},
	}
	return b.pages.Write(w, status, page)
}

// accept joins with a password: a new one, or that of the user who is invited.
func (b *Browser) accept(w http.ResponseWriter, r *http.Request) error {
	secret := r.PostForm.Get("invitation")
	if err := b.checkForm(r, "invitation", secret); err != nil {
		return err
	}
	from := b.cfg.Address(r)
	if err := b.limit(r.Context(), "sign-in", from, signInRate()); err != nil {
		return err
	}
	proof := Proof{
		Invitation: NewSecret(secret), Password: NewSecret(r.PostForm.Get("password")),
		FirstName: r.PostForm.Get("first_name"), LastName: r.PostForm.Get("last_name"), From: from,
	}
	session, err := b.cfg.Users.SignIn(r.Context(), proof)
	again := pages.Invitation{FirstName: proof.FirstName, LastName: proof.LastName}
	var refused *RefusedError
	switch {
	case errors.Is(err, ErrCredentials):
		again.Problem = "The password is wrong."
		return b.writeInvitation(w, r, http.StatusUnauthorized, secret, again)
	case errors.As(err, &refused):
		again.Problem = refused.Message
		return b.writeInvitation(w, r, http.StatusBadRequest, secret, again)
	case err != nil:
		return err
	}
	return b.signedIn(w, r, session, journey{next: joinedPath})
}

// joinedPath welcomes those who have just joined.
const joinedPath = "/invitation/joined"

func (b *Browser) showJoined(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: "/connections"})
	if done || err != nil {
		return err
	}
	return b.pages.Write(w, http.StatusOK, pages.Joined(b.head(w, r, u)))
}
