package protocol

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const callback = "https://client.example/cb"

func testAuthorize(t testing.TB) (Authorize, *ClientMetadata) {
	t.Helper()
	return Authorize{Resources: newResources(t, "https://mcp.example.com"), EmitIss: true},
		&ClientMetadata{RedirectURIs: []string{callback, "http://localhost/callback"}}
}

func goodRequest() url.Values {
	return url.Values{
		"client_id": {"c"}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s&="}, "code_challenge": {rfcChallenge},
		"code_challenge_method": {"S256"}, "scope": {"growpanel.read"}, "resource": {"https://mcp.example.com/"},
	}
}

// check runs a request with changes: name, value pairs; "-" removes.
func check(t *testing.T, encoded string) (*AuthorizationRequest, error) {
	t.Helper()
	a, client := testAuthorize(t)
	p, err := ParseParams(encoded)
	if err != nil {
		return nil, err
	}
	return a.Check(p, client)
}

func changed(name string, values ...string) string {
	all := goodRequest()
	all[name] = values
	return all.Encode()
}

func TestAuthorize_Check(t *testing.T) {
	t.Parallel()
	got, err := check(t, goodRequest().Encode())
	want := &AuthorizationRequest{
		ClientID: "c", RedirectURI: callback, State: "s&=", Challenge: rfcChallenge, Scope: Read, Resource: "https://mcp.example.com/mcp",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("Check() = %v, -want +got:\n%s", err, diff)
	}
	for name, encoded := range map[string]string{
		"no state": changed("state"), "no resource": changed("resource"), "no scope": changed("scope"), "unknown scope": changed("scope", " claudeai x"),
		"another port": changed("redirect_uri", "http://localhost:4711/callback"), "query mode": changed("response_mode", "query"), "consent": changed("prompt", "consent"),
		"unknown parameter": changed("nonce", "x"), "two resources": changed("resource", "https://mcp.example.com", "https://mcp.example.com/mcp"),
	} {
		if _, err := check(t, encoded); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := check(t, changed("prompt", "login consent")); err != nil || !got.Login {
		t.Errorf("prompt=login: %+v, %v", got, err)
	}
}

// TestR3_NoRedirectToUnprovenURI: the error is for a page.
func TestR3_NoRedirectToUnprovenURI(t *testing.T) {
	t.Parallel()
	for name, encoded := range map[string]string{
		"no client": changed("client_id"), "two clients": changed("client_id", "c", "c"), "an endless client": changed("client_id", strings.Repeat("c", 5000)),
		"no redirect of several": changed("redirect_uri"), "another redirect": changed("redirect_uri", "https://evil.example/cb"), "two redirects": changed("redirect_uri", callback, callback),
		"a longer redirect": changed("redirect_uri", callback+"/x"), "javascript": changed("redirect_uri", "javascript:alert(1)"),
		"bad encoding": "%zz", "wrong redirect and wrong type": changed("redirect_uri", "https://evil.example") + "&response_type=token",
	} {
		_, err := check(t, encoded)
		fault, ok := errors.AsType[*Error](err)
		if _, redirects := errors.AsType[*RedirectError](err); redirects || !ok || strings.Contains(fault.Description, "evil") {
			t.Errorf("%s: %v, want an error for a page without the stranger's text", name, err)
		}
	}
}

// TestR4_ErrorsReachTheClient: with error, state and iss.
func TestR4_ErrorsReachTheClient(t *testing.T) {
	t.Parallel()
	for encoded, code := range map[string]Code{
		changed("response_type"): InvalidRequest, changed("response_type", "token"): UnsupportedResponseType, changed("response_type", "code token"): UnsupportedResponseType,
		changed("response_mode", "fragment"): InvalidRequest, changed("response_mode", "form_post"): InvalidRequest, changed("request", "x"): RequestNotSupported, changed("request_uri", "x"): RequestURINotSupported,
		changed("resource", "https://evil.example"): InvalidTarget, changed("scope", "a", "b"): InvalidRequest, changed("prompt", "none"): InteractionRequired,
		changed("code_challenge", "x"): InvalidRequest,
	} {
		_, err := check(t, encoded)
		redirect, ok := errors.AsType[*RedirectError](err)
		if !ok {
			t.Errorf("%s: %v, want a redirect", encoded, err)
			continue
		}
		wantCode(t, encoded, err, code)
		location, parseErr := url.Parse(redirect.Location)
		query := location.Query()
		if parseErr != nil || !strings.HasPrefix(redirect.Location, callback+"?") || query.Get("error") != string(code) ||
			query.Get("state") != "s&=" || query.Get("iss") != "https://mcp.example.com" || query.Get("error_description") == "" {
			t.Errorf("%s: location %s", encoded, redirect.Location)
		}
	}
	_, err := check(t, changed("state", "a", "b"))
	if redirect, ok := errors.AsType[*RedirectError](err); !ok || strings.Contains(redirect.Location, "state=") {
		t.Errorf("a repeated state: %v, want an error without state", err)
	}
}

// TestR5_PKCERequired: of every client, by S256 alone.
func TestR5_PKCERequired(t *testing.T) {
	t.Parallel()
	for name, encoded := range map[string]string{
		"no challenge": changed("code_challenge"), "no method": changed("code_challenge_method"), "plain": changed("code_challenge_method", "plain"),
	} {
		_, err := check(t, encoded)
		wantCode(t, name, err, InvalidRequest)
	}
}

// TestR6_NoCodeWithoutChallenge: a checked request always has one, so a verifier
// can never be left out at the token endpoint.
func TestR6_NoCodeWithoutChallenge(t *testing.T) {
	t.Parallel()
	got, err := check(t, goodRequest().Encode())
	if err != nil || got.Challenge == "" || got.Challenge.Matches("") {
		t.Errorf("request %+v, %v", got, err)
	}
}

// TestR62_IssInEveryAnswer: exactly one, byte for byte the issuer, and none when
// it is switched off.
func TestR62_IssInEveryAnswer(t *testing.T) {
	t.Parallel()
	a, client := testAuthorize(t)
	p, err := ParseParams(goodRequest().Encode())
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Check(p, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, emit := range []bool{true, false} {
		a.EmitIss = emit
		for _, location := range []string{a.CodeLocation(r, "gpc_x"), a.ErrorLocation(r, &Error{Code: AccessDenied, Description: "no"})} {
			u, err := url.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Query()["iss"]; len(got) == 1 != emit || emit && got[0] != "https://mcp.example.com" {
				t.Errorf("emit %v: iss = %q in %s", emit, got, location)
			}
			if u.Query().Get("state") != "s&=" {
				t.Errorf("state is changed in %s", location)
			}
		}
	}
}

func TestAuthorize_OneRegisteredRedirect(t *testing.T) {
	t.Parallel()
	a, client := testAuthorize(t)
	client.RedirectURIs = client.RedirectURIs[:1]
	p, err := ParseParams(changed("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Check(p, client); err != nil || r.RedirectURI != callback {
		t.Errorf("Check() = %+v, %v, want the one redirect URI there is", r, err)
	}
}

// FuzzAuthorize: no query leads anywhere but to the client's own URIs.
func FuzzAuthorize(f *testing.F) {
	f.Add(goodRequest().Encode())
	f.Add("client_id=c&redirect_uri=http://localhost:1@evil.example/callback")
	f.Add("client_id=c&redirect_uri=http://localhost:1/callback&state=%0d%0a&response_type=token")
	f.Fuzz(func(t *testing.T, query string) {
		p, err := ParseParams(query)
		if err != nil {
			return
		}
		a, client := testAuthorize(t)
		r, err := a.Check(p, client)
		location := ""
		if redirect, ok := errors.AsType[*RedirectError](err); ok {
			location = redirect.Location
		}
		if err == nil {
			location = a.CodeLocation(r, "code")
		}
		if location == "" {
			return
		}
		u, err := url.Parse(location)
		if err != nil || strings.ContainsAny(location, "\r\n\x00 ") || u.Host != "client.example" && u.Hostname() != "localhost" || u.User != nil {
			t.Fatalf("%q leads to %q", query, location)
		}
	})
}
