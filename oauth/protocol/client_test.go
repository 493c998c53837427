package protocol

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadRegistration_Clients: what real clients send is registered.
func TestReadRegistration_Clients(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"mcp-remote": `{"redirect_uris":["http://localhost:47779/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"MCP CLI Client","client_uri":"https://github.com/x","software_id":"2e6dc280","software_version":"1.0.0","scope":"mcp"}`,
		"client 2.x": `{"redirect_uris":["http://127.0.0.1:1/cb"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"client_name":"x","application_type":"native","scope":"mcp offline_access"}`,
		"claude.ai":  `{"client_name":"Claude","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_post","scope":" claudeai","redirect_uris":["https://claude.ai/api/mcp/auth_callback"]}`,
		"cursor":     `{"redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback","https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"],"token_endpoint_auth_method":"none"}`,
		"nulls":      `{"redirect_uris":["https://a.example/cb"],"client_name":null,"client_uri":"","logo_uri":null,"grant_types":null,"scope":null,"token_endpoint_auth_method":null,"contacts":[],"application_type":7}`,
	} {
		if _, err := ParseRegistration([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestR34_RegistrationDefaults: only redirect_uris is required.
func TestR34_RegistrationDefaults(t *testing.T) {
	t.Parallel()
	got, err := ParseRegistration([]byte(`{"redirect_uris":["https://a.example/cb"]}`))
	want := &ClientMetadata{
		RedirectURIs: []string{"https://a.example/cb"}, GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"},
		AuthMethod: AuthSecretBasic, Scope: "growpanel.read growpanel.write",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseRegistration() = %v, -want +got:\n%s", err, diff)
	}
}

// TestR35_UnknownMetadataIgnored: whatever it holds.
func TestR35_UnknownMetadataIgnored(t *testing.T) {
	t.Parallel()
	m, err := ParseRegistration([]byte(`{"redirect_uris":["https://a.example/cb"],"resource":["x"],"application_type":"web","x":{"y":[1]},"software_statement":3,"logo_uri":"data:x","software_id":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.ApplicationType != "web" || m.SoftwareID != "" {
		t.Errorf("metadata = %+v", m)
	}
}

// TestR37_RegistrationErrors: each with the code of RFC 7591 §3.2.2.
func TestR37_RegistrationErrors(t *testing.T) {
	t.Parallel()
	const redirect = `"redirect_uris":["https://a.example/cb"]`
	for body, code := range map[string]Code{
		``: InvalidClientMetadata, `null`: InvalidClientMetadata, `[]`: InvalidClientMetadata, `"x"`: InvalidClientMetadata, `{`: InvalidClientMetadata,
		`{"redirect_uris":["https://a.example/cb"]} x`: InvalidClientMetadata,
		`{}`:                                  InvalidRedirectURI,
		`{"redirect_uris":[]}`:                InvalidRedirectURI,
		`{"redirect_uris":null}`:              InvalidRedirectURI,
		`{"redirect_uris":[null]}`:            InvalidRedirectURI,
		`{"redirect_uris":"https://a/cb"}`:    InvalidClientMetadata,
		`{"redirect_uris":[1]}`:               InvalidClientMetadata,
		`{"redirect_uris":["http://a.x/cb"]}`: InvalidRedirectURI,
		`{"redirect_uris":["https://a.example/cb","javascript:1"]}`:                            InvalidRedirectURI,
		`{"redirect_uris":["` + strings.Repeat(`https://a.example/cb","`, 33) + `https://a"]}`: InvalidRedirectURI,
		`{"redirect_uris":["https://a.example/` + strings.Repeat("x", 2000) + `","https://a.example/` + strings.Repeat("y", 2000) + `","https://a.example/` + strings.Repeat("z", 2000) + `"]}`: InvalidRedirectURI,
		`{` + redirect + `,"client_name":7}`:                                                           InvalidClientMetadata,
		`{` + redirect + `,"client_name":"a\nb"}`:                                                      InvalidClientMetadata,
		`{` + redirect + `,"client_name":"a\u202eb"}`:                                                  InvalidClientMetadata,
		`{` + redirect + `,"client_name":"` + strings.Repeat("x", 201) + `"}`:                          InvalidClientMetadata,
		`{` + redirect + `,"grant_types":["password"]}`:                                                InvalidClientMetadata,
		`{` + redirect + `,"grant_types":"authorization_code"}`:                                        InvalidClientMetadata,
		`{` + redirect + `,"response_types":["token"]}`:                                                InvalidClientMetadata,
		`{` + redirect + `,"token_endpoint_auth_method":"tls_client_auth"}`:                            InvalidClientMetadata,
		`{` + redirect + `,"token_endpoint_auth_method":"private_key_jwt"}`:                            InvalidClientMetadata,
		`{` + redirect + `,"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}}`:         InvalidClientMetadata,
		`{` + redirect + `,"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://a/jwks"}`: InvalidClientMetadata,
	} {
		_, err := ParseRegistration([]byte(body))
		wantCode(t, body, err, code)
	}
	for _, contentType := range []string{"", "text/plain", formType} {
		r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(`{`+redirect+`}`))
		r.Header.Set("Content-Type", contentType)
		_, err := ReadRegistration(r)
		wantCode(t, contentType, err, InvalidClientMetadata)
	}
	r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(`{"x":"`+strings.Repeat("x", maxRegistration)+`"}`))
	r.Header.Set("Content-Type", "application/json")
	_, err := ReadRegistration(r)
	wantCode(t, "too large", err, InvalidClientMetadata)
}

const documentURL = "https://client.example/oauth/client.json"

// TestR63_Document: it names itself, and what is missing or wrong is refused.
func TestR63_Document(t *testing.T) {
	t.Parallel()
	const head = `"client_id":"` + documentURL + `","client_name":"x"`
	const redirect = `"redirect_uris":["https://client.example/cb"]`
	for name, body := range map[string]string{
		"Claude Code": `{` + head + `,"redirect_uris":["http://localhost/callback","http://127.0.0.1/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
		"ChatGPT":     `{` + head + `,` + redirect + `,"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],"jwks_uri":"https://client.example/jwks"}`,
		"no method":   `{` + head + `,` + redirect + `}`,
	} {
		if _, err := ParseDocument(documentURL, []byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"HTML": "<html>", "array": "[]", "no id": `{"client_name":"x",` + redirect + `}`, "another id": `{"client_id":"` + documentURL + `/","client_name":"x",` + redirect + `}`,
		"no name": `{"client_id":"` + documentURL + `",` + redirect + `}`, "blank name": `{"client_id":"` + documentURL + `","client_name":" ",` + redirect + `}`,
		"another method":       `{` + head + `,` + redirect + `,"token_endpoint_auth_method":"tls_client_auth"}`,
		"keys without a place": `{` + head + `,` + redirect + `,"token_endpoint_auth_method":"private_key_jwt"}`,
		"keys over http":       `{` + head + `,` + redirect + `,"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://client.example/jwks"}`,
		"too large":            `{` + head + `,` + redirect + `,"x":"` + strings.Repeat("x", MaxDocument) + `"}`,
	} {
		_, err := ParseDocument(documentURL, []byte(body))
		wantCode(t, name, err, InvalidClientMetadata)
	}
	_, err := ParseDocument(documentURL, []byte(`{`+head+`}`))
	wantCode(t, "no redirect URI", err, InvalidRedirectURI)
}

// TestChatGPTDocument: it prefers keys and may come without.
func TestChatGPTDocument(t *testing.T) {
	t.Parallel()
	m, err := ParseDocument(documentURL, []byte(`{"client_id":"`+documentURL+`","client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector_platform_oauth_redirect"],"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],"jwks_uri":"https://chatgpt.com/jwks"}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.AuthMethod != AuthPrivateKeyJWT || !m.MayUse(AuthNone) || m.MayUse(AuthSecretPost) || m.LocalOnly() {
		t.Errorf("metadata = %+v", m)
	}
}

// TestR64_DocumentURL: bad ones are never fetched.
func TestR64_DocumentURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{documentURL, "https://claude.ai/oauth/claude-code-client-metadata", "https://a.example:8443/x?y=z"} {
		if err := CheckDocumentURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "https://a.example", "https://a.example/", "https://a.example/#x", "https://a.example/x#", "https://u@a.example/x", "https://u:p@a.example/x",
		"http://a.example/x", "https:///x", "https://a.example/./x", "https://a.example/x/..", "https://a.example/x/%2e%2e/y", "https://a.example/x/.", "https://A.example/x",
		"https://a.example:0/x", "https://a.example/\u00e4", "https://a.example/ x", "https://" + strings.Repeat("a", 3000) + "/x", "ftp://a.example/x",
	} {
		err := CheckDocumentURL(bad)
		if err == nil {
			t.Errorf("%q is accepted", bad)
			continue
		}
		wantCode(t, bad, err, InvalidClient)
	}
}

// TestR65_DocumentWithoutSecrets: neither a secret nor a method that needs one.
func TestR65_DocumentWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, member := range []string{`"client_secret":"x"`, `"client_secret_expires_at":0`, `"token_endpoint_auth_method":"client_secret_post"`, `"token_endpoint_auth_methods_supported":["none","client_secret_basic"]`} {
		_, err := ParseDocument(documentURL, []byte(`{"client_id":"`+documentURL+`","client_name":"x","redirect_uris":["https://a.example/cb"],`+member+`}`))
		wantCode(t, member, err, InvalidClientMetadata)
	}
}

// FuzzParseRegistration and FuzzParseDocument: what is accepted can be encoded,
// is accepted again, and every redirect URI in it is one that will match.
func FuzzParseRegistration(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["http://localhost/cb","cursor://a/b"],"client_name":"x","token_endpoint_auth_method":"none"}`))
	f.Add([]byte(`{"redirect_uris":["https://a.example"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/jwks","scope":"a b"}`))
	f.Add([]byte(`{"redirect_uris":[null],"client_name":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := ParseRegistration(body)
		if err != nil {
			if fault, ok := errors.AsType[*Error](err); !ok || fault.Code != InvalidClientMetadata && fault.Code != InvalidRedirectURI {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRegistration(again)
		if err != nil {
			t.Fatalf("%s is refused after it was accepted: %v", again, err)
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatalf("-first +second:\n%s", diff)
		}
		for _, uri := range m.RedirectURIs {
			if !MatchRedirectURI(m.RedirectURIs, uri) {
				t.Fatalf("%s is registered and does not match", uri)
			}
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	f.Add(documentURL, []byte(`{"client_id":"`+documentURL+`","client_name":"x","redirect_uris":["https://a.example/cb"]}`))
	f.Add(documentURL, []byte(`{"client_id":"`+documentURL+`","client_name":"x","redirect_uris":["https://a.example/cb"],"token_endpoint_auth_methods_supported":["private_key_jwt","none","x"],"jwks_uri":"https://a.example/k"}`))
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		if CheckDocumentURL(id) != nil {
			return
		}
		m, err := ParseDocument(id, body)
		if err != nil {
			return
		}
		if m.Name == "" || len(m.RedirectURIs) == 0 || m.AuthMethod.UsesSecret() || m.MayUse(AuthSecretBasic) || m.MayUse(AuthPrivateKeyJWT) && !m.MayUse(AuthNone) && m.JWKSURI == "" {
			t.Fatalf("%q is accepted as %+v", body, m)
		}
	})
}
