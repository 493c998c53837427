package oauth

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever a link says, signing in leads to a page of ours.
func FuzzJourney(f *testing.F) {
	for _, seed := range []string{
		"next=/connections", "next=https://evil.example", "next=//evil.example", `next=/\evil.example`, "tx=a&next=b", "tx=%2f%2fevil", "invitation=//evil",
		"next=/connections/revoke%3fdevice=x", "next=/password%0d%0aLocation:x", "next=%2f%2fevil.example%2fpassword",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		j := journeyOf(values)
		for _, path := range []string{j.target(), j.signInPath()} {
			if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t\x00") {
				t.Errorf("%q leads to %q", query, path)
			}
			if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
				t.Errorf("%q leads to %q, %v", query, path, err)
			}
		}
	})
}
