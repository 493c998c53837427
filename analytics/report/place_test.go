package report

import "testing"

// Every code of two letters has a place of its own.
func TestPlaceOf(t *testing.T) {
	t.Parallel()
	known := map[place]string{noPlace: "none", otherPlace: "other"}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			code := string(a) + string(b)
			at := placeOf(code)
			if other, taken := known[at]; taken || int(at) >= places {
				t.Errorf("placeOf(%q) = %d, which is that of %q", code, at, other)
			}
			known[at] = code
		}
	}
	for code, want := range map[string]place{"": noPlace, "u": otherPlace, "usa": otherPlace, "US": otherPlace, "é": otherPlace, "u1": otherPlace, "{a": otherPlace} {
		if got := placeOf(code); got != want {
			t.Errorf("placeOf(%q) = %d, want %d", code, got, want)
		}
	}
}
