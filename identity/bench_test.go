package identity_test

import (
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
)

// BenchmarkAuthenticate is what a call pays for its key: from memory, which is
// the case within a second of another call, and from the file.
func BenchmarkAuthenticate(b *testing.B) {
	for name, pass := range map[string]time.Duration{"remembered": 0, "read": time.Second} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b)
			token := f.keyOf(b, f.owner, identity.Admin)
			b.ReportAllocs()
			for b.Loop() {
				f.pass(pass)
				if _, err := f.Authenticate(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignIn is one sign-in, nearly all of it argon2id.
func BenchmarkSignIn(b *testing.B) {
	f := newFixture(b)
	for b.Loop() {
		if _, err := f.SignIn(b.Context(), identity.SignIn{Email: f.owner.Email, Password: password, FromAddress: "192.0.2.1"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUserToken is a token and its check.
func BenchmarkUserToken(b *testing.B) {
	f := newFixture(b)
	signed, err := f.SignIn(b.Context(), identity.SignIn{Email: f.owner.Email, Password: password})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		token, _, err := f.UserToken(b.Context(), signed.Secret.Reveal(), f.account.ID)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
