package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// BrowserConfig is what the pages need. All fields are required unless they say
// otherwise.
type BrowserConfig struct {
	Grants   BrowserGrants
	Records  Records
	Users    Users
	Clients  ClientDirectory
	Limits   RateLimits
	Keys     *Keyring
	Protocol protocol.Authorize // its issuer is the public URL

	// Providers are the sign-in providers whose secrets this server holds. Only
	// those that the API also accepts are offered. May be nil.
	Providers []Provider
	// HTTP calls the providers.
	HTTP *http.Client
	// Address returns the address of the browser behind a request.
	Address func(*http.Request) netip.Addr

	APIURL   string        // origin of the REST API, for the landing page
	Version  string        // of the product, for the landing page
	ReadOnly bool          // the server offers and accepts reads alone
	IdleLife time.Duration // after which an unused connection ends
	// KeysOnly says that the API has no users: there is a landing page and nothing
	// else, and Grants, Records, Users, Clients, Limits and Keys may be nil.
	KeysOnly bool

	Audit  Audit
	Logger *slog.Logger
	Now    func() time.Time
}

// BrowserGrants is what the pages need of Grants.
type BrowserGrants interface {
	IssueCode(ctx context.Context, r CodeRequest) (Secret, error)
	Connections(ctx context.Context, user string) ([]Connection, error)
	RevokeFamily(ctx context.Context, user string, id FamilyID, e Ending) (Revoked, error)
	RevokeAll(ctx context.Context, user string, e Ending) (Revoked, error)
}

// ClientDirectory finds clients, registered ones and those with a metadata
// document.
type ClientDirectory interface {
	// Client returns a client, ErrNotFound for one that nobody knows, or a
	// *protocol.Error for one whose metadata cannot be used.
	Client(ctx context.Context, id string) (*Client, error)
}

// Browser serves the pages of the authorization server: sign-in, consent,
// connections and the landing page. It keeps nothing in memory.
type Browser struct {
	cfg       BrowserConfig
	pages     *pages.Renderer
	issuer    *url.URL
	cookies   cookies
	providers map[string]*relyingParty
	crossSite *http.CrossOriginProtection
}

// NewBrowser returns the pages, or an error about the setting that is wrong.
func NewBrowser(cfg BrowserConfig) (*Browser, error) {
	renderer, err := pages.New()
	if err != nil {
		return nil, err
	}
	issuer, err := url.Parse(cfg.Protocol.Resources.Issuer())
	if err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	b := &Browser{
		cfg: cfg, pages: renderer, issuer: issuer, cookies: newCookies(issuer),
		providers: map[string]*relyingParty{}, crossSite: http.NewCrossOriginProtection(),
	}
	// Browsers that do not say where a request comes from are held to its Origin,
	// which a proxy may have made unlike the Host.
	if err := b.crossSite.AddTrustedOrigin(issuer.String()); err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	for _, p := range cfg.Providers {
		b.providers[p.ID] = newRelyingParty(p, issuer, cfg.HTTP)
	}
	return b, nil
}

// pageHandler answers a request with a page or a redirect, or returns an error
// before it has written anything.
type pageHandler func(w http.ResponseWriter, r *http.Request) error

// Register mounts every page but the landing page, with all methods: nothing
// else answers at their paths.
func (b *Browser) Register(mux *http.ServeMux) {
	inner := http.NewServeMux()
	for pattern, h := range map[string]pageHandler{
		"GET " + PathAuthorize:          b.authorize,
		"GET /consent":                  b.showConsent,
		"POST /consent":                 b.decide,
		"GET /sign-in":                  b.showSignIn,
		"POST /sign-in":                 b.signIn,
		"POST /sign-in/{provider}":      b.startProvider,
		"GET /sign-up":                  b.showSignUp,
		"POST /sign-up":                 b.signUp,
		"GET /auth/callback/{provider}": b.finishProvider,
		"GET /invitation":               b.showInvitation,
		"POST /invitation":              b.accept,
		"GET " + joinedPath:             b.showJoined,
		"GET /link":                     b.showLink,
		"POST /link":                    b.link,
		"POST /sign-out":                b.signOut,
		"GET /connections":              b.showConnections,
		"GET /settings/integrations":    b.showConnections,
		"GET /connections/revoke":       b.showRevoke,
		"POST /connections/revoke":      b.revoke,
		"GET /password":                 b.showPassword,
		"POST /password":                b.changePassword,
		"/":                             b.notFound,
	} {
		inner.Handle(pattern, b.handle(h))
	}
	for _, path := range []string{
		PathAuthorize, "/consent", "/sign-in", "/sign-in/", "/sign-up", "/auth/callback/", "/invitation", joinedPath, "/link", "/sign-out",
		"/connections", "/connections/", "/settings/integrations", "/password",
	} {
		mux.Handle(path, inner)
	}
}

func (b *Browser) notFound(w http.ResponseWriter, _ *http.Request) error {
	return b.pages.Write(w, http.StatusNotFound, pages.NotFound())
}

// Landing shows how to connect clients to this server.
func (b *Browser) Landing() http.Handler {
	return b.handle(func(w http.ResponseWriter, _ *http.Request) error {
		return b.pages.Write(w, http.StatusOK, pages.Landing{
			URL: b.cfg.Protocol.Resources.Issuer(), APIURL: b.cfg.APIURL, OAuth: !b.cfg.KeysOnly,
			Local: b.cfg.Protocol.Resources.Loopback(), Version: b.cfg.Version,
		})
	})
}

// WantsPage reports whether a request for / comes from somebody who reads
// pages, rather than from an MCP client.
func WantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		slices.ContainsFunc(r.Header["Accept"], func(accept string) bool { return strings.Contains(accept, "text/html") })
}

// handle runs the checks that all pages share, and turns errors into pages.
func (b *Browser) handle(h pageHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := b.serve(w, r, h); err != nil {
			b.fail(w, r, err)
		}
	})
}

func (b *Browser) serve(w http.ResponseWriter, r *http.Request, h pageHandler) error {
	switch origin, ours := b.cfg.Protocol.Resources.Origin(r.Host); {
	case !ours:
		return b.pages.Write(w, http.StatusMisdirectedRequest, pages.NotFound())
	case origin != b.cfg.Protocol.Resources.Issuer():
		return b.moveHost(w, r)
	}
	// Cookies ignore ports, so that a program on another port of this machine is
	// same-site: only same-origin will do.
	if err := b.crossSite.Check(r); err != nil {
		return errForeignForm
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxPageForm)
		if err := r.ParseForm(); err != nil {
			return errForeignForm
		}
	}
	return h(w, r)
}

// maxPageForm bounds a form of ours in bytes.
const maxPageForm = 64 << 10

// moveHost leads from another name of this server to its public one, so that
// cookies have one host. A form is not repeated there.
func (b *Browser) moveHost(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errForeignForm
	}
	target := url.URL{Scheme: b.issuer.Scheme, Host: b.issuer.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	return b.redirect(w, target.String())
}

// redirect sends the browser on with GET (RFC 9700 §4.12: never 307).
func (b *Browser) redirect(w http.ResponseWriter, location string) error {
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "same-origin")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// What ends a request with a page of its own.
var (
	errForeignForm = errors.New("the form is not ours")
	errExpired     = errors.New("the transaction is gone")
)

// fail answers with the page for an error. Only outages and faults of ours are
// logged: the rest is what people and programs do.
func (b *Browser) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, notice := b.noticeFor(r.Context(), err)
	var wait *WaitError
	switch {
	case errors.As(err, &wait):
		retryAfter(w.Header(), wait.Wait)
	case status == http.StatusServiceUnavailable:
		retryAfter(w.Header(), retryIn)
		b.cfg.Logger.WarnContext(r.Context(), "page could not be served", "path", r.URL.Path, "error", err, "request_id", httpx.RequestID(r.Context()))
	case status == http.StatusInternalServerError && r.Context().Err() == nil: // whoever has left sees no error
		b.cfg.Logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err, "request_id", httpx.RequestID(r.Context()))
	}
	if err := b.pages.Write(w, status, notice); err != nil {
		b.cfg.Logger.ErrorContext(r.Context(), "error page failed", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (b *Browser) noticeFor(ctx context.Context, err error) (int, pages.Notice) {
	var wait *WaitError
	var refused *RefusedError
	switch {
	case errors.Is(err, errForeignForm):
		return http.StatusForbidden, pages.ForeignForm()
	case errors.Is(err, errExpired):
		return http.StatusBadRequest, pages.Expired()
	case errors.Is(err, ErrInvitationOver):
		return http.StatusNotFound, pages.InvitationOver()
	case errors.Is(err, ErrSignUpDisabled):
		return http.StatusNotFound, pages.NotFound()
	case errors.As(err, &wait):
		return http.StatusTooManyRequests, pages.TooMany(wait.Wait)
	case errors.As(err, &refused):
		return http.StatusBadRequest, pages.Refused(refused.Message)
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrFull):
		return http.StatusServiceUnavailable, pages.Unavailable()
	default:
		return http.StatusInternalServerError, pages.Failed(httpx.RequestID(ctx))
	}
}

// limit counts an event against the network of a browser.
func (b *Browser) limit(ctx context.Context, what string, from netip.Addr, rate Rate) error {
	wait, err := b.cfg.Limits.Take(ctx, what+":"+Bucket(from), rate)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &WaitError{Wait: wait}
	}
	return nil
}
