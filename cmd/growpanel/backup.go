package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/internal/backup"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// backup writes the data folder into one file while a server may be using it.
func (p process) backup() *cobra.Command {
	var withSecret bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the data folder into one verified file, while a server may be using it",
		Long: "Write the data folder into one file, while a server may be using it. The file holds\n" +
			"every account as of one moment; it is read again and checked before the command ends.\n" +
			"Keep it as safe as the data folder. The secret is left out unless --include-secret is\n" +
			"given: without it, a restored folder has lost its assistants' connections, the\n" +
			"credentials of its data sources and the URLs and keys of its webhooks, but nothing else.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.LoadServe(p.source(cmd.Flags()), config.Admin)
			if err != nil {
				return err
			}
			m, err := p.writeBackup(cmd.Context(), cfg.Data, args[0], withSecret)
			if err != nil {
				return err
			}
			return p.print("backed up " + contents(m) + " to " + args[0])
		},
	}
	cmd.Flags().BoolVar(&withSecret, "include-secret", false, "put the secret of the data folder into the file as well")
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

func (p process) writeBackup(ctx context.Context, folder, archive string, withSecret bool) (_ backup.Manifest, err error) {
	// Beside the archive there must be room for it anyway.
	copies, err := os.MkdirTemp(filepath.Dir(archive), ".growpanel-backup-*")
	if err != nil {
		return backup.Manifest{}, fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(copies)) }()
	names := []string{sqlstore.FileName, oauthsql.FileName}
	if withSecret {
		names = append(names, config.SecretFile)
	}
	var found []string
	for _, name := range names {
		err := copyFile(ctx, folder, copies, name)
		if name != sqlstore.FileName && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return backup.Manifest{}, fmt.Errorf("back up: %w", err)
		}
		found = append(found, name)
	}
	return backup.Write(archive, copies, found, backup.Manifest{CreatedAt: p.now().UTC().Truncate(time.Second), Version: version})
}

// copyFile copies a file of the data folder, a data file as of one moment.
func copyFile(ctx context.Context, from, to, name string) error {
	if strings.HasSuffix(name, ".db") {
		return sqldb.Copy(ctx, filepath.Join(from, name), filepath.Join(to, name))
	}
	text, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), text, 0o600)
}

func contents(m backup.Manifest) string {
	size := int64(0)
	var names []string
	for _, f := range m.Files {
		size += f.Size
		names = append(names, f.Name)
	}
	return fmt.Sprintf("%s (%.1f MB, %s)", strings.Join(names, ", "), float64(size)/1e6, m.CreatedAt.Format(time.RFC3339))
}

// restore replaces what is in the data folder by what is in a backup.
func (p process) restore() *cobra.Command {
	var force, keepConnections bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into the data folder, which no server may be using",
		Long: "Put a backup into the data folder, which no server may be using. The whole file is checked\n" +
			"before anything changes. A folder that has data is refused unless --force is given; what\n" +
			"was there is then moved into a folder of its own, not deleted.\n\n" +
			"Assistants have to be connected again, because their tokens may have moved on since the\n" +
			"backup; --keep-connections leaves them as they were.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.LoadServe(p.source(cmd.Flags()), config.Admin)
			if err != nil {
				return err
			}
			m, aside, err := p.readBackup(cmd.Context(), args[0], cfg.Data, force, keepConnections)
			if err != nil {
				return err
			}
			if aside != "" {
				if err := p.print("moved what was there to " + aside); err != nil {
					return err
				}
			}
			return p.print("restored " + contents(m) + " into " + cfg.Data)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&force, "force", false, "replace the data that is there, which is moved aside")
	flags.BoolVar(&keepConnections, "keep-connections", false, "leave the assistants' connections as they were")
	addSettings(flags, config.Admin)
	return cmd
}

// readBackup returns where it moved what was there, "" when there was nothing.
func (p process) readBackup(ctx context.Context, archive, folder string, force, keepConnections bool) (_ backup.Manifest, aside string, err error) {
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		return backup.Manifest{}, "", err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	existing, err := dataFiles(folder)
	if err != nil {
		return backup.Manifest{}, "", err
	}
	if len(existing) > 0 && !force {
		return backup.Manifest{}, "", fmt.Errorf("%s has data already: choose another --data, or --force to move it aside", folder)
	}
	fresh, err := os.MkdirTemp(folder, ".restore-*")
	if err != nil {
		return backup.Manifest{}, "", fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	m, err := backup.Extract(archive, fresh)
	if err != nil {
		return m, "", fmt.Errorf("restore: %w", err)
	}
	if err := p.checkRestored(ctx, fresh, m, keepConnections); err != nil {
		return m, "", fmt.Errorf("restore %s: %w", archive, err)
	}
	aside, err = swap(folder, fresh, existing, m, p.now())
	return m, aside, err
}

// checkRestored opens the files as a server would, so that a backup that this
// program cannot use replaces nothing.
func (p process) checkRestored(ctx context.Context, folder string, m backup.Manifest, keepConnections bool) error {
	if !m.Has(sqlstore.FileName) {
		return fmt.Errorf("it has no %s", sqlstore.FileName)
	}
	for _, f := range m.Files {
		if strings.HasSuffix(f.Name, ".db") {
			if err := sqldb.Check(ctx, filepath.Join(folder, f.Name)); err != nil {
				return err
			}
		}
	}
	store, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	if !m.Has(oauthsql.FileName) {
		return nil
	}
	connections, err := oauthsql.Open(ctx, folder, oauthsql.Config{Now: p.now})
	if err != nil {
		return err
	}
	if !keepConnections {
		err = connections.EndAll(ctx)
	}
	return errors.Join(err, connections.Close())
}

// dataFiles lists what belongs to a data folder's data: the data files, their
// journals and the secret. Copies that upgrades kept stay where they are.
func dataFiles(folder string) ([]string, error) {
	var names []string
	for _, name := range []string{sqlstore.FileName, oauthsql.FileName, config.SecretFile} {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_, err := os.Lstat(filepath.Join(folder, name+suffix))
			if err == nil {
				names = append(names, name+suffix)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return names, nil
}

// swap moves what is there aside and what is fresh into its place. The secret of
// a folder stays unless the backup brings one.
func swap(folder, fresh string, existing []string, m backup.Manifest, now time.Time) (aside string, err error) {
	if len(existing) > 0 {
		aside = filepath.Join(folder, "before-restore-"+now.UTC().Format("20060102-150405"))
		if err := os.Mkdir(aside, 0o700); err != nil {
			return "", fmt.Errorf("restore: %w", err)
		}
	}
	for _, name := range existing {
		if name == config.SecretFile && !m.Has(name) {
			continue
		}
		if err := os.Rename(filepath.Join(folder, name), filepath.Join(aside, name)); err != nil {
			return aside, fmt.Errorf("restore: move %s aside: %w; what was there is in %s", name, err, aside)
		}
	}
	for _, f := range m.Files {
		if err := os.Rename(filepath.Join(fresh, f.Name), filepath.Join(folder, f.Name)); err != nil {
			return aside, fmt.Errorf("restore: %w; what was there is in %s", err, aside)
		}
	}
	return aside, sqldb.SyncFolder(folder)
}
