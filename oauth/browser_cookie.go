package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookies names the two cookies of this server. The browser cookie exists before
// anybody has signed in and says only that two requests come from one browser.
type cookies struct {
	session, browser string
	secure           bool
}

// newCookies follows the public URL, never the request. Without https there is
// no __Host- prefix, and since cookies ignore ports the name says which server
// of this machine it belongs to.
func newCookies(issuer *url.URL) cookies {
	if issuer.Scheme == "https" {
		return cookies{session: "__Host-gp_session", browser: "__Host-gp_browser", secure: true}
	}
	port := issuer.Port()
	if port == "" {
		port = "80"
	}
	return cookies{session: "gp_session_" + port, browser: "gp_browser_" + port}
}

// set gives the browser a cookie; a maxAge of 0 keeps it until the browser closes,
// a negative one takes it away. It is Lax, because the way back from a sign-in
// provider is cross-site, and not Secure on plain http, where browsers would drop
// it: that is this machine.
func (c cookies) set(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	seconds := int(maxAge / time.Second)
	if maxAge < 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure follows the public URL
		Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// read returns a cookie's value, "" when it is missing, or there twice: then
// somebody else may have set one of them.
func read(r *http.Request, name string) string {
	if all := r.CookiesNamed(name); len(all) == 1 {
		return all[0].Value
	}
	return ""
}

// sessionOf returns the session that a browser carries; the zero Secret when
// there is none.
func (b *Browser) sessionOf(r *http.Request) Secret {
	value := read(r, b.cookies.session)
	if len(value) > maxCookie {
		return Secret{}
	}
	return NewSecret(value)
}

// maxCookie bounds a value of ours in bytes.
const maxCookie = 256

func (b *Browser) setSession(w http.ResponseWriter, s Session) {
	b.cookies.set(w, b.cookies.session, s.Secret.Reveal(), max(0, s.ExpiresAt.Sub(b.cfg.Now())))
}

func (b *Browser) dropSession(w http.ResponseWriter) { b.cookies.set(w, b.cookies.session, "", -1) }

// browserOf returns what tells this browser from others, and gives it one when
// it has none.
func (b *Browser) browserOf(w http.ResponseWriter, r *http.Request) string {
	if value, ok := b.knownBrowser(r); ok {
		return value
	}
	value := randomText()
	b.cookies.set(w, b.cookies.browser, value, 0)
	// For the next who asks while this request is served.
	r.AddCookie(&http.Cookie{Name: b.cookies.browser, Value: value}) //nolint:gosec // G124: it is of the request
	return value
}

func (b *Browser) knownBrowser(r *http.Request) (string, bool) {
	value := read(r, b.cookies.browser)
	return value, len(value) == base64.RawURLEncoding.EncodedLen(randomBytes)
}

// browserHash is what records keep of the browser cookie.
func browserHash(browser string) string {
	sum := sha256.Sum256([]byte(browser))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const randomBytes = 32

// randomText has 256 random bits in base64url.
func randomText() string {
	var raw [randomBytes]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program first
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// formToken proves that a form of ours for this purpose was shown to this
// browser. The parts must not be chosen so that two purposes read the same; ids
// have no null character.
func (b *Browser) formToken(key []byte, browser string, purpose ...string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(browser + "\x00" + strings.Join(purpose, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// token returns the token for a form that is shown now.
func (b *Browser) token(browser string, purpose ...string) string {
	return b.formToken(b.cfg.Keys.Derive(PurposeCSRF)[0], browser, purpose...)
}

// checkForm refuses a form that this browser was not shown for this purpose.
func (b *Browser) checkForm(r *http.Request, purpose ...string) error {
	browser, ok := b.knownBrowser(r)
	if !ok {
		return errForeignForm
	}
	for _, key := range b.cfg.Keys.Derive(PurposeCSRF) {
		if hmac.Equal([]byte(r.PostForm.Get("csrf")), []byte(b.formToken(key, browser, purpose...))) {
			return nil
		}
	}
	return errForeignForm
}
