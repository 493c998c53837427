package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

const formType = "application/x-www-form-urlencoded"

func formRequest(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token?client_secret=in-the-query", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// wantCode fails unless err is an *Error with a code and a description that RFC
// 6749 §5.2 allows.
func wantCode(t *testing.T, what string, err error, code Code) {
	t.Helper()
	fault, ok := errors.AsType[*Error](err)
	if !ok || fault.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
		return
	}
	if fault.Description == "" || strings.ContainsFunc(fault.Description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		t.Errorf("%s: description %q is empty or has characters that RFC 6749 forbids", what, fault.Description)
	}
}

// TestR17_ParametersOnce: a repeated parameter is refused, resource excepted;
// unknown ones are ignored and empty ones absent.
func TestR17_ParametersOnce(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"code=a&code=a", "code=a&x=1&x=2", "grant_type=a&grant_type=", "client_id=&client_id="} {
		_, err := ReadForm(formRequest(formType, body))
		wantCode(t, body, err, InvalidRequest)
	}
	p, err := ReadForm(formRequest(formType+"; charset=UTF-8", "code=a&unknown=1&scope=&resource=b&resource=&resource=c"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Get("code") != "a" || p.Has("scope") || p.Has("client_secret") || fmt.Sprint(p.Resources()) != "[b c]" {
		t.Errorf("form = %+v", p)
	}
}

// TestR18_FormsAlone: no other content type, encoding or broken text.
func TestR18_FormsAlone(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*http.Request{
		"JSON":                formRequest("application/json", `{"grant_type":"x"}`),
		"no type":             formRequest("", "a=b"),
		"multipart":           formRequest("multipart/form-data; boundary=x", "--x--"),
		"two types":           formRequest(formType+", application/json", "a=b"),
		"bad percent":         formRequest(formType, "a=%zz"),
		"semicolons":          formRequest(formType, "a=1;b=2"),
		"not UTF-8":           formRequest(formType, "a=%ff"),
		"a null character":    formRequest(formType, "a=%00"),
		"too large":           formRequest(formType, "a="+strings.Repeat("x", maxForm)),
		"a body that breaks":  httptest.NewRequest(http.MethodPost, "/token", iotest.ErrReader(errors.New("gone"))),
		"a compressed body":   formRequest(formType, "a=b"),
		"limited by a server": formRequest(formType, "a=bbbbbbbbbbbbbbbb"),
	} {
		switch name {
		case "a body that breaks":
			r.Header.Set("Content-Type", formType)
		case "a compressed body":
			r.Header.Set("Content-Encoding", "gzip")
		case "limited by a server":
			r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 4)
		}
		_, err := ReadForm(r)
		wantCode(t, name, err, InvalidRequest)
	}
}

// TestR19_OneClientAuthentication: and it is found wherever libraries put it.
func TestR19_OneClientAuthentication(t *testing.T) {
	t.Parallel()
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	}
	hash := sha256.Sum256([]byte("s:ä%"))
	jwt := "client_assertion_type=" + url.QueryEscape(assertionJWT) + "&client_assertion="
	tests := []struct {
		name, header, body string
		method             AuthMethod
		code               Code
	}{
		{name: "public", body: "client_id=c", method: AuthNone},
		{name: "post", body: "client_id=c&client_secret=" + url.QueryEscape("s:ä%"), method: AuthSecretPost},
		{name: "basic", header: basic("c", "s:ä%"), method: AuthSecretBasic},
		{name: "basic in lower case with the id in the body as well", header: "basic" + basic("c", "s:ä%")[5:], body: "client_id=c", method: AuthSecretBasic},
		{name: "basic without a secret", header: basic("c", ""), method: AuthNone},
		{name: "assertion", body: jwt + "x.y.z", method: AuthPrivateKeyJWT},
		{name: "basic and post", header: basic("c", "s"), body: "client_id=c&client_secret=s", code: InvalidRequest},
		{name: "basic and assertion", header: basic("c", "s"), body: jwt + "x", code: InvalidRequest},
		{name: "post and assertion", body: "client_id=c&client_secret=s&" + jwt + "x", code: InvalidRequest},
		{name: "two names", header: basic("c", "s"), body: "client_id=d", code: InvalidRequest},
		{name: "assertion without type", body: "client_assertion=x", code: InvalidRequest},
		{name: "assertion of another type", body: "client_assertion=x&client_assertion_type=saml", code: InvalidRequest},
		{name: "type without assertion", body: jwt, code: InvalidRequest},
		{name: "no client", body: "x=y", code: InvalidClient},
		{name: "bearer", header: "Bearer x", code: InvalidClient},
		{name: "not base64", header: "Basic !", code: InvalidClient},
		{name: "no colon", header: "Basic " + base64.StdEncoding.EncodeToString([]byte("c")), code: InvalidClient},
		{name: "bad escape", header: "Basic " + base64.StdEncoding.EncodeToString([]byte("c:%zz")), code: InvalidClient},
		{name: "no user", header: basic("", "s"), code: InvalidClient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseParams(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			header := http.Header{}
			if tt.header != "" {
				header.Set("Authorization", tt.header)
			}
			c, err := ReadCredentials(header, p)
			if tt.code != "" {
				wantCode(t, tt.name, err, tt.code)
				return
			}
			if err != nil || c.Method != tt.method {
				t.Fatalf("method %q, %v, want %q", c.Method, err, tt.method)
			}
			if c.SecretIs(hash) != tt.method.UsesSecret() || (c.Assertion() == "x.y.z") != (tt.method == AuthPrivateKeyJWT) {
				t.Errorf("credentials %v do not hold what was sent", c)
			}
			if shown := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(shown, "s:ä") || strings.Contains(shown, "x.y.z") {
				t.Errorf("the secret shows in %s", shown)
			}
		})
	}
	if _, err := ReadCredentials(http.Header{"Authorization": {"Basic a", "Basic b"}}, Params{}); err == nil {
		t.Error("two Authorization headers are accepted")
	}
}

// FuzzTokenForm: any body either fails with a proper error or gives credentials
// with exactly one method.
func FuzzTokenForm(f *testing.F) {
	f.Add("", "grant_type=authorization_code&code=x&client_id=c&code_verifier="+rfcVerifier)
	f.Add("Basic YzpzOnQ=", "grant_type=refresh_token&refresh_token=x&resource=a&resource=b")
	f.Add("", "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b.c")
	f.Add("Basic", "a=%00;&&==&=x")
	f.Fuzz(func(t *testing.T, authorization, body string) {
		p, err := ReadForm(formRequest(formType, body))
		if err != nil {
			wantCode(t, body, err, InvalidRequest)
			return
		}
		header := http.Header{}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		c, err := ReadCredentials(header, p)
		if err != nil {
			fault, ok := errors.AsType[*Error](err)
			if !ok || fault.Code != InvalidRequest && fault.Code != InvalidClient {
				t.Fatalf("%q %q: %v", authorization, body, err)
			}
			return
		}
		if c.Method == "" || (c.secret != nil) != (c.Method != AuthNone) || c.ClientID == "" && c.Method != AuthPrivateKeyJWT {
			t.Fatalf("%q %q: credentials %v", authorization, body, c)
		}
	})
}
