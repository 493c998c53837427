package sealed

import (
	"bytes"
	"errors"
	"testing"
)

func newBox(t *testing.T, purpose string, secrets ...string) *Box {
	t.Helper()
	var all [][]byte
	for _, s := range secrets {
		all = append(all, bytes.Repeat([]byte(s), MinSecretBytes))
	}
	b, err := NewBox(purpose, all...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBox(t *testing.T) {
	t.Parallel()
	b := newBox(t, "credentials", "a")
	text := []byte("hunter2")
	sealed := b.Seal(text, "ds_1")
	if bytes.Contains(sealed, text) || bytes.Equal(sealed, b.Seal(text, "ds_1")) {
		t.Error("the text can be seen, or sealing it twice gives the same")
	}
	for name, open := range map[string]*Box{"the same": b, "rotated": newBox(t, "credentials", "b", "a")} {
		if got, err := open.Open(sealed, "ds_1"); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: Open = %q, %v", name, got, err)
		}
	}
	if rotated := newBox(t, "credentials", "b", "a"); rotated.Current(sealed) || !rotated.Current(rotated.Seal(text, "ds_1")) || !b.Current(sealed) {
		t.Error("Current does not tell what the first secret sealed")
	}
	refused := func(name string, box *Box, sealed []byte, place string) {
		t.Helper()
		if got, err := box.Open(sealed, place); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", name, got, err)
		}
	}
	refused("another place", b, sealed, "ds_2")
	refused("another purpose", newBox(t, "other", "a"), sealed, "ds_1")
	refused("another secret", newBox(t, "credentials", "b"), sealed, "ds_1")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused("a changed byte", b, changed, "ds_1")
		refused("cut off", b, sealed[:i], "ds_1")
	}
}

func TestNewBox_RefusesWeakSecrets(t *testing.T) {
	t.Parallel()
	if _, err := NewBox("x"); err == nil {
		t.Error("a box without a secret")
	}
	if _, err := NewBox("x", make([]byte, MinSecretBytes), []byte("short")); err == nil {
		t.Error("a box with a short secret")
	}
}
