// Package pull fetches customers, plans and invoices from an endpoint of the
// user's own (seed 001, pull mode) and puts them into a data source.
package pull

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

// Connection says where the rows of a data source are fetched from. It is kept
// as JSON in analytics.Source.Connection.
type Connection struct {
	Endpoint string   `json:"endpoint_url"`
	Auth     Auth     `json:"auth"`
	Types    []string `json:"types"`    // in the order of an import
	Schedule string   `json:"schedule"` // off, hourly or daily
}

// Auth is how requests to the endpoint show who they are from.
type Auth struct {
	Type   string `json:"type"`             // none, bearer, basic or header
	Name   string `json:"name,omitempty"`   // the user of basic, the name of a header
	Secret []byte `json:"secret,omitempty"` // sealed: the token, the password or the header's value
}

// The kinds of Auth.
const (
	authNone   = "none"
	authBearer = "bearer"
	authBasic  = "basic"
	authHeader = "header"
)

// types lists what can be fetched, in the order in which it must be stored:
// invoices name customers and plans.
func types() []string { return []string{"customers", "plans", "invoices"} }

// The schedules.
const (
	Off    = "off"
	Hourly = "hourly"
	Daily  = "daily"
)

// every is how often a schedule runs, 0 for never.
func every(schedule string) time.Duration {
	switch schedule {
	case Hourly:
		return time.Hour
	case Daily:
		return 24 * time.Hour
	default:
		return 0
	}
}

// ReadConnection returns the connection of a data source, nil when it has none.
func ReadConnection(source analytics.Source) (*Connection, error) {
	if len(source.Connection) == 0 {
		return nil, nil
	}
	c := &Connection{}
	if err := json.Unmarshal(source.Connection, c); err != nil {
		return nil, fmt.Errorf("read the connection of data source %s: %w", source.ID, err)
	}
	return c, nil
}

// Update changes the fields of a connection that are not nil.
type Update struct {
	Endpoint *string
	Auth     *Credentials
	Types    *[]string
	Schedule *string
}

// Empty reports whether the update changes nothing.
func (u Update) Empty() bool {
	return u.Endpoint == nil && u.Auth == nil && u.Types == nil && u.Schedule == nil
}

// Credentials are an Auth as the user states it.
type Credentials struct {
	Type                    string
	Token                   string
	Username, Password      string
	HeaderName, HeaderValue string
}

// Sealer keeps credentials unreadable in the store. *sealed.Box is one.
type Sealer interface {
	Seal(text []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
	Current(sealed []byte) bool // sealed with the secret that seals now
}

// Reseal seals the credentials of a connection, as a data source keeps it, with
// the secret that seals now. It returns nil when there is nothing to change, also
// when no secret opens them.
func Reseal(sealer Sealer, account, source string, connection []byte) ([]byte, error) {
	var c Connection
	if err := json.Unmarshal(connection, &c); err != nil {
		return nil, fmt.Errorf("read the connection of data source %s: %w", source, err)
	}
	if len(c.Auth.Secret) == 0 || sealer.Current(c.Auth.Secret) {
		return nil, nil
	}
	where := place(account, source, c.Endpoint)
	secret, err := sealer.Open(c.Auth.Secret, where)
	if err != nil {
		return nil, nil //nolint:nilerr // with the secret that is missing it can be read again
	}
	c.Auth.Secret = sealer.Seal(secret, where)
	return json.Marshal(c)
}

// place is what the credentials of a data source are sealed for. The origin is
// part of it: credentials never follow a URL to another host.
func place(account, source, endpoint string) string {
	return account + " " + source + " " + origin(endpoint)
}

// origin is scheme, host and port of a URL, the port always written out.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// editor applies updates to the connections of one data source.
type editor struct {
	account, source string
	outgoing        httpx.OutgoingConfig
	sealer          Sealer
	bad             []analytics.FieldError
}

func (e *editor) fail(field, message string) {
	e.bad = append(e.bad, analytics.FieldError{Field: field, Message: message})
}

// apply returns the connection after the update, or an *analytics.InvalidError.
// Credentials do not survive a new scheme, host or port of the endpoint.
func (e *editor) apply(old *Connection, u Update) (*Connection, error) {
	c := Connection{Auth: Auth{Type: authNone}, Types: types(), Schedule: Off}
	if old != nil {
		c = *old
	}
	if u.Endpoint != nil {
		if origin(*u.Endpoint) != origin(c.Endpoint) {
			c.Auth = Auth{Type: authNone}
		}
		c.Endpoint = e.endpoint(*u.Endpoint)
	}
	if c.Endpoint == "" && u.Endpoint == nil {
		e.fail("endpoint_url", "is required: the URL below which /customers, /plans and /invoices answer")
	}
	if u.Auth != nil {
		c.Auth = e.auth(c.Endpoint, *u.Auth)
	}
	if u.Types != nil {
		c.Types = e.types(*u.Types)
	}
	if u.Schedule != nil {
		if c.Schedule = *u.Schedule; !slices.Contains([]string{Off, Hourly, Daily}, c.Schedule) {
			e.fail("schedule", "must be off, hourly or daily")
		}
	}
	if len(e.bad) > 0 {
		return nil, &analytics.InvalidError{Fields: e.bad}
	}
	return &c, nil
}

const maxURLBytes = 2048

func (e *editor) endpoint(raw string) string {
	u, err := e.outgoing.CheckURL(raw)
	switch {
	case len(raw) > maxURLBytes:
		e.fail("endpoint_url", "must be at most 2048 bytes long")
	case err != nil:
		e.fail("endpoint_url", err.Error())
	case u.Fragment != "":
		e.fail("endpoint_url", "must not have a fragment")
	}
	return raw
}

func (e *editor) types(asked []string) []string {
	for _, name := range asked {
		if !slices.Contains(types(), name) {
			e.fail("types", fmt.Sprintf("has %q, which is not one of customers, plans and invoices", clip(name)))
			return nil
		}
	}
	chosen := slices.DeleteFunc(types(), func(name string) bool { return !slices.Contains(asked, name) })
	if len(chosen) == 0 {
		e.fail("types", "must name at least one of customers, plans and invoices")
	}
	return chosen
}

// headerName matches the names of RFC 9110 section 5.1.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")

// reserved are headers that the transport sets itself.
var reserved = []string{
	"Host", "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy-Connection",
	"Keep-Alive", "Accept-Encoding", "Cookie",
}

func (e *editor) auth(endpoint string, c Credentials) Auth {
	a := Auth{Type: c.Type}
	var secret, field string
	switch c.Type {
	case authNone:
		return a
	case authBearer:
		secret, field = c.Token, "auth.token"
	case authBasic:
		a.Name, secret, field = c.Username, c.Password, "auth.password"
		if a.Name == "" || strings.ContainsRune(a.Name, ':') || !printable(a.Name) {
			e.fail("auth.username", "is required, without a colon")
		}
	case authHeader:
		a.Name, secret, field = http.CanonicalHeaderKey(c.HeaderName), c.HeaderValue, "auth.header_value" //nolint:gosec // G101: the name of a field
		if !headerName.MatchString(c.HeaderName) || slices.Contains(reserved, a.Name) {
			e.fail("auth.header_name", "must be the name of a header that is free to use, such as X-Api-Key")
		}
	default:
		e.fail("auth.type", "must be none, bearer, basic or header")
		return a
	}
	if secret == "" && c.Type != authBasic || !printable(secret) || c.Type != authBasic && !ascii(secret) {
		e.fail(field, "is required: at most 4096 printable characters")
		return a
	}
	a.Secret = e.sealer.Seal([]byte(secret), place(e.account, e.source, endpoint))
	return a
}

const maxSecretBytes = 4096

// printable reports whether a text is short and free of control characters.
func printable(s string) bool {
	return len(s) <= maxSecretBytes && !strings.ContainsFunc(s, unicode.IsControl)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func clip(s string) string {
	const limit = 80
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
