package pull

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/internal/sealed"
)

func TestReseal(t *testing.T) {
	t.Parallel()
	box := func(letters ...string) *sealed.Box {
		var secrets [][]byte
		for _, letter := range letters {
			secrets = append(secrets, bytes.Repeat([]byte(letter), sealed.MinSecretBytes))
		}
		b, err := sealed.NewBox("credentials", secrets...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	where := place("acme", "ds_1", "https://a.example/feed")
	connection := func(secret []byte) []byte {
		text, err := json.Marshal(Connection{Endpoint: "https://a.example/feed", Auth: Auth{Type: authBearer, Secret: secret}, Types: types(), Schedule: Daily})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	old := connection(box("a").Seal([]byte("hunter2"), where))
	for name, same := range map[string]struct {
		box        *sealed.Box
		connection []byte
	}{"sealed by the first secret": {box("a", "b"), old}, "sealed by none of the secrets": {box("b"), old}, "without credentials": {box("b"), connection(nil)}} {
		if got, err := Reseal(same.box, "acme", "ds_1", same.connection); err != nil || got != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	text, err := Reseal(box("b", "a"), "acme", "ds_1", old)
	if err != nil {
		t.Fatal(err)
	}
	var before, after Connection
	for text, c := range map[string]*Connection{string(old): &before, string(text): &after} {
		if err := json.Unmarshal([]byte(text), c); err != nil {
			t.Fatal(err)
		}
	}
	if secret, err := box("b").Open(after.Auth.Secret, where); err != nil || string(secret) != "hunter2" {
		t.Errorf("the new secret alone opens %q, %v", secret, err)
	}
	before.Auth.Secret, after.Auth.Secret = nil, nil
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the connection changed (-before +after):\n%s", diff)
	}
}
