package protocol

import (
	"strings"
	"testing"
)

func TestAskedScope(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"":                                "growpanel.read growpanel.write",
		"growpanel.read":                  "growpanel.read",
		"growpanel.write":                 "growpanel.read growpanel.write",
		" growpanel.read  offline_access": "growpanel.read offline_access",
		"claudeai":                        "growpanel.read growpanel.write",
		"mcp offline_access":              "growpanel.read growpanel.write offline_access",
		"GROWPANEL.READ openid":           "growpanel.read growpanel.write",
		"growpanel.read growpanel.read":   "growpanel.read",
	} {
		if got := AskedScope(asked).String(); got != want {
			t.Errorf("AskedScope(%q) = %q, want %q", asked, got, want)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	full := ParseScope("growpanel.write offline_access")
	if !full.Has(Read) || !full.Has(DefaultScope) || full.WithoutWrite().Has(Write) || !full.WithoutWrite().Has(Read|Offline) {
		t.Errorf("scopes of %q: %v", full, full.Names())
	}
	if ParseScope("none of ours") != 0 {
		t.Error("unknown scopes are kept")
	}
}

// FuzzParseScope: what is written reads back, and nothing else ever comes out.
func FuzzParseScope(f *testing.F) {
	f.Add("growpanel.read offline_access")
	f.Add("\x00\"\\ growpanel.write\u00a0x")
	f.Fuzz(func(t *testing.T, text string) {
		set := ParseScope(text)
		if ParseScope(set.String()) != set || set.Has(Write) && !set.Has(Read) {
			t.Fatalf("ParseScope(%q) = %q", text, set)
		}
		for name := range strings.FieldsSeq(set.String()) {
			if !strings.Contains(text, name) && name != "growpanel.read" {
				t.Fatalf("ParseScope(%q) invents %q", text, name)
			}
		}
	})
}
