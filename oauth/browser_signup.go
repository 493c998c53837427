package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// signUpPath is the page where somebody without a user makes one on the journey.
// Who is invited joins on the invitation's page instead.
func (j journey) signUpPath() string {
	if j.tx != "" {
		return "/sign-up?tx=" + url.QueryEscape(j.tx)
	}
	return "/sign-up?next=" + url.QueryEscape(j.next)
}

// signUpPurpose is what a sign-up form of the journey is for.
func (j journey) signUpPurpose() []string { return []string{"sign-up", j.tx, j.next} }

func (b *Browser) showSignUp(w http.ResponseWriter, r *http.Request) error {
	j := journeyOf(r.URL.Query())
	if j.invitation != "" {
		return b.redirect(w, j.signInPath())
	}
	return b.writeSignUp(w, r, http.StatusOK, j, pages.SignUp{})
}

// writeSignUp completes and writes the sign-up page, or ErrSignUpDisabled.
func (b *Browser) writeSignUp(w http.ResponseWriter, r *http.Request, status int, j journey, page pages.SignUp) error {
	methods, err := b.cfg.Users.Methods(r.Context())
	if err != nil {
		return err
	}
	if !methods.SignUp {
		return ErrSignUpDisabled
	}
	if page.For, err = b.clientOf(r, j); err != nil {
		return err
	}
	page.SignIn = j.signInPath()
	page.Form = pages.Form{Action: "/sign-up", CSRF: b.token(b.browserOf(w, r), j.signUpPurpose()...), Hidden: j.fields()}
	return b.pages.Write(w, status, page)
}

// signUp makes a user with an account and goes on as after signing in.
func (b *Browser) signUp(w http.ResponseWriter, r *http.Request) error {
	j := journeyOf(r.PostForm)
	if err := b.checkForm(r, j.signUpPurpose()...); err != nil {
		return err
	}
	from := b.cfg.Address(r)
	if err := b.limit(r.Context(), "sign-in", from, signInRate()); err != nil {
		return err
	}
	n := NewUser{
		Email: strings.TrimSpace(r.PostForm.Get("email")), Password: NewSecret(r.PostForm.Get("password")),
		FirstName: r.PostForm.Get("first_name"), LastName: r.PostForm.Get("last_name"), Account: r.PostForm.Get("account_name"), From: from,
	}
	session, err := b.cfg.Users.SignUp(r.Context(), n)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return b.writeSignUp(w, r, http.StatusBadRequest, j, pages.SignUp{
			Account: n.Account, FirstName: n.FirstName, LastName: n.LastName, Email: n.Email, Problem: refused.Message, Wrong: refused.Field,
		})
	}
	if err != nil {
		return err
	}
	return b.signedIn(w, r, session, j)
}
