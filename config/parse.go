package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The setters parse a value and store it. Their errors say what would be right;
// the caller adds the name of the setting and the value.

func setFolder(to *string, value string) error {
	if value == "" {
		return errors.New("a folder")
	}
	*to = value
	return nil
}

func setSwitch(to *bool, value string) error {
	switch strings.ToLower(value) {
	case "on":
		*to = true
		return nil
	case "off":
		*to = false
		return nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("on or off")
	}
	*to = on
	return nil
}

func setListen(to *string, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("host:port, such as 127.0.0.1:8080")
	}
	*to = value
	return nil
}

// setTime accepts a day or an instant. A day is taken at 10:00 UTC, which is
// that day from Hawaii to New Zealand in summer.
func setTime(to *time.Time, value string) error {
	if day, err := time.Parse(time.DateOnly, value); err == nil {
		*to = day.Add(10 * time.Hour)
		return nil
	}
	instant, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return errors.New("a day or an instant, such as 2026-03-31 or 2026-03-31T09:00:00Z")
	}
	*to = instant
	return nil
}

// setOrigin accepts an http or https origin: the API answers at the root of its
// host, so a path would be lost. A lone slash is dropped.
func setOrigin(to *string, value string) error {
	origin, err := url.Parse(strings.TrimSuffix(value, "/"))
	if err != nil || origin.Hostname() == "" ||
		origin.Scheme != "http" && origin.Scheme != "https" {
		return errors.New("an origin such as https://api.example.com")
	}
	if origin.User != nil || origin.Path != "" || origin.RawQuery != "" || origin.Fragment != "" {
		return errors.New("an origin without user, path or query, such as https://api.example.com")
	}
	*to = origin.Scheme + "://" + strings.ToLower(origin.Host)
	return nil
}

// setPublic is setOrigin for an address that strangers use: keys travel over
// it, so it is https unless it stays on this machine.
func setPublic(to *string, value string) error {
	var origin string
	if err := setOrigin(&origin, value); err != nil {
		return err
	}
	if strings.HasPrefix(origin, "http:") && !loopback(origin) {
		return errors.New("an https origin; plain http is for loopback alone")
	}
	*to = origin
	return nil
}

func setOrigins(to *[]string, value string) error {
	var origins []string
	for item := range strings.SplitSeq(value, ",") {
		var origin string
		if err := setOrigin(&origin, strings.TrimSpace(item)); err != nil {
			return errors.New("origins separated by commas, such as https://a.example.com,https://b.example.com")
		}
		origins = append(origins, origin)
	}
	*to = origins
	return nil
}

func setNetworks(to *[]netip.Prefix, value string) error {
	var networks []netip.Prefix
	if value == "none" {
		value = ""
	}
	for item := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(item)
		if err != nil || network != network.Masked() {
			return errors.New("networks separated by commas, such as 10.0.0.0/8,fd00::/8, or none")
		}
		networks = append(networks, network)
	}
	*to = networks
	return nil
}

func setLimits(to *RateLimits, value string) error {
	limits := DefaultRateLimits()
	switch value {
	case "default":
	case "off":
		limits = RateLimits{}
	default:
		classes := map[string]*int{
			"GET": &limits.Get, "REPORT": &limits.Report, "POST": &limits.Post, "PUT": &limits.Put, "DELETE": &limits.Delete,
		}
		for item := range strings.SplitSeq(value, ",") {
			class, number, _ := strings.Cut(strings.TrimSpace(item), "=")
			limit, known := classes[strings.ToUpper(class)]
			perMinute, err := strconv.ParseUint(number, 10, 31)
			if !known || err != nil || perMinute == 0 {
				return errors.New("default, off, or limits per minute such as GET=300,REPORT=30,POST=100,PUT=100,DELETE=50")
			}
			*limit = int(perMinute)
		}
	}
	*to = limits
	return nil
}

// loopback reports whether an origin names this machine alone.
func loopback(origin string) bool {
	parsed, err := url.Parse(origin)
	if err != nil {
		return false
	}
	return LoopbackHost(parsed.Hostname())
}

// LoopbackHost reports whether a host name or address is reachable from this
// machine alone.
func LoopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// setDuration accepts what Go writes, and days.
func setDuration(to *time.Duration, value string) error {
	var d time.Duration
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return errDuration
		}
		d = time.Duration(n) * day
	} else {
		parsed, err := time.ParseDuration(value)
		if err != nil {
			return errDuration
		}
		d = parsed
	}
	if d < time.Second || d > 365*day {
		return errDuration
	}
	*to = d
	return nil
}

func setRedis(to *Secret, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix" {
		return errors.New("a URL such as redis://127.0.0.1:6379/0 or rediss://user:password@redis.example.com:6379/0")
	}
	*to = Secret{value}
	return nil
}

func setLongSecret(to *Secret, value string) error {
	if len(value) < minSecretBytes {
		return errors.New("at least 32 bytes")
	}
	*to = Secret{value}
	return nil
}
