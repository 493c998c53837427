package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// signInRate bounds the attempts of one network; the API bounds those against
// one user.
func signInRate() Rate { return Rate{Burst: 30, Interval: 10 * time.Second} }

// user returns who is signed in, or ErrSessionOver.
func (b *Browser) user(r *http.Request) (User, error) {
	session := b.sessionOf(r)
	if session.IsZero() {
		return User{}, ErrSessionOver
	}
	return b.cfg.Users.User(r.Context(), session)
}

// journey is where somebody goes after signing in: on with a transaction, or to
// a page of ours.
type journey struct {
	tx         string
	invitation string // to accept on the way
	next       string
}

// journeyOf reads a journey from a query or form. Whatever is not a page of ours
// becomes the connections page.
func journeyOf(values url.Values) journey {
	if tx := values.Get("tx"); tx != "" {
		return journey{tx: tx}
	}
	if invitation := values.Get("invitation"); invitation != "" {
		return journey{invitation: invitation}
	}
	next := values.Get("next")
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !nextPage(u.Path) {
		return journey{next: "/connections"}
	}
	return journey{next: u.RequestURI()}
}

func nextPage(path string) bool {
	return path == "/connections" || path == "/connections/revoke" || path == "/password"
}

// purpose is what a sign-in form of the journey is for.
func (j journey) purpose() []string { return []string{"sign-in", j.tx, j.invitation, j.next} }

// fields are the journey as hidden fields.
func (j journey) fields() []pages.Field {
	switch {
	case j.tx != "":
		return []pages.Field{{Name: "tx", Value: j.tx}}
	case j.invitation != "":
		return []pages.Field{{Name: "invitation", Value: j.invitation}}
	}
	return []pages.Field{{Name: "next", Value: j.next}}
}

// target is where it leads.
func (j journey) target() string {
	switch {
	case j.tx != "":
		return "/consent?tx=" + url.QueryEscape(j.tx)
	case j.invitation != "":
		return joinedPath
	}
	return j.next
}

// signInPath is the sign-in page that leads on to the journey's target.
func (j journey) signInPath() string {
	switch {
	case j.tx != "":
		return "/sign-in?tx=" + url.QueryEscape(j.tx)
	case j.invitation != "":
		return "/invitation?token=" + url.QueryEscape(j.invitation)
	}
	return "/sign-in?next=" + url.QueryEscape(j.next)
}

func (b *Browser) showSignIn(w http.ResponseWriter, r *http.Request) error {
	return b.writeSignIn(w, r, http.StatusOK, journeyOf(r.URL.Query()), pages.SignIn{})
}

// writeSignIn completes and writes the sign-in page.
func (b *Browser) writeSignIn(w http.ResponseWriter, r *http.Request, status int, j journey, page pages.SignIn) error {
	var err error
	if page.For, err = b.clientOf(r, j); err != nil {
		return err
	}
	methods, err := b.cfg.Users.Methods(r.Context())
	if err != nil {
		return err
	}
	if methods.SignUp {
		page.SignUp = j.signUpPath()
	}
	page.Password = methods.Password
	page.Providers = b.offer(methods)
	page.Form = pages.Form{Action: "/sign-in", CSRF: b.token(b.browserOf(w, r), j.purpose()...), Hidden: j.fields()}
	return b.pages.Write(w, status, page)
}

// clientOf describes the app whose transaction the journey is; nil for none.
func (b *Browser) clientOf(r *http.Request, j journey) (*pages.Client, error) {
	if j.tx == "" {
		return nil, nil //nolint:nilnil // no transaction has no client
	}
	t, err := b.transaction(r, j.tx)
	if err != nil {
		return nil, err
	}
	client := t.client()
	return &client, nil
}

// offer lists the providers that the API accepts and this server can ask.
func (b *Browser) offer(methods SignInMethods) []pages.Provider {
	var offered []pages.Provider
	for _, p := range methods.Providers {
		if _, ok := b.providers[p.ID]; ok {
			offered = append(offered, pages.Provider{Label: p.Name, Icon: p.ID, Action: "/sign-in/" + url.PathEscape(p.ID)})
		}
	}
	return offered
}

// signIn checks e-mail and password.
func (b *Browser) signIn(w http.ResponseWriter, r *http.Request) error {
	j := journeyOf(r.PostForm)
	if err := b.checkForm(r, j.purpose()...); err != nil {
		return err
	}
	email := strings.TrimSpace(r.PostForm.Get("email"))
	again := func(status int, problem string) error {
		return b.writeSignIn(w, r, status, j, pages.SignIn{Email: email, Problem: problem})
	}
	if email == "" || r.PostForm.Get("password") == "" {
		return again(http.StatusBadRequest, "Type both your e-mail address and your password.")
	}
	from := b.cfg.Address(r)
	if err := b.limit(r.Context(), "sign-in", from, signInRate()); err != nil {
		return err
	}
	session, err := b.cfg.Users.SignIn(r.Context(), Proof{Email: email, Password: NewSecret(r.PostForm.Get("password")), From: from})
	var refused *RefusedError
	switch {
	case errors.Is(err, ErrCredentials):
		return again(http.StatusUnauthorized, "E-mail or password is wrong.")
	case errors.As(err, &refused):
		return again(http.StatusBadRequest, refused.Message)
	case err != nil:
		return err
	}
	return b.signedIn(w, r, session, j)
}

// signedIn puts a new session in the place of the browser's old one and leads on.
func (b *Browser) signedIn(w http.ResponseWriter, r *http.Request, s Session, j journey) error {
	if old := b.sessionOf(r); !old.IsZero() {
		b.endSession(r.Context(), old)
	}
	b.setSession(w, s)
	if j.tx != "" {
		if err := b.noteSignIn(r, j.tx); err != nil {
			return err
		}
	}
	return b.redirect(w, j.target())
}

// noteSignIn remembers that who goes on with a transaction has signed in for it.
func (b *Browser) noteSignIn(r *http.Request, tx string) error {
	t, err := b.transaction(r, tx)
	if err != nil {
		return err
	}
	if !t.SignIn {
		return nil
	}
	t.SignIn = false
	if err := b.save(r.Context(), t); err != nil && !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// endSession ends a session that nobody uses any more. If the API does not
// answer, it ends by itself.
func (b *Browser) endSession(ctx context.Context, session Secret) {
	if err := b.cfg.Users.SignOut(ctx, session); err != nil {
		b.cfg.Logger.WarnContext(ctx, "session not ended", "error", err)
	}
}

// signOut ends the session. The form is in the head of every page, so its token
// has no other purpose.
func (b *Browser) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := b.checkForm(r, "sign-out"); err != nil {
		return err
	}
	if session := b.sessionOf(r); !session.IsZero() {
		if err := b.cfg.Users.SignOut(r.Context(), session); err != nil {
			return err
		}
	}
	b.dropSession(w)
	return b.pages.Write(w, http.StatusOK, pages.SignedOut())
}

// head is what the head of a page shows of who is signed in.
func (b *Browser) head(w http.ResponseWriter, r *http.Request, u User) pages.Session {
	return pages.Session{User: u.Email, CSRF: b.token(b.browserOf(w, r), "sign-out")}
}

// signedInUser returns who is signed in; when nobody is, it has led to the
// sign-in page and done is true.
func (b *Browser) signedInUser(w http.ResponseWriter, r *http.Request, j journey) (u User, done bool, err error) {
	u, err = b.user(r)
	if errors.Is(err, ErrSessionOver) {
		return User{}, true, b.redirect(w, j.signInPath())
	}
	return u, false, err
}
