package httpx

import (
	"fmt"
	"net/netip"
)

// BlockedError says that an outgoing call was refused because of where it leads.
// Its text names no address: who may set a URL need not learn what the names of
// the operator's network resolve to. The operator's log has Addr.
type BlockedError struct {
	Host string     // as the URL names it
	Addr netip.Addr // what it resolves to; the first one, if it has several
	Why  string     // "a loopback address"
}

// Error implements error.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s leads to %s, which calls from here must not reach; use a public address, or ask the operator to allow its network (allow-private-networks)", e.Host, e.Why)
}

// special is one row of the registries of special-purpose addresses.
type special struct {
	network netip.Prefix
	why     string
}

// specials returns the networks that outgoing calls never reach unless the
// operator allows them: those of the IANA IPv4 and IPv6 special-purpose address
// registries (RFC 6890) that are not the public internet, and the public address
// under which one cloud's machines reach their host.
func specials() []special {
	rows := []struct{ network, why string }{
		{"0.0.0.0/8", "an unspecified address"},
		{"10.0.0.0/8", "a private address"},
		{"100.64.0.0/10", "a carrier's shared address"},
		{"127.0.0.0/8", "a loopback address"},
		{"168.63.129.16/32", "a cloud's metadata address"},
		{"169.254.0.0/16", "a link-local or metadata address"},
		{"172.16.0.0/12", "a private address"},
		{"192.0.0.0/24", "a protocol assignment"},
		{"192.0.2.0/24", "a documentation address"},
		{"192.88.99.0/24", "a 6to4 relay"},
		{"192.168.0.0/16", "a private address"},
		{"198.18.0.0/15", "a benchmarking address"},
		{"198.51.100.0/24", "a documentation address"},
		{"203.0.113.0/24", "a documentation address"},
		{"224.0.0.0/4", "a multicast address"},
		{"240.0.0.0/4", "a reserved or broadcast address"},

		// Of IPv6 only 2000::/3 is unicast on the public internet; these are its exceptions.
		{"2001::/23", "a protocol assignment or Teredo address"},
		{"2001:db8::/32", "a documentation address"},
		{"2002::/16", "a 6to4 address"},
		{"3fff::/20", "a documentation address"},
	}
	parsed := make([]special, len(rows))
	for i, row := range rows {
		parsed[i] = special{netip.MustParsePrefix(row.network), row.why}
	}
	return parsed
}

// guard decides which addresses outgoing calls may reach.
type guard struct {
	allowed  []netip.Prefix // the operator's exceptions
	special  []special
	unicast6 netip.Prefix
	nat64    netip.Prefix
}

func newGuard(allowed []netip.Prefix) guard {
	return guard{
		allowed: allowed, special: specials(),
		unicast6: netip.MustParsePrefix("2000::/3"),
		nat64:    netip.MustParsePrefix("64:ff9b::/96"), // RFC 6052; the gateway goes to the IPv4 address in the last 32 bits
	}
}

// refuses says why a call must not reach the address, "" if it may.
func (g guard) refuses(addr netip.Addr) string {
	if addr.Zone() != "" {
		return "an address of one link"
	}
	addr = addr.Unmap()
	if g.nat64.Contains(addr) {
		wide := addr.As16()
		addr = netip.AddrFrom4([4]byte(wide[12:]))
	}
	for _, network := range g.allowed {
		if network.Contains(addr) {
			return ""
		}
	}
	for _, s := range g.special {
		if s.network.Contains(addr) {
			return s.why
		}
	}
	switch {
	case !addr.IsValid():
		return "no address"
	case addr.Is4(), g.unicast6.Contains(addr):
		return ""
	case addr.IsLoopback():
		return "a loopback address"
	case addr.IsUnspecified():
		return "an unspecified address"
	case addr.IsPrivate():
		return "a private address"
	case addr.IsLinkLocalUnicast():
		return "a link-local address"
	case addr.IsMulticast():
		return "a multicast address"
	default:
		return "a reserved address"
	}
}
