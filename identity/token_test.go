package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// hexSample is a key as they are issued, sample one of an older version.
const hexSample = "6f1c2a52-9f6e-4a0b-8f53-0b6f2a9a1c11.00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

const sample = "6f1c2a52-9f6e-4a0b-8f53-0b6f2a9a1c11.c0ffee00-1111-4222-8333-444455556666"

func TestParseToken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want string // "" when refused
	}{
		"as issued":                   {hexSample, hexSample},
		"as issued, in upper case":    {strings.ToUpper(hexSample), hexSample},
		"older":                       {sample, sample},
		"older, in upper case":        {strings.ToUpper(sample), sample},
		"a digit short":               {hexSample[:len(hexSample)-1], ""},
		"a digit that is none":        {hexSample[:len(hexSample)-1] + "g", ""},
		"empty":                       {"", ""},
		"key alone":                   {sample[:36], ""},
		"no dot":                      {strings.Replace(sample, ".", "-", 1), ""},
		"space around":                {" " + sample, ""},
		"not hexadecimal":             {strings.Replace(sample, "c0ffee", "c0ffeg", 1), ""},
		"hyphen in the wrong place":   {strings.Replace(sample, "9f6e-4", "9f6-e4", 1), ""},
		"access token of the MCP":     {"gpa_" + sample[4:], ""},
		"another product's key":       {"sk_live_1234567890", ""},
		"null byte":                   {strings.Replace(sample, "6f", "6\x00", 1), ""},
		"a very long string":          {strings.Repeat(sample, 1000), ""},
		"two dots":                    {sample[:35] + ".." + sample[38:], ""},
		"multi-byte rune of the size": {sample[:70] + "€", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseToken(tt.in)
			if tt.want == "" {
				if !errors.Is(err, ErrInvalidKey) {
					t.Errorf("ParseToken(%q) error = %v, want ErrInvalidKey", tt.in, err)
				}
				return
			}
			if err != nil || got.Reveal() != tt.want {
				t.Errorf("ParseToken(%q) = %q, %v, want %q", tt.in, got.Reveal(), err, tt.want)
			}
		})
	}
}

func TestToken_IsNeverPrinted(t *testing.T) {
	t.Parallel()
	token, err := newToken()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+"\n", token, &token)
		fmt.Fprintf(&out, verb, struct{ Token Token }{token})
		fmt.Fprintf(&out, verb, struct{ token Token }{token})
		fmt.Fprintf(&out, verb, &struct{ token *Token }{&token})
	}
	fmt.Fprintln(&out, token, []Token{token}, map[string]Token{"a": token}, fmt.Errorf("create %v", token))
	if err := json.NewEncoder(&out).Encode(map[string]any{"a": token, "b": &token}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("created", "token", token, "in", struct{ T Token }{token})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("created", "token", token, "in", struct{ T Token }{token})
	secret := *token.secret
	for _, leak := range []string{secret, secret[:8], hex.EncodeToString([]byte(secret[:4])), fmt.Sprintf("%d %d %d", secret[0], secret[1], secret[2])} {
		if strings.Contains(strings.ToLower(out.String()), leak) {
			t.Errorf("printed the secret as %q", leak)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{sample, "", ".", sample[:36] + ".", strings.ToUpper(sample), "urn:uuid:" + sample, "{" + sample[:36] + "}." + sample[37:]} {
		f.Add(seed)
	}
	f.Add(hexSample)
	f.Fuzz(func(t *testing.T, in string) {
		token, err := ParseToken(in)
		if err != nil {
			if !errors.Is(err, ErrInvalidKey) {
				t.Fatalf("ParseToken(%q) error %v is not ErrInvalidKey", in, err)
			}
			if len(in) > 3 && strings.Contains(err.Error(), in) {
				t.Fatalf("ParseToken(%q) repeats its input in the error", in)
			}
			return
		}
		if got := token.Reveal(); !strings.EqualFold(got, in) {
			t.Fatalf("ParseToken(%q) reveals %q", in, got)
		}
		if token.KeyID() != token.Reveal()[:36] {
			t.Fatalf("key id %q is not the first half of the token", token.KeyID())
		}
	})
}
