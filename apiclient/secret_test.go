package apiclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const testKey = "0b6f8f3a-key.9d1c-secret"

func TestSecret_NothingPrintsIt(t *testing.T) {
	t.Parallel()
	secret := NewSecret(testKey)
	client, err := New(Options{Key: secret})
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		hidden  Secret
		Visible Secret
	}{secret, secret}
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb+verb+verb, secret, &secret, holder)
	}
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(text)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("call", "key", secret, "holder", holder, "client", client.BaseURL())
	for _, part := range []string{testKey, "9d1c-secret", fmt.Sprintf("%x", testKey)} {
		if strings.Contains(printed.String(), part) {
			t.Errorf("the key shows in:\n%s", printed.String())
		}
	}
}

func TestNew_KeyThatNoHeaderCanCarry(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"abc\n", "a b", "ключ", "a\x00b", "a\x7fb"} {
		_, err := New(Options{Key: NewSecret(key)})
		if !errors.Is(err, errKeyText) {
			t.Errorf("New with key %q: error %v, want %v", key, err, errKeyText)
		}
	}
}

func TestNewSecret_EmptyIsNone(t *testing.T) {
	t.Parallel()
	if !NewSecret("").IsZero() || NewSecret("x").IsZero() {
		t.Error("an empty key, and only that, must be no key")
	}
}
