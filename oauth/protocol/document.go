package protocol

import (
	"net/url"
	"slices"
	"strings"
)

// MaxDocument is the largest client metadata document in bytes.
const MaxDocument = 5 << 10

// IsDocumentURL reports whether a client_id is meant as the URL of a client
// metadata document.
func IsDocumentURL(clientID string) bool { return strings.HasPrefix(clientID, "https://") }

// CheckDocumentURL reports what is wrong with a client_id that is the URL of a
// metadata document (OAuth Client ID Metadata Document §3). A URL that fails is
// never fetched.
func CheckDocumentURL(clientID string) *Error {
	bad := func(reason string) *Error {
		return &Error{Code: InvalidClient, Description: "client_id: a metadata document's URL " + reason}
	}
	if len(clientID) > maxURI || strings.ContainsFunc(clientID, notURIChar) {
		return bad("has at most 2048 characters, encoded where needed")
	}
	u, err := url.Parse(clientID)
	switch {
	case err != nil || u.Scheme != "https" || authorityFault(u) != "":
		return bad("is an https URL")
	case u.User != nil:
		return bad("has no user")
	case strings.Contains(clientID, "#"):
		return bad("has no fragment")
	case u.Path == "" || u.Path == "/":
		return bad("has a path")
	case u.Host != strings.ToLower(u.Host):
		return bad("has its host in lower case")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return bad("has no dot segments")
		}
	}
	return nil
}

// ParseDocument checks a client metadata document that was fetched from the URL
// that is the client's id.
func ParseDocument(clientID string, body []byte) (*ClientMetadata, error) {
	if len(body) > MaxDocument {
		return nil, badMetadata("the metadata document is too large")
	}
	var d clientDocument
	if err := decodeObject(body, &d); err != nil {
		return nil, err
	}
	switch {
	case text(d.ClientID) != clientID:
		return nil, badMetadata("client_id in the metadata document is not its URL")
	case d.ClientSecret != nil || d.SecretExpires != nil:
		return nil, badMetadata("a metadata document is public and must not have a client_secret")
	case strings.TrimSpace(text(d.Name)) == "":
		return nil, badMetadata("client_name is missing in the metadata document")
	}
	m, err := d.metadata()
	if err != nil {
		return nil, err
	}
	if err := d.chooseMethods(m); err != nil {
		return nil, err
	}
	return m, nil
}

// chooseMethods keeps the ways to authenticate that a public document can offer.
// A client may prefer one and offer others in
// token_endpoint_auth_methods_supported; one that names none is public.
func (d *clientDocument) chooseMethods(m *ClientMetadata) *Error {
	offered := d.AuthMethods
	if asked := text(d.AuthMethod); asked != "" {
		offered = append([]string{asked}, offered...)
	}
	if len(offered) == 0 {
		offered = []string{string(AuthNone)}
	}
	for _, name := range offered {
		method := AuthMethod(name)
		if method.UsesSecret() {
			return badMetadata("a metadata document must not offer a method with a shared secret")
		}
		if slices.Contains(AuthMethods(), method) && !slices.Contains(m.AuthMethods, method) {
			m.AuthMethods = append(m.AuthMethods, method)
		}
	}
	if len(m.AuthMethods) == 0 {
		return badMetadata("the metadata document must offer none or private_key_jwt as token_endpoint_auth_method")
	}
	m.AuthMethod = m.AuthMethods[0]
	needsKeys := !slices.Contains(m.AuthMethods, AuthNone)
	if slices.Contains(m.AuthMethods, AuthPrivateKeyJWT) {
		return m.setJWKS(text(d.JWKSURI), needsKeys)
	}
	return nil
}
