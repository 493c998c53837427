package pages

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestNewClient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, redirect string
		want           Client
	}{
		{"Claude", "https://claude.ai/api/mcp/auth_callback", Client{Name: "Claude", Target: "claude.ai", Verified: true}},
		{"Claude", "https://claude.ai.evil.example/cb", Client{Name: "Claude", Target: "claude.ai.evil.example"}},
		{"Claude", "https://claude.ai:8443/cb", Client{Name: "Claude", Target: "claude.ai:8443"}},
		{"Code", "http://localhost:1/callback", Client{Name: "Code", Target: "a program on this computer", Local: true}},
		{"Cursor", "cursor://anysphere.cursor-mcp/cb", Client{Name: "Cursor", Target: "the app that opens cursor: links", Local: true}},
		{" \u202eedualC \n x ", "https://a.example/cb", Client{Name: "edualC x", Target: "a.example"}},
		{"\u200b", "https://a.example/cb", Client{Name: "Unnamed app", Target: "a.example"}},
		{"", "", Client{Name: "Unnamed app", Target: "an unknown place"}},
	} {
		if got := NewClient(test.name, test.redirect, ""); got != test.want {
			t.Errorf("NewClient(%q, %q) = %+v, want %+v", test.name, test.redirect, got, test.want)
		}
	}
}

func FuzzNewClient(f *testing.F) {
	f.Add("Claude", "https://claude.ai/api/mcp/auth_callback")
	f.Add("\u202eevil\u0000", "javascript:alert(1)")
	f.Add(strings.Repeat("é", 100), "http://[::1]:80/")
	f.Fuzz(func(t *testing.T, name, redirect string) {
		c := NewClient(name, redirect, "")
		if c.Name == "" || utf8.RuneCountInString(c.Name) > nameLimit || c.Target == "" {
			t.Errorf("NewClient(%q, %q) = %+v", name, redirect, c)
		}
		for _, r := range c.Name {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("the name %q keeps %U", c.Name, r)
			}
		}
		if c.Verified && c.Local {
			t.Errorf("%q is verified and local", redirect)
		}
	})
}

func TestConsent_Warnings(t *testing.T) {
	t.Parallel()
	for redirect, want := range map[string]string{
		"https://claude.ai/api/mcp/auth_callback": "",
		"http://127.0.0.1:3000/cb":                "program on your own computer",
		"vscode://x/cb":                           "program on your own computer",
		"https://somewhere.example/cb":            "somewhere.example is not an assistant",
	} {
		got := strings.Join(Consent{Client: NewClient("Claude", redirect, "")}.Warnings(), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s warns %q, want %q", redirect, got, want)
		}
	}
}

func TestWhen_Words(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration]string{
		0: "Just now", 59 * time.Second: "Just now", -time.Hour: "Just now", time.Minute: "1 minute ago",
		61 * time.Minute: "1 hour ago", 23 * time.Hour: "23 hours ago", 24 * time.Hour: "1 day ago",
		13 * 24 * time.Hour: "13 days ago", 14 * 24 * time.Hour: "7 Nov 2026",
	} {
		if got := NewWhen(noon.Add(-ago), noon).Words(); got != want {
			t.Errorf("%v ago is %q, want %q", ago, got, want)
		}
	}
}

func TestRoundWait(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0: "a second", time.Second + 1: "2 seconds", 99 * time.Second: "99 seconds", 2 * time.Minute: "2 minutes", 121 * time.Second: "3 minutes",
	} {
		if got := roundWait(wait); got != want {
			t.Errorf("%v is %q, want %q", wait, got, want)
		}
	}
}

// What a guide gives to copy names this server and is what clients read.
func TestLanding_Guides(t *testing.T) {
	t.Parallel()
	for _, oauth := range []bool{true, false} {
		l := Landing{URL: "https://mcp.example.com", APIURL: "https://api.example.com", OAuth: oauth}
		for _, guide := range l.Guides() {
			for _, step := range guide.Steps {
				if step.Code == nil {
					continue
				}
				text := step.Code.Text
				if !strings.Contains(text, l.URL) && !strings.Contains(text, l.APIURL) {
					t.Errorf("%s gives an address that is not ours: %s", guide.Name, text)
				}
				if strings.HasPrefix(text, "{") && !json.Valid([]byte(text)) {
					t.Errorf("%s gives a configuration that is no JSON: %s", guide.Name, text)
				}
				if !oauth && !strings.Contains(text, yourKey) {
					t.Errorf("%s needs no key, but nobody can sign in: %s", guide.Name, text)
				}
			}
		}
	}
}

func TestLanding_InstallLinks(t *testing.T) {
	t.Parallel()
	l := Landing{URL: "https://mcp.example.com", OAuth: true}
	var entry struct{ Name, Type, URL string }
	cursor, err := url.Parse(string(l.cursor().Steps[0].Link.Href))
	if err != nil {
		t.Fatal(err)
	}
	config, err := base64.StdEncoding.DecodeString(cursor.Query().Get("config"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(config, &entry); err != nil || entry.URL != "https://mcp.example.com/mcp" {
		t.Errorf("Cursor gets %s, %v", config, err)
	}
	_, query, _ := strings.Cut(string(l.vsCode().Steps[0].Link.Href), "?")
	text, err := url.PathUnescape(query)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &entry); err != nil || entry.URL != "https://mcp.example.com/mcp" || entry.Name != "growpanel" || entry.Type != "http" {
		t.Errorf("VS Code gets %s, %v", text, err)
	}
}
