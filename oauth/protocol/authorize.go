package protocol

import (
	"net/url"
	"slices"
	"strings"
)

// AuthorizationRequest is a checked request to the authorization endpoint. It
// holds all that a consent page and a code need, so that it can be kept as it
// is until the person has decided.
type AuthorizationRequest struct {
	ClientID string `json:"client_id"`
	// RedirectURI is proven: it is one of the client's.
	RedirectURI string `json:"redirect_uri"`
	// State is the client's, returned unchanged; "" when it sent none.
	State     string    `json:"state,omitempty"`
	Challenge Challenge `json:"code_challenge"`
	Scope     Scope     `json:"scope"`
	// Resource is the canonical name of the resource.
	Resource string `json:"resource"`
	// Login asks for the person to sign in anew (prompt=login).
	Login bool `json:"login,omitempty"`
}

// RedirectError is an error of an authorization request whose client and
// redirect URI are proven, so that the client may be told.
//
// Registration is open, so a browser that has shown no session of ours must not
// be sent on at once: the server would be an open redirector (RFC 9700
// §4.11.2). Show the error with Location as a link instead.
type RedirectError struct {
	Err *Error
	// RedirectURI is the client's, Location the same with the error.
	RedirectURI, Location string
}

// Error implements error.
func (e *RedirectError) Error() string { return e.Err.Error() }

// Unwrap returns the error that the client is told.
func (e *RedirectError) Unwrap() error { return e.Err }

// Authorize checks requests to the authorization endpoint.
type Authorize struct {
	Resources Resources
	// EmitIss adds iss to every answer (RFC 9207).
	EmitIss bool
}

// ClientID returns the client that a request names. Its error is an *Error to be
// shown as a page: nothing about the request is proven yet.
func (Authorize) ClientID(p Params) (string, error) {
	switch {
	case p.Repeated("client_id") || p.Repeated("redirect_uri"):
		return "", p.repeatedError()
	case !p.Has("client_id"):
		return "", invalidRequest("client_id is missing")
	case len(p.Get("client_id")) > maxURI:
		return "", &Error{Code: InvalidClient, Description: "client_id is not known here"}
	}
	return p.Get("client_id"), nil
}

// Check checks the request of a known client. Its error is an *Error to be shown
// as a page (never followed by a redirect, RFC 6749 §4.1.2.1), or a
// *RedirectError.
func (a Authorize) Check(p Params, client *ClientMetadata) (*AuthorizationRequest, error) {
	id, err := a.ClientID(p)
	if err != nil {
		return nil, err
	}
	redirect, err := chooseRedirect(p, client)
	if err != nil {
		return nil, err
	}
	r := &AuthorizationRequest{ClientID: id, RedirectURI: redirect, State: p.Get("state"), Scope: AskedScope(p.Get("scope"))}
	if p.Repeated("state") {
		r.State = "" // which of them the client meant is anyone's guess
	}
	if fault := a.fill(r, p); fault != nil {
		return nil, &RedirectError{Err: fault, RedirectURI: redirect, Location: a.ErrorLocation(r, fault)}
	}
	return r, nil
}

// chooseRedirect proves the redirect URI, which may be left out by a client that
// has only one (RFC 6749 §3.1.2.3).
func chooseRedirect(p Params, client *ClientMetadata) (string, error) {
	uri := p.Get("redirect_uri")
	if uri == "" && len(client.RedirectURIs) == 1 {
		uri = client.RedirectURIs[0]
	}
	switch {
	case uri == "":
		return "", invalidRequest("redirect_uri is missing")
	case redirectFault(uri) != "" || !MatchRedirectURI(client.RedirectURIs, uri):
		return "", invalidRequest("redirect_uri is not one that the client has registered")
	}
	return uri, nil
}

// fill checks what the client may be told about.
func (a Authorize) fill(r *AuthorizationRequest, p Params) *Error {
	prompts := strings.Fields(p.Get("prompt"))
	switch {
	case len(p.repeated) > 0:
		return p.repeatedError()
	case p.Has("request"):
		return &Error{Code: RequestNotSupported, Description: "request objects are not supported"}
	case p.Has("request_uri"):
		return &Error{Code: RequestURINotSupported, Description: "request objects are not supported"}
	case !p.Has("response_type"):
		return invalidRequest("response_type is missing")
	case p.Get("response_type") != "code":
		return &Error{Code: UnsupportedResponseType, Description: "response_type must be code"}
	case p.Has("response_mode") && p.Get("response_mode") != "query":
		return invalidRequest("response_mode must be query")
	case slices.Contains(prompts, "none"):
		return &Error{Code: InteractionRequired, Description: "consent is asked every time"}
	}
	r.Login = slices.Contains(prompts, "login") || slices.Contains(prompts, "select_account")
	var fault *Error
	if r.Challenge, fault = ParseChallenge(p.Get("code_challenge"), p.Get("code_challenge_method")); fault != nil {
		return fault
	}
	resource, fault := a.Resources.Resolve(p.Resources())
	if fault != nil {
		return fault
	}
	r.Resource = resource
	return nil
}

// CodeLocation is where the browser goes with a code.
func (a Authorize) CodeLocation(r *AuthorizationRequest, code string) string {
	return a.location(r, url.Values{"code": {code}})
}

// ErrorLocation is where the browser goes with an error.
func (a Authorize) ErrorLocation(r *AuthorizationRequest, fault *Error) string {
	return a.location(r, url.Values{"error": {string(fault.Code)}, "error_description": {fault.Description}})
}

func (a Authorize) location(r *AuthorizationRequest, params url.Values) string {
	if r.State != "" {
		params.Set("state", r.State)
	}
	if a.EmitIss {
		params.Set("iss", a.Resources.Issuer())
	}
	return WithParams(r.RedirectURI, params)
}
