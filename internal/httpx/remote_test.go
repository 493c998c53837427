package httpx

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestRealAddress(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, remote string
		headers      []string
		want         string
	}{
		{"no proxy", "203.0.113.9:1234", nil, "203.0.113.9:1234"},
		{"a stranger's claim", "203.0.113.9:1234", []string{"127.0.0.1"}, "203.0.113.9:1234"},
		{"one proxy", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"a claim before the proxy's word", "10.0.0.1:1", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"two proxies, two headers", "10.0.0.1:1", []string{"1.2.3.4, 203.0.113.9", "10.0.0.2"}, "203.0.113.9:0"},
		{"with a port", "10.0.0.1:1", []string{"203.0.113.9:5555"}, "203.0.113.9:0"},
		{"IPv6", "[fd00::1]:1", []string{"[2001:db8::1]:5555"}, "[2001:db8::1]:0"},
		{"mapped", "[::ffff:10.0.0.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9:0"},
		{"nonsense", "10.0.0.1:1", []string{"203.0.113.9, unknown"}, "10.0.0.1:0"},
		{"proxies alone", "10.0.0.1:1", []string{"10.0.0.3"}, "10.0.0.3:0"},
		{"a proxy that says nothing", "10.0.0.1:1", nil, "10.0.0.1:0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = tt.remote
			r.Header["X-Forwarded-For"] = tt.headers
			var got string
			serve(RealAddress(proxies)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })), r)
			if got != tt.want || r.RemoteAddr != tt.remote {
				t.Errorf("address = %s, want %s; the caller's request has %s", got, tt.want, r.RemoteAddr)
			}
		})
	}
}

func FuzzRealAddress(f *testing.F) {
	f.Add("10.0.0.1:1", "203.0.113.9, 10.0.0.2")
	f.Add("10.0.0.1", ",,[::1]:,")
	f.Fuzz(func(t *testing.T, remote, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", header)
		if from, ok := forwarded(r, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); ok && !from.IsValid() {
			t.Fatalf("%q behind %q gives no address", header, remote)
		}
	})
}
