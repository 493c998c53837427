package identity

import "net/netip"

// Network returns the network that an IP address is in, as the audit log and
// pages show it: /24 for IPv4, /48 for IPv6, "" for text that is no address.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}
