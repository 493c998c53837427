package oauth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func testKeyring(t testing.TB, names ...string) *Keyring {
	t.Helper()
	secrets := make([]Secret, len(names))
	for i, name := range names {
		secrets[i] = NewSecret(strings.Repeat(name, MinSecretBytes))
	}
	k, err := NewKeyring(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNewKeyring_RefusesWeakSecrets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MinSecretBytes)
	for want, secrets := range map[string][]Secret{
		"no secret is set":                {},
		"secret 1 has less than 32 bytes": {NewSecret(long[1:])},
		"secret 2 has less than 32 bytes": {NewSecret(long), NewSecret("")},
		"secret 2 is listed twice":        {NewSecret(long), NewSecret(long)},
	} {
		if _, err := NewKeyring(secrets...); err == nil || err.Error() != want {
			t.Errorf("NewKeyring: %v, want %q", err, want)
		}
	}
}

func TestKeyring_NoKeyServesTwoPurposes(t *testing.T) {
	t.Parallel()
	k := testKeyring(t, "a", "b")
	seen := map[string]Purpose{}
	for _, p := range []Purpose{
		PurposeRefreshMAC, PurposeRefreshNext, PurposeWrap, PurposeSeal, PurposeCSRF, PurposeUserToken, "key-id",
	} {
		keys := k.Derive(p)
		if len(keys) != 2 {
			t.Fatalf("Derive(%s) gave %d keys, want 2", p, len(keys))
		}
		for _, key := range keys {
			if other, taken := seen[string(key)]; taken || len(key) != 32 {
				t.Errorf("the key for %s has %d bytes and is also for %q", p, len(key), other)
			}
			seen[string(key)] = p
		}
	}
}

// R26: a token cannot be guessed, and no two are the same.
func TestR26_TokensHave256RandomBits(t *testing.T) {
	t.Parallel()
	const samples = 100_000
	seen := make(map[tokenSecret]bool, samples)
	ones := 0
	for range samples {
		s := newTokenSecret()
		if seen[s] {
			t.Fatal("a secret was drawn twice")
		}
		seen[s] = true
		for _, b := range s {
			for ; b != 0; b &= b - 1 {
				ones++
			}
		}
	}
	// 25.6 million fair bits are within 12 standard deviations of one half.
	if share := float64(ones) / (samples * 256); share < 0.4988 || share > 0.5012 {
		t.Errorf("%.4f of the bits are set", share)
	}
	set := testKeyring(t, "a").sealing()
	for text, secretBytes := range map[string]int{
		accessToken{}.text().Reveal():     len(tokenSecret{}),
		authCode{}.text().Reveal():        len(tokenSecret{}),
		refreshToken{}.text(set).Reveal(): len(tokenSecret{}),
	} {
		if bits := secretBytes * 8; bits < 256 || len(text) > 200 {
			t.Errorf("%s... has %d secret bits in %d characters", text[:4], bits, len(text))
		}
	}
}

func TestRefreshToken_EveryBitIsProtected(t *testing.T) {
	t.Parallel()
	k := testKeyring(t, "a", "b")
	token := refreshToken{family: newFamilyID("u"), gen: 7, secret: newTokenSecret()}
	text := token.text(k.sets[1]).Reveal()
	if got, ok := k.parseRefresh(text); !ok || got != token {
		t.Fatalf("parseRefresh = %+v, %v", got, ok)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text[len(RefreshPrefix):])
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[bit/8] ^= 1 << (bit % 8)
		if _, ok := k.parseRefresh(RefreshPrefix + base64.RawURLEncoding.EncodeToString(changed)); ok {
			t.Errorf("a token with bit %d flipped is accepted", bit)
		}
	}
	if _, ok := testKeyring(t, "c").parseRefresh(text); ok {
		t.Error("a token of another secret is accepted")
	}
}

func TestSuccessor_IsDerivedAndFoundUnderAnySecret(t *testing.T) {
	t.Parallel()
	old, both := testKeyring(t, "a"), testKeyring(t, "b", "a")
	token := refreshToken{family: newFamilyID("u"), gen: 3, secret: newTokenSecret()}
	next := token.successor(old.sealing())
	if next.gen != 4 || next.family != token.family || next.secret == token.secret || next != token.successor(old.sealing()) {
		t.Errorf("successor = %+v", next)
	}
	if next == token.successor(both.sealing()) {
		t.Error("two secrets derive the same successor")
	}
	found, set, ok := both.successorWith(token, next.secret.hash())
	if !ok || found != next || set.id != old.sealing().id {
		t.Errorf("successorWith = %+v under %x, %v", found, set.id, ok)
	}
	if _, _, ok := both.successorWith(token, Hash{}); ok {
		t.Error("successorWith found a token for a hash that is none's")
	}
}

func TestSealedKey_OpensInItsPlaceAlone(t *testing.T) {
	t.Parallel()
	k := testKeyring(t, "a")
	token, at := newTokenSecret(), place{newFamilyID("u"), kindRefresh, 5}
	sealed, err := k.sealKey(token, at, NewSecret("key"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := k.openKey(token, at, sealed); err != nil || key.Reveal() != "key" {
		t.Fatalf("openKey = %q, %v", key.Reveal(), err)
	}
	if bytes.Contains(sealed, []byte("key")) {
		t.Error("the sealed value shows the key")
	}
	wrong := map[string]func() (Secret, error){
		"another token":  func() (Secret, error) { return k.openKey(newTokenSecret(), at, sealed) },
		"another secret": func() (Secret, error) { return testKeyring(t, "b").openKey(token, at, sealed) },
		"another family": func() (Secret, error) { return k.openKey(token, place{newFamilyID("u"), kindRefresh, 5}, sealed) },
		"another kind":   func() (Secret, error) { return k.openKey(token, place{at.family, kindAccess, 5}, sealed) },
		"another gen":    func() (Secret, error) { return k.openKey(token, place{at.family, kindRefresh, 6}, sealed) },
		"nothing":        func() (Secret, error) { return k.openKey(token, at, nil) },
		"a short value":  func() (Secret, error) { return k.openKey(token, at, sealed[:len(sealed)-1]) },
		"the key id":     func() (Secret, error) { return k.openKey(token, at, sealed[:4]) },
		"a revocation":   func() (Secret, error) { return k.openRevocation(at.family, sealed) },
	}
	for name, open := range wrong {
		if key, err := open(); !errors.Is(err, errSealed) || !key.IsZero() {
			t.Errorf("opened with %s: %v", name, err)
		}
	}
}

func TestSecret_IsNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "hunter2hunter2"
	secret := NewSecret(text)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "inside", Tokens{Access: secret})
	encoded, err := json.Marshal(Tokens{Access: secret, Refresh: secret})
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{log.String(), string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, Tokens{Access: secret}), fmt.Sprintf(verb, &secret))
	}
	for _, p := range printed {
		if strings.Contains(p, text) || strings.Contains(p, fmt.Sprintf("%x", text)) {
			t.Errorf("printed as %s", p)
		}
	}
}

func TestConnectionID(t *testing.T) {
	t.Parallel()
	id := ConnectionID("u", "a", "c")
	if len(id) != 22 || id != ConnectionID("u", "a", "c") {
		t.Errorf("ConnectionID = %q", id)
	}
	for _, other := range []string{ConnectionID("v", "a", "c"), ConnectionID("u", "b", "c"), ConnectionID("u", "a", "d")} {
		if other == id {
			t.Error("two connections have one id")
		}
	}
}

// FuzzAccessToken: what is accepted is written back as it came, so that a token
// has one text alone.
func FuzzAccessToken(f *testing.F) {
	f.Add(accessToken{family: FamilyID{1, 2}, secret: tokenSecret{3}}.text().Reveal())
	f.Add("gpa_")
	f.Add("gpa_" + strings.Repeat("A", 66))
	f.Fuzz(func(t *testing.T, text string) {
		if token, ok := parseAccess(text); ok && token.text().Reveal() != text {
			t.Errorf("%q is read as %q", text, token.text().Reveal())
		}
	})
}

func FuzzCode(f *testing.F) {
	f.Add(authCode{partition: 1, secret: tokenSecret{3}}.text().Reveal())
	f.Add("gpc_\n")
	f.Fuzz(func(t *testing.T, text string) {
		if code, ok := parseCode(text); ok && code.text().Reveal() != text {
			t.Errorf("%q is read as %q", text, code.text().Reveal())
		}
	})
}

// FuzzRefreshToken: nothing is accepted that was not made with the secret.
func FuzzRefreshToken(f *testing.F) {
	k := testKeyring(f, "a")
	known := refreshToken{family: FamilyID{1, 2}, gen: 3, secret: tokenSecret{4}}.text(k.sealing()).Reveal()
	f.Add(known)
	f.Add(known[:len(known)-1] + "A")
	f.Add("gpr_" + strings.Repeat("A", len(known)-4))
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := k.parseRefresh(text); ok && text != known {
			t.Errorf("%q is accepted", text)
		}
	})
}

func FuzzFamilyID(f *testing.F) {
	f.Add(FamilyID{1}.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseFamilyID(text); err == nil && id.String() != text {
			t.Errorf("%q is read as %q", text, id)
		}
	})
}
