package protocol

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AuthMethod is how a client proves at the token endpoint that it is itself.
type AuthMethod string

// The methods (RFC 7591 §2, RFC 7523 §2.2).
const (
	AuthNone          AuthMethod = "none" // a public client; PKCE binds its codes
	AuthSecretBasic   AuthMethod = "client_secret_basic"
	AuthSecretPost    AuthMethod = "client_secret_post"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
)

// UsesSecret reports whether the method needs a secret that server and client
// share.
func (m AuthMethod) UsesSecret() bool { return m == AuthSecretBasic || m == AuthSecretPost }

// AuthMethods lists the methods there are, the one without ceremony first.
func AuthMethods() []AuthMethod {
	return []AuthMethod{AuthNone, AuthSecretPost, AuthSecretBasic, AuthPrivateKeyJWT}
}

const (
	maxRedirectURIs = 32
	// maxRedirectBytes bounds them together: strangers register, and all that is
	// kept of a client has to be small.
	maxRedirectBytes = 4 << 10
	maxClientName    = 200 // runes
)

// ClientMetadata describes a client as it took effect: what it registered, or
// what its metadata document says, without what the product does not use.
type ClientMetadata struct {
	// Name is what the client calls itself; "" when it did not say. It is free
	// text and proves nothing.
	Name string `json:"client_name,omitempty"`
	// RedirectURIs has at least one element; all passed CheckRedirectURI.
	RedirectURIs []string `json:"redirect_uris"`
	// GrantTypes always has authorization_code.
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	// AuthMethod is the one the client prefers.
	AuthMethod AuthMethod `json:"token_endpoint_auth_method"`
	// AuthMethods are all that the client may use, AuthMethod among them.
	AuthMethods []AuthMethod `json:"token_endpoint_auth_methods_supported,omitempty"`
	// JWKSURI is where the client publishes its keys, for private_key_jwt.
	JWKSURI         string `json:"jwks_uri,omitempty"`
	Scope           string `json:"scope,omitempty"`
	ApplicationType string `json:"application_type,omitempty"` // web or native
	SoftwareID      string `json:"software_id,omitempty"`
	SoftwareVersion string `json:"software_version,omitempty"`
}

// MayUse reports whether the client may authenticate with a method.
func (m *ClientMetadata) MayUse(method AuthMethod) bool {
	if slices.Contains(m.AuthMethods, method) {
		return true
	}
	// Which of the two forms carries a secret is no matter of security, and
	// libraries choose on their own.
	return m.AuthMethod == method || m.AuthMethod.UsesSecret() && method.UsesSecret()
}

// LocalOnly reports whether every redirect URI leads to this machine: then
// nobody can tell one local program from another that claims its name.
func (m *ClientMetadata) LocalOnly() bool {
	return !slices.ContainsFunc(m.RedirectURIs, func(uri string) bool {
		kind, _ := RedirectTarget(uri)
		return kind == RedirectWeb
	})
}

// clientDocument is client metadata as it is sent. Members that are null or of
// no use are absent; unknown ones are ignored (RFC 7591 §2).
type clientDocument struct {
	ClientID      *string  `json:"client_id"`
	ClientSecret  any      `json:"client_secret"`
	SecretExpires any      `json:"client_secret_expires_at"`
	Name          *string  `json:"client_name"`
	RedirectURIs  []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	AuthMethod    *string  `json:"token_endpoint_auth_method"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	JWKSURI       *string  `json:"jwks_uri"`
	Scope         *string  `json:"scope"`
	// The rest is repeated to the client and used for nothing, so any value will do.
	ApplicationType any `json:"application_type"`
	SoftwareID      any `json:"software_id"`
	SoftwareVersion any `json:"software_version"`
}

// metadata checks the members that registration and metadata documents share.
// How the client authenticates is left to the caller.
func (d *clientDocument) metadata() (*ClientMetadata, *Error) {
	m := &ClientMetadata{
		RedirectURIs: d.RedirectURIs, ResponseTypes: []string{"code"}, Scope: AskedScope(text(d.Scope)).String(),
		SoftwareID: echo(d.SoftwareID), SoftwareVersion: echo(d.SoftwareVersion),
	}
	if len(d.RedirectURIs) == 0 || len(d.RedirectURIs) > maxRedirectURIs {
		return nil, &Error{Code: InvalidRedirectURI, Description: "redirect_uris must have 1 to " + strconv.Itoa(maxRedirectURIs) + " elements"}
	}
	total := 0
	for _, uri := range d.RedirectURIs {
		if err := CheckRedirectURI(uri); err != nil {
			return nil, err
		}
		total += len(uri)
	}
	if total > maxRedirectBytes {
		return nil, &Error{Code: InvalidRedirectURI, Description: "redirect_uris must have at most " + strconv.Itoa(maxRedirectBytes) + " characters together"}
	}
	name, err := cleanName(text(d.Name))
	if err != nil {
		return nil, err
	}
	m.Name = name
	if m.GrantTypes, err = grantTypes(d.GrantTypes); err != nil {
		return nil, err
	}
	if len(d.ResponseTypes) > 0 && !slices.Contains(d.ResponseTypes, "code") {
		return nil, badMetadata("response_types must have code")
	}
	if kind := echo(d.ApplicationType); kind == "web" || kind == "native" {
		m.ApplicationType = kind
	}
	return m, nil
}

// grantTypes keeps those that exist here; none means authorization_code
// (RFC 7591 §2).
func grantTypes(asked []string) ([]string, *Error) {
	if len(asked) == 0 {
		return []string{"authorization_code"}, nil
	}
	if !slices.Contains(asked, "authorization_code") {
		return nil, badMetadata("grant_types must have authorization_code")
	}
	kept := []string{"authorization_code"}
	if slices.Contains(asked, "refresh_token") {
		kept = append(kept, "refresh_token")
	}
	return kept, nil
}

// setJWKS takes the place of the client's keys; required says that the client
// has no other way to authenticate.
func (m *ClientMetadata) setJWKS(uri string, required bool) *Error {
	if uri == "" {
		if required {
			return badMetadata("jwks_uri is needed for private_key_jwt; inline keys are not read")
		}
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || len(uri) > maxURI || u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.Contains(uri, "#") || strings.ContainsFunc(uri, notURIChar) {
		return badMetadata("jwks_uri must be an https URL without user and fragment")
	}
	m.JWKSURI = uri
	return nil
}

// cleanName returns a name as it can be shown on one line, in the order in which
// its letters stand.
func cleanName(name string) (string, *Error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxClientName || strings.ContainsFunc(name, misleading) {
		return "", badMetadata("client_name must have at most " + strconv.Itoa(maxClientName) + " characters, without control characters")
	}
	return name, nil
}

// misleading finds characters that break a line, hide, or turn the direction of
// writing: with them a name could show as another.
func misleading(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == '\u200b' || r == '\ufeff'
}

func badMetadata(description string) *Error {
	return &Error{Code: InvalidClientMetadata, Description: description}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// echo returns a value that may be repeated: a short printable text.
func echo(value any) string {
	s, ok := value.(string)
	if !ok || len(s) > maxClientName || !utf8.ValidString(s) || strings.ContainsFunc(s, misleading) {
		return ""
	}
	return s
}
