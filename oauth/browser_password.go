package oauth

import (
	"errors"
	"net/http"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

func (b *Browser) showPassword(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: "/password"})
	if done || err != nil {
		return err
	}
	return b.writePassword(w, r, http.StatusOK, u, "")
}

func (b *Browser) writePassword(w http.ResponseWriter, r *http.Request, status int, u User, problem string) error {
	return b.pages.Write(w, status, pages.Password{
		Session: b.head(w, r, u), Problem: problem,
		Form: pages.Form{Action: "/password", CSRF: b.token(b.browserOf(w, r), "password", u.ID)},
	})
}

// changePassword ends every session of the user; this browser gets a new one.
func (b *Browser) changePassword(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: "/password"})
	if done || err != nil {
		return err
	}
	if err := b.checkForm(r, "password", u.ID); err != nil {
		return err
	}
	from := b.cfg.Address(r)
	if err := b.limit(r.Context(), "sign-in", from, signInRate()); err != nil {
		return err
	}
	disconnect := r.PostForm.Get("disconnect") == "yes"
	session, err := b.cfg.Users.ChangePassword(r.Context(), PasswordChange{
		Session: b.sessionOf(r), Old: NewSecret(r.PostForm.Get("current")), New: NewSecret(r.PostForm.Get("new")),
		Disconnect: disconnect, From: from,
	})
	var refused *RefusedError
	switch {
	case errors.Is(err, ErrCredentials):
		return b.writePassword(w, r, http.StatusUnauthorized, u, "The current password is wrong.")
	case errors.As(err, &refused):
		return b.writePassword(w, r, http.StatusBadRequest, u, refused.Message)
	case err != nil:
		return err
	}
	b.setSession(w, session)
	if disconnect {
		if _, err := b.cfg.Grants.RevokeAll(r.Context(), u.ID, Ending{Reason: ReasonUser}); err != nil {
			return err
		}
	}
	return b.pages.Write(w, http.StatusOK, pages.PasswordChanged(disconnect))
}
