package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// assertionJWT is the client_assertion_type of private_key_jwt (RFC 7523 §2.2).
const assertionJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Credentials are what a client presents about itself at the token endpoint and
// its kin. They prove nothing until they are checked.
type Credentials struct {
	// ClientID may be empty with an assertion, which then names the client.
	ClientID string
	// Method is how the client authenticates; AuthNone when it does not.
	Method AuthMethod
	// Header says that they came in the Authorization header, so that a failure
	// must name a challenge (RFC 6749 §5.2).
	Header bool
	// A pointer, because fmt prints the fields of an enclosing value.
	secret *string
}

// SecretIs reports in constant time whether the presented secret has this
// SHA-256. A secret of 256 random bits cannot be guessed from its hash.
func (c Credentials) SecretIs(hash [sha256.Size]byte) bool {
	if c.secret == nil || !c.Method.UsesSecret() {
		return false
	}
	got := sha256.Sum256([]byte(*c.secret))
	return subtle.ConstantTimeCompare(got[:], hash[:]) == 1
}

// Assertion is the JWT of private_key_jwt, "" without one.
func (c Credentials) Assertion() string {
	if c.secret == nil || c.Method != AuthPrivateKeyJWT {
		return ""
	}
	return *c.secret
}

// ReadCredentials finds the one way in which a request authenticates its client
// (RFC 6749 §2.3: not more than one per request). The errors are *Error.
func ReadCredentials(header http.Header, p Params) (Credentials, error) {
	all := header["Authorization"]
	if len(all) > 1 {
		return Credentials{}, invalidRequest("the Authorization header may be sent once")
	}
	if len(all) == 0 {
		return bodyCredentials(p)
	}
	if p.Has("client_secret") || p.Has("client_assertion") {
		return Credentials{}, invalidRequest("a request authenticates its client in one way, not in two")
	}
	c, ok := basicCredentials(all[0])
	if !ok {
		return Credentials{Header: true}, &Error{Code: InvalidClient, Description: "the Authorization header must be Basic with client_id and client_secret"}
	}
	if p.Has("client_id") && p.Get("client_id") != c.ClientID {
		return Credentials{}, invalidRequest("client_id differs from the Authorization header")
	}
	return c, nil
}

// basicCredentials reads HTTP Basic, whose two parts are form-encoded first
// (RFC 6749 §2.3.1).
func basicCredentials(header string) (Credentials, bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return Credentials{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
	if err != nil {
		return Credentials{}, false
	}
	user, password, found := strings.Cut(string(raw), ":")
	id, idErr := url.QueryUnescape(user)
	secret, secretErr := url.QueryUnescape(password)
	if !found || idErr != nil || secretErr != nil || id == "" {
		return Credentials{}, false
	}
	c := Credentials{ClientID: id, Method: AuthSecretBasic, Header: true, secret: &secret}
	if secret == "" {
		c.Method, c.secret = AuthNone, nil // libraries send public clients so
	}
	return c, true
}

func bodyCredentials(p Params) (Credentials, error) {
	c := Credentials{ClientID: p.Get("client_id"), Method: AuthNone}
	secret, assertion := p.Get("client_secret"), p.Get("client_assertion")
	switch {
	case secret != "" && assertion != "":
		return Credentials{}, invalidRequest("a request authenticates its client in one way, not in two")
	case secret != "":
		c.Method, c.secret = AuthSecretPost, &secret
	case assertion != "" || p.Has("client_assertion_type"):
		if p.Get("client_assertion_type") != assertionJWT || assertion == "" {
			return Credentials{}, invalidRequest("client_assertion must come with client_assertion_type " + assertionJWT)
		}
		c.Method, c.secret = AuthPrivateKeyJWT, &assertion
	}
	if c.ClientID == "" && c.Method != AuthPrivateKeyJWT {
		return Credentials{}, &Error{Code: InvalidClient, Description: "client_id is missing"}
	}
	return c, nil
}
