package config

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Serve is the configuration of the serve commands.
type Serve struct {
	// Data is the folder of the embedded database.
	Data string
	// APIListen and MCPListen are host:port; port 0 takes a free one.
	APIListen, MCPListen string
	// PublicURL and APIPublicURL are the origins by which clients reach the MCP
	// endpoint and the API; "" means the actual listen address, which must then
	// be loopback.
	PublicURL, APIPublicURL string
	// AllowedOrigins are the browser origins beside its own that may call the MCP
	// endpoint.
	AllowedOrigins []string
	// RateLimits are per account.
	RateLimits RateLimits
	// SignUp lets strangers create users, each with an account of their own.
	SignUp bool
	// Demo serves a made-up company.
	Demo bool
	// ReadOnly leaves only MCP tools and actions that change nothing.
	ReadOnly bool
	// FXFeed fetches the European Central Bank's exchange rates every day.
	FXFeed bool
	// Now pins what reports call today; zero means the wall clock.
	Now time.Time
	// Secrets are those of the product, the one that seals first; see FolderSecrets
	// for when there are none.
	Secrets []Secret
	// PrivateNetworks are networks that are not public and that the URLs of users
	// and of OAuth clients may none the less lead to.
	PrivateNetworks []netip.Prefix
	// Upstream is the API that `serve mcp` stands in front of.
	Upstream string

	// Connections is how the authorization server behaves.
	Connections Connections
	// Mail sends notifications.
	Mail Mail
	// Providers sign people in.
	Providers Providers
	// TrustedProxies are networks whose word for the address of a client counts.
	TrustedProxies []netip.Prefix
	// InternalToken is what the MCP server and the API share when they run apart:
	// with it the API believes for which browser it is asked. Zero for none.
	InternalToken Secret
}

// RateLimits are requests per minute and account by class. Zero is no limit.
type RateLimits struct {
	Get    int // GET outside /reports
	Report int // GET under /reports
	Post   int
	Put    int
	Delete int
}

// DefaultRateLimits are those of seed 000, "Rate limiting".
func DefaultRateLimits() RateLimits {
	return RateLimits{Get: 300, Report: 30, Post: 100, Put: 100, Delete: 50}
}

// DefaultData is the data folder when none is given.
const DefaultData = "./growpanel-data"

// LoadServe reads the configuration of one of the serve commands, or of an
// admin command, which takes the data folder alone.
func LoadServe(source Source, command Command) (Serve, error) {
	c := Serve{
		Data:       DefaultData,
		APIListen:  "127.0.0.1:8081",
		MCPListen:  "127.0.0.1:8080",
		RateLimits: DefaultRateLimits(),
		FXFeed:     true,

		AllowedOrigins: DefaultAllowedOrigins(),
		Connections:    defaultConnections(),
	}
	err := source.apply(&c, command)
	if command != Admin {
		secrets, secretsErr := source.secrets()
		c.Secrets, err = secrets, errors.Join(err, secretsErr)
	}
	if command == ServeMCP {
		err = errors.Join(err, source.upstream(&c))
	}
	if err == nil && command == AdminConnections {
		err = c.checkConnections(command)
	}
	if err == nil && command != Admin && command != AdminConnections {
		err = errors.Join(c.checkReach(command), c.checkConnections(command), c.checkSignUp(), c.Providers.check(command), c.Mail.check(c.APIPublicURL))
	}
	if err != nil {
		return Serve{}, err
	}
	return c, nil
}

// upstream demands an explicit API: a default would send the keys of a
// self-hosted platform's users to somebody else's host.
func (s Source) upstream(c *Serve) error {
	value, given := s.env(envAPIURL)
	if !given {
		return &Error{Name: envAPIURL, Want: "the origin of the REST API, such as http://127.0.0.1:8081"}
	}
	if err := setOrigin(&c.Upstream, value); err != nil {
		return &Error{Name: envAPIURL, Value: value, Want: err.Error()}
	}
	return nil
}

// checkReach looks at who can reach the server. One that listens beyond
// loopback must be told its address, since it cannot know what proxies and names
// stand before it. The demo, whose key everybody knows, stays on this machine.
func (c *Serve) checkReach(command Command) error {
	var all []error
	check := func(listenFlag, listen, publicFlag, public string) {
		host, _, err := net.SplitHostPort(listen)
		local := err == nil && LoopbackHost(host)
		switch {
		case c.Demo && !local:
			all = append(all, &Error{Name: "--" + listenFlag, Value: listen, Want: "a loopback address such as 127.0.0.1:8080 with --demo, whose key is no secret"})
		case c.Demo && public != "" && !loopback(public):
			all = append(all, &Error{Name: "--" + publicFlag, Value: public, Want: "a loopback origin such as http://127.0.0.1:8080 with --demo, whose key is no secret"})
		case !local && public == "":
			all = append(all, &Error{Name: "--" + publicFlag, Want: "the https origin by which clients reach the server, since --" + listenFlag + " " + listen + " is not loopback"})
		}
	}
	if command != ServeMCP {
		check("api-listen", c.APIListen, "api-public-url", c.APIPublicURL)
	}
	if command != ServeAPI {
		check("mcp-listen", c.MCPListen, "public-url", c.PublicURL)
	}
	return errors.Join(all...)
}

// checkSignUp keeps apart what would give users away: who signs up with the
// address of somebody else would share a user with them once a provider vouches
// for the address.
func (c *Serve) checkSignUp() error {
	if c.SignUp && len(c.Providers.LinkVerifiedEmail) > 0 {
		return &Error{Name: "--signup", Value: "on", Want: "off with --link-verified-email, since nobody verifies the addresses of those who sign up"}
	}
	return nil
}

// serveSettings is the one list of what the serve commands can be told; flags,
// variables and docs/env.md follow from it.
func serveSettings() []Setting {
	api := []Command{ServeAll, ServeAPI}
	mcp := []Command{ServeAll, ServeMCP}
	return append([]Setting{
		{
			Flag: "data", Env: "GROWPANEL_DATA", Kind: "DIR", Default: DefaultData, Commands: []Command{ServeAll, ServeAPI, ServeMCP, Admin, AdminConnections},
			Help:  "folder of the embedded databases, made with mode 0700 when absent",
			apply: func(c *Serve, value string) error { return setFolder(&c.Data, value) },
		},
		{
			Flag: "api-listen", Env: "GROWPANEL_API_LISTEN", Kind: "HOST:PORT", Default: "127.0.0.1:8081", Commands: api,
			Help:  "address of the REST API; port 0 takes a free one",
			apply: func(c *Serve, value string) error { return setListen(&c.APIListen, value) },
		},
		{
			Flag: "mcp-listen", Env: "GROWPANEL_MCP_LISTEN", Kind: "HOST:PORT", Default: "127.0.0.1:8080", Commands: mcp,
			Help:  "address of the MCP endpoint; port 0 takes a free one",
			apply: func(c *Serve, value string) error { return setListen(&c.MCPListen, value) },
		},
		{
			Flag: "public-url", Env: "GROWPANEL_PUBLIC_URL", Kind: "ORIGIN", Default: "the MCP listen address", Commands: mcp,
			Help:  "origin by which clients reach the MCP endpoint; required unless it listens on loopback",
			apply: func(c *Serve, value string) error { return setPublic(&c.PublicURL, value) },
		},
		{
			Flag: "api-public-url", Env: "GROWPANEL_API_PUBLIC_URL", Kind: "ORIGIN", Default: "the API listen address", Commands: api,
			Help:  "origin by which clients reach the API; required unless it listens on loopback",
			apply: func(c *Serve, value string) error { return setPublic(&c.APIPublicURL, value) },
		},
		{
			Flag: "signup", Env: "GROWPANEL_SIGNUP", Default: "off", Commands: api,
			Help:  "let strangers create a user and an account of their own; their e-mail addresses are not verified",
			apply: func(c *Serve, value string) error { return setSwitch(&c.SignUp, value) },
		},
		{
			Flag: "demo", Env: "GROWPANEL_DEMO", Default: "off", Commands: api,
			Help:  "serve a made-up company with three years of history and print a key for it",
			apply: func(c *Serve, value string) error { return setSwitch(&c.Demo, value) },
		},
		{
			Flag: "fx-feed", Env: "GROWPANEL_FX_FEED", Default: "on; off with --demo", Commands: api,
			Help:  "fetch the European Central Bank's exchange rates every day; rates that were imported stay",
			apply: func(c *Serve, value string) error { return setSwitch(&c.FXFeed, value) },
		},
		{
			Flag: "now", Env: "GROWPANEL_NOW", Kind: "TIME", Default: "the wall clock", Commands: api,
			Help:  "pin what reports call today, as 2026-03-31 or 2026-03-31T09:00:00Z",
			apply: func(c *Serve, value string) error { return setTime(&c.Now, value) },
		},
		{
			Flag: "rate-limits", Env: "GROWPANEL_RATE_LIMITS", Kind: "LIMITS", Default: "default", Commands: api,
			Help:  "requests per minute and account: default, off, or GET=300,REPORT=30,POST=100,PUT=100,DELETE=50",
			apply: func(c *Serve, value string) error { return setLimits(&c.RateLimits, value) },
		},
		{
			Flag: "allow-private-networks", Env: "GROWPANEL_ALLOW_PRIVATE_NETWORKS", Kind: "NETWORKS", Default: "none", Commands: []Command{ServeAll, ServeAPI, ServeMCP},
			Help:  "networks such as 10.0.0.0/8 that are not public and that calls to the URLs of users may reach, then over http as well, separated by commas",
			apply: func(c *Serve, value string) error { return setNetworks(&c.PrivateNetworks, value) },
		},
		{
			Flag: "allowed-origins", Env: "GROWPANEL_ALLOWED_ORIGINS", Kind: "ORIGINS", Default: strings.Join(DefaultAllowedOrigins(), ","), Commands: mcp,
			Help:  "browser origins other than its own that may call the MCP endpoint, separated by commas",
			apply: func(c *Serve, value string) error { return setOrigins(&c.AllowedOrigins, value) },
		},
		{
			Flag: "read-only", Env: envReadOnly, Default: "off", Commands: []Command{ServeAll, ServeMCP, MCP},
			Help:  "offer and accept only MCP tools and actions that change nothing",
			apply: func(c *Serve, value string) error { return setSwitch(&c.ReadOnly, value) },
		},
	}, slices.Concat(connectionSettings(), providerSettings(), mailSettings())...)
}
