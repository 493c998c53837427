package pages

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// samples has every page in the states that look different.
func samples(t *testing.T) map[string]View {
	t.Helper()
	ago := func(d time.Duration) When { return NewWhen(noon.Add(-d), noon) }
	const day = 24 * time.Hour
	jane := Session{User: "jane@acme.example", CSRF: "csrf-of-session"}
	form := Form{Action: "/consent", CSRF: "csrf-of-transaction", Hidden: []Field{{"tx", "transaction"}}}
	claude := NewClient("Claude", "https://claude.ai/api/mcp/auth_callback", "")
	code := NewClient("Claude Code", "http://localhost:51123/callback", "claude.ai")
	cursor := NewClient("Cursor", "cursor://anysphere.cursor-mcp/oauth/callback", "")
	stranger := NewClient("Acme Dashboards", "https://dash.example.net/oauth/cb", "")
	providers := []Provider{
		{"Google", "google", "/sign-in/google"}, {"Microsoft", "microsoft", "/sign-in/microsoft"}, {"Acme SSO", "", "/sign-in/oidc"},
	}
	const writes = "Also change customers, plans, data sources, settings, integrations, webhooks, team and API keys."
	handover, err := NewHandover(cursor, "cursor://anysphere.cursor-mcp/oauth/callback?code=c&state=s", false)
	if err != nil {
		t.Fatal(err)
	}
	refused, err := RequestRefused(stranger, "response_type must be code", "https://dash.example.net/oauth/cb?error=unsupported_response_type")
	if err != nil {
		t.Fatal(err)
	}
	denied := handover
	denied.Denied = true
	device := Device{
		Created: ago(40 * day), LastUsed: ago(3 * time.Minute), From: "198.51.100.0/24", Access: "Admin", Revoke: "/connections/revoke?device=d1",
	}
	laptop := Device{
		Created: ago(3 * day), LastUsed: ago(26 * time.Hour), From: "2001:db8:7::/48", Access: "Read only", Revoke: "/connections/revoke?device=d2",
	}
	gone := Device{
		Created: ago(90 * day), LastUsed: ago(2 * day), From: "203.0.113.0/24", Access: "Admin", State: "Key deleted", Tone: "plain",
		Why: "A used refresh token came back",
	}
	ending := Device{Created: ago(5 * day), LastUsed: When{}, Access: "Admin", State: "Revoked, deleting its key", Tone: "warn"}
	return map[string]View{
		"sign-in": SignIn{Form: form, For: &claude, Password: true, Providers: providers},
		"sign-in-failed": SignIn{
			Form: form, Email: "jane@acme.example", Password: true, Problem: "E-mail or password is wrong.",
		},
		"sign-in-closed": SignIn{Form: form},
		"sign-in-open":   SignIn{Form: form, Password: true, SignUp: "/sign-up?next=%2Fconnections"},
		"sign-up":        SignUp{Form: form, For: &claude, SignIn: "/sign-in?tx=transaction"},
		"sign-up-failed": SignUp{
			Form: form, SignIn: "/sign-in?tx=transaction", Account: "Acme Inc", FirstName: "New", LastName: "Person", Email: "new@acme.example",
			Problem: "Password must have at least 10 characters.", Wrong: "password",
		},
		"sign-up-unnamed": SignUp{Form: form, SignIn: "/sign-in", Problem: "Account name is required.", Wrong: "account_name"},
		"sign-up-taken":   SignUp{Form: form, SignIn: "/sign-in", Problem: "This e-mail address has a user already; sign in instead.", Wrong: "email"},
		"link":            SignIn{Form: form, Link: "Google", Password: true},
		"invitation": Invitation{
			Form: form, ProviderForm: form, Providers: providers, Account: "Acme Inc", Email: "new@acme.example", Role: "Admin", New: true,
			FirstName: "New", LastName: "Person", Problem: "The password is too short.",
		},
		"invitation-known": Invitation{Form: form, Account: "Acme Inc", Email: "jane@acme.example", Role: "Read only"},
		"joined":           Joined(jane),
		"invitation-over":  InvitationOver(),
		"password":         Password{Session: jane, Form: form, Problem: "The current password is wrong."},
		"picker": Picker{Session: jane, Form: form, Client: claude, Accounts: []Account{
			{"a1", "Acme Inc", "Owner"}, {"a2", "Globex", "Admin"}, {"a3", "Initech International Holdings", "Read only"},
		}},
		"consent": Consent{
			Session: jane, Form: form, Client: claude, Account: "Acme Inc", Several: true, Role: "Owner", Writes: writes, IdleDays: 90,
		},
		"consent-local": Consent{
			Session: jane, Form: form, Client: code, Account: "Acme Inc", Role: "Admin", Writes: writes, IdleDays: 90,
		},
		"consent-unknown": Consent{
			Session: jane, Form: form, Client: stranger, Account: "Acme Inc", Role: "Read only", IdleDays: 90,
			OnlyRead: "Your own role in this account is read only.",
		},
		"handover":          handover,
		"handover-denied":   denied,
		"expired":           Expired(),
		"unknown-client":    UnknownClient(),
		"bad-redirect":      BadRedirect("Claude", "https://evil.example/cb"),
		"bad-request":       BadRequest("code_challenge is missing"),
		"no-access":         NoAccess(jane),
		"already-connected": AlreadyConnected(claude),
		"decided":           Decided(),
		"signed-out":        SignedOut(),
		"foreign-form":      ForeignForm(),
		"too-many":          TooMany(5 * time.Minute),
		"unavailable":       Unavailable(),
		"failed":            Failed("4f1c2a7e9b3d5068"),
		"provider-failed":   ProviderFailed("Google", "Google says that you canceled the sign-in.", "/sign-in"),
		"not-found":         NotFound(),
		"request-refused":   refused,
		"refused":           Refused("The account is about to be deleted."),
		"password-changed":  PasswordChanged(true),
		"connections-empty": Connections{Session: jane},
		"connections": Connections{
			Session: jane, Done: "“Cursor” lost its access to Globex, and its key is deleted.", RevokeAll: "/connections/revoke?all=1",
			Mine: []Connection{
				{Client: claude, Account: "Acme Inc", Devices: []Device{device, laptop}, Live: 2, Revoke: "/connections/revoke?connection=c1"},
				{Client: code, Account: "Globex", Devices: []Device{laptop}},
				{Client: cursor, Account: "Globex", Devices: []Device{ending, gone}},
			},
		},
		"revoke": Revoke{
			Session: jane, Form: form, Heading: "Revoke “Claude”?", Text: "It loses access to Acme Inc at once, on both devices, and their keys are deleted.",
			Facts: []Fact{{"Account", "Acme Inc"}, {"Last used", "3 minutes ago"}}, Button: "Revoke",
			Created: []Created{
				{"key:1", "API key", "Export script", "Admin, created 3 November 2026"},
				{"webhook:2", "Webhook", "https://hooks.example.com/growpanel", ""},
				{"invitation:3", "Invitation", "bob@acme.example", "not accepted yet"},
			},
			Joined: []Created{{"user-7", "Member", "carol@acme.example", "Admin, since 4 November 2026"}},
		},
		"landing": Landing{
			URL: "https://mcp.acme.example", APIURL: "https://api.acme.example", OAuth: true, Version: "1.2.3",
		},
		"landing-local-keys": Landing{URL: "http://127.0.0.1:8080", APIURL: "http://127.0.0.1:8081", Local: true},
	}
}
