package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/oauth"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// checkup is what is found in a data folder.
type checkup struct {
	p    process
	sick bool
}

func (c *checkup) say(good bool, format string, args ...any) error {
	mark := "ok   "
	if !good {
		mark, c.sick = "FAIL ", true
	}
	return c.p.print("  " + mark + " " + fmt.Sprintf(format, args...))
}

// examineFolder checks a data folder without changing it.
func (p process) examineFolder(cmd *cobra.Command) error {
	cfg, err := config.LoadServe(p.source(cmd.Flags()), config.Admin)
	if err != nil {
		return err
	}
	c := &checkup{p: p}
	if _, err := os.Stat(filepath.Join(cfg.Data, sqlstore.FileName)); err != nil {
		return fmt.Errorf("there is no data in %s: choose its folder with --data: %w", cfg.Data, err)
	}
	if err := errors.Join(p.print(cfg.Data+"\n"), c.lock(cfg.Data), c.modes(cfg.Data), c.files(cmd.Context(), cfg.Data), c.copies(cfg.Data)); err != nil {
		return err
	}
	if !c.sick { // a damaged file is not opened
		if err := errors.Join(p.withStore(cmd, c.rates), c.connections(cmd)); err != nil {
			return err
		}
	}
	if c.sick {
		return errUnhealthy
	}
	return nil
}

func (c *checkup) lock(folder string) error {
	lock, err := sqldb.LockFolder(folder)
	if locked, ok := errors.AsType[*sqldb.LockedError](err); ok {
		return c.say(true, "a server is running, process %d", locked.PID)
	}
	if err != nil {
		return c.say(false, "the folder cannot be locked: %v", err)
	}
	return errors.Join(c.say(true, "no server is running"), lock.Release())
}

// modes looks whether other users of the machine could read what is secret.
func (c *checkup) modes(folder string) error {
	var open []string
	for _, name := range []string{sqlstore.FileName, oauthsql.FileName, config.SecretFile} {
		info, err := os.Stat(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return c.say(false, "%s: %v", name, err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		return c.say(false, "other users of this machine can read %v: chmod 600", open)
	}
	return c.say(true, "only this user can read the files")
}

func (c *checkup) files(ctx context.Context, folder string) error {
	for _, name := range []string{sqlstore.FileName, oauthsql.FileName} {
		info, err := os.Stat(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = sqldb.Check(ctx, filepath.Join(folder, name))
		}
		if err != nil {
			err = c.say(false, "%v", err)
		} else {
			err = c.say(true, "%s is whole, %.1f MB", name, float64(info.Size())/1e6)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copies tells of the data files that upgrades kept.
func (c *checkup) copies(folder string) error {
	kept, err := filepath.Glob(filepath.Join(folder, "*.db.schema-*"))
	if err != nil || len(kept) == 0 {
		return err
	}
	for i := range kept {
		kept[i] = filepath.Base(kept[i])
	}
	return c.say(true, "%v are from before upgrades: delete them when you will not go back; up to schema-8 they have the URLs and keys of webhooks readable", kept)
}

func (c *checkup) rates(ctx context.Context, store *sqlstore.Store) error {
	spans, err := store.Analytics().RateSpans(ctx)
	if err != nil {
		return err
	}
	feed, err := store.Analytics().FeedStatus(ctx)
	if err != nil {
		return err
	}
	stale := 0
	for _, s := range spans {
		if s.Last+fx.MaxAge < calendar.DayOf(c.p.now()) {
			stale++
		}
	}
	if err := c.say(feed.FailedFor == "", "%s", describeFeed(feed)); err != nil {
		return err
	}
	return c.say(true, "%d pairs of currencies have rates, %d of them too old for today; see growpanel admin fx status", len(spans), stale)
}

// connections looks whether the secrets open what assistants were given.
func (c *checkup) connections(cmd *cobra.Command) error {
	cfg, err := config.LoadServe(c.p.source(cmd.Flags()), config.AdminConnections)
	if err != nil {
		return err
	}
	_, noConnections := os.Stat(filepath.Join(cfg.Data, oauthsql.FileName))
	if noConnections != nil && cfg.Connections.RedisURL.IsZero() {
		return nil
	}
	_, noSecret := os.Stat(filepath.Join(cfg.Data, config.SecretFile))
	if noSecret != nil && len(cfg.Secrets) == 0 {
		return c.say(false, "the secret of the connections is missing: set GROWPANEL_SECRET or put the file %s back", config.SecretFile)
	}
	return c.p.withGrants(cmd, func(ctx context.Context, grants *oauth.Grants) error {
		lost, err := grants.LostKeys(ctx)
		if err != nil || len(lost) == 0 {
			return errors.Join(err, c.say(true, "the secret opens all connections"))
		}
		return errors.Join(c.say(false, "%d connections were made with another secret: add it to GROWPANEL_SECRET, or delete their API keys", len(lost)), c.list(lost))
	})
}

func (c *checkup) list(lost []oauth.LostKey) error {
	const most = 100
	for _, k := range lost[:min(len(lost), most)] {
		if err := c.p.print(fmt.Sprintf("         account %s (%s), API key %s of %s", k.Account, k.AccountName, k.KeyID, k.ClientName)); err != nil {
			return err
		}
	}
	if len(lost) > most {
		return c.p.print(fmt.Sprintf("         and %d more", len(lost)-most))
	}
	return nil
}
