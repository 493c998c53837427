package config

import (
	"errors"
	"time"
)

// Connections is how the authorization server behaves.
type Connections struct {
	// RedisURL keeps its state in Redis, for several replicas; zero keeps it in
	// the data folder, for one. It may hold a password.
	RedisURL Secret
	// AllowRedisLoss accepts a Redis that may lose or evict what it acknowledged.
	AllowRedisLoss bool
	// AccessTTL and RefreshTTL are how long tokens live.
	AccessTTL, RefreshTTL time.Duration
	// EmitIss sends and advertises the iss parameter (RFC 9207).
	EmitIss bool
	// IntrospectionSecret is the password of the user introspect (RFC 7662); zero
	// serves no introspection.
	IntrospectionSecret Secret
}

const day = 24 * time.Hour

func defaultConnections() Connections {
	return Connections{AccessTTL: 30 * day, RefreshTTL: 90 * day, EmitIss: true}
}

// DefaultAllowedOrigins are the pages of assistants that call MCP servers from
// the browser, and those of the MCP Inspector.
func DefaultAllowedOrigins() []string {
	return []string{"https://claude.ai", "https://chatgpt.com", "https://vscode.dev", "http://localhost:6274", "http://127.0.0.1:6274"}
}

// checkConnections demands what replicas need: each would draw a secret of its
// own, and none could read what another sealed.
func (c *Serve) checkConnections(command Command) error {
	if command != ServeAPI && !c.Connections.RedisURL.IsZero() && len(c.Secrets) == 0 {
		return &Error{Name: envSecret, Want: "the same secret of 32 bytes or more on every replica, since the connections are in Redis"}
	}
	return nil
}

func connectionSettings() []Setting {
	mcp := []Command{ServeAll, ServeMCP}
	all := []Command{ServeAll, ServeAPI, ServeMCP}
	store := append(mcp, AdminConnections)
	return []Setting{
		{
			Flag: "redis-url", Env: "GROWPANEL_REDIS_URL", Kind: "URL", Default: "none: `oauth.db` in the data folder", Commands: store, Secret: true,
			Help:  "Redis that keeps the connections of assistants, such as rediss://user:password@redis.example.com:6379/0; needed for more than one replica",
			apply: func(c *Serve, value string) error { return setRedis(&c.Connections.RedisURL, value) },
		},
		{
			Flag: "allow-redis-loss", Env: "GROWPANEL_ALLOW_REDIS_LOSS", Default: "off", Commands: store,
			Help:  "start with a Redis that has no append-only file or may evict keys; after a restart of Redis assistants may have to connect again",
			apply: func(c *Serve, value string) error { return setSwitch(&c.Connections.AllowRedisLoss, value) },
		},
		{
			Flag: "access-ttl", Env: "GROWPANEL_ACCESS_TTL", Kind: "DURATION", Default: "30d", Commands: mcp,
			Help:  "how long an access token of an assistant lives, such as 12h or 30d",
			apply: func(c *Serve, value string) error { return setDuration(&c.Connections.AccessTTL, value) },
		},
		{
			Flag: "refresh-ttl", Env: "GROWPANEL_REFRESH_TTL", Kind: "DURATION", Default: "90d", Commands: all,
			Help:  "how long a connection lives without being used",
			apply: func(c *Serve, value string) error { return setDuration(&c.Connections.RefreshTTL, value) },
		},
		{
			Flag: "emit-iss", Env: "GROWPANEL_EMIT_ISS", Default: "on", Commands: mcp,
			Help:  "send and advertise the iss parameter of authorization answers (RFC 9207); `--emit-iss=false` for clients that stumble over it",
			apply: func(c *Serve, value string) error { return setSwitch(&c.Connections.EmitIss, value) },
		},
		{
			Env: "GROWPANEL_INTROSPECTION_SECRET", Default: "no introspection", Commands: mcp, Secret: true,
			Help:  "password of the user `introspect` at `/introspect` (RFC 7662), 32 bytes or more",
			apply: func(c *Serve, value string) error { return setLongSecret(&c.Connections.IntrospectionSecret, value) },
		},
		{
			Flag: "trusted-proxies", Env: "GROWPANEL_TRUSTED_PROXIES", Kind: "NETWORKS", Default: "none", Commands: all,
			Help:  "networks of your own proxies, such as 10.0.0.0/8, separated by commas: their X-Forwarded-For says where a request comes from",
			apply: func(c *Serve, value string) error { return setNetworks(&c.TrustedProxies, value) },
		},
		{
			Env: "GROWPANEL_INTERNAL_TOKEN", Default: "none", Commands: all, Secret: true,
			Help:  "secret of 32 bytes or more that `serve mcp` and `serve api` share when they run apart: with it the API counts sign-in attempts per browser instead of per server",
			apply: func(c *Serve, value string) error { return setLongSecret(&c.InternalToken, value) },
		},
	}
}

// errDuration says what setDuration takes.
var errDuration = errors.New("a time from 1s to 365d, such as 30d, 12h or 15m")
