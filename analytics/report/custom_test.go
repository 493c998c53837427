package report

import (
	"maps"
	"testing"
)

// Variables say what the map says that they were made from.
func TestLaw_VariablesAreAMap(t *testing.T) {
	t.Parallel()
	for _, want := range []map[string]string{
		nil, {"tier": "gold"}, {"": "without a name"}, {"b": "2", "a": "1", "c": "", "ä": "3", "ab": "1"},
	} {
		v := NewVariables(want)
		if got := v.Map(); got == nil || !maps.Equal(got, want) {
			t.Errorf("%v as a map = %v, want %v", v, got, want)
		}
		for _, name := range []string{"", "a", "b", "c", "ä", "ab", "tier", "none"} {
			if got := v.Get(name); got != want[name] {
				t.Errorf("%v: %q = %q, want %q", v, name, got, want[name])
			}
		}
		for i := range v[min(1, len(v)):] {
			if v[i].Name >= v[i+1].Name {
				t.Errorf("%v is not in order of the names", v)
			}
		}
	}
}
