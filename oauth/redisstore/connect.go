package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	dialTimeout = 2 * time.Second
	callTimeout = 2 * time.Second
	// minVersion is the first Redis with read-only scripts and PEXPIRETIME.
	minVersion = 7
)

// connect returns a client that fits the server, after it has passed the check.
func connect(ctx context.Context, cfg Config) (redis.UniversalClient, error) {
	options, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errors.New("the URL is not redis://, rediss:// or unix://") // the error would repeat a password
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dialTimeout, callTimeout, callTimeout
	options.ContextTimeoutEnabled = true
	// A step that was sent may have been taken: whoever asked decides again.
	options.MaxRetries, options.DialerRetries = -1, 1
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	single := redis.NewClient(options)
	clustered, err := inspect(ctx, single, cfg.AllowLoss)
	if err != nil {
		return nil, errors.Join(err, single.Close())
	}
	if !clustered {
		return single, nil
	}
	if err := single.Close(); err != nil {
		return nil, err
	}
	return connectCluster(ctx, options, cfg.AllowLoss)
}

func connectCluster(ctx context.Context, seed *redis.Options, allowLoss bool) (redis.UniversalClient, error) {
	cluster := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{seed.Addr}, Username: seed.Username, Password: seed.Password, TLSConfig: seed.TLSConfig,
		DialTimeout: dialTimeout, ReadTimeout: callTimeout, WriteTimeout: callTimeout, ContextTimeoutEnabled: true,
		Protocol: seed.Protocol, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1,
		MaintNotificationsConfig: seed.MaintNotificationsConfig,
	})
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		_, err := inspect(ctx, master, allowLoss)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return cluster, nil
}

// inspect refuses a server that is too old or may lose what it acknowledges.
func inspect(ctx context.Context, server *redis.Client, allowLoss bool) (clustered bool, err error) {
	info, err := server.Info(ctx, "server", "cluster").Result()
	if err != nil {
		return false, fmt.Errorf("ask %s: %w", server.Options().Addr, err)
	}
	var major int
	version := infoField(info, "redis_version")
	if _, err := fmt.Sscanf(version, "%d.", &major); err != nil || major < minVersion {
		return false, fmt.Errorf("%s is Redis %s; version %d or newer is needed", server.Options().Addr, version, minVersion)
	}
	clustered = infoField(info, "cluster_enabled") == "1"
	if allowLoss {
		return clustered, nil
	}
	return clustered, checkDurable(ctx, server)
}

func checkDurable(ctx context.Context, server *redis.Client) error {
	for name, want := range map[string]string{"appendonly": "yes", "maxmemory-policy": "noeviction"} {
		settings, err := server.ConfigGet(ctx, name).Result()
		if err != nil {
			return fmt.Errorf("%s does not tell its setting %s (%w); if it is %s, allow loss to start anyway",
				server.Options().Addr, name, err, want)
		}
		if settings[name] != want {
			return fmt.Errorf("%s has %s %s and would lose connections; set it to %s, or allow loss to start anyway",
				server.Options().Addr, name, settings[name], want)
		}
	}
	return nil
}

// infoField returns a line of INFO.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
