package oauth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Documents are kept for a day: a stranger with any number of host names must not
// fill the store with them.
func TestPublished_FetchesOfOneNetworkAreLimited(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	p := newPublished(ClientsConfig{Limits: NewMemoryLimits(func() time.Time { return now })})
	ask := func(network byte) (fetched int) {
		for i := range 500 {
			ctx := withAddress(t.Context(), netip.AddrFrom16([16]byte{0x20, 0x01, 7: network, 15: byte(i)}))
			if p.mayFetch(ctx, fmt.Sprintf("https://host-%d.example/client", i)) == nil {
				fetched++
			}
		}
		return fetched
	}
	if n := ask(1); n == 0 || n > 60 {
		t.Errorf("one network had %d documents fetched at once", n)
	}
	if n := ask(2); n == 0 {
		t.Error("another network has to wait for the first")
	}
}
