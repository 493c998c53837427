package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/oauth"
	oauthsql "github.com/growpanel/growpanel-mcp/oauth/sqlstore"
)

// connections are the commands about what assistants hold.
func (p process) connections() []*cobra.Command {
	token := &cobra.Command{Use: "token", Short: "Work on the tokens of connected assistants"}
	token.AddCommand(p.inspectToken())
	return []*cobra.Command{token, p.rotateSecret()}
}

// inspection is what an operator sees of a token. The API key behind it stays
// sealed.
type inspection struct {
	Active     bool   `json:"active"`
	Kind       string `json:"kind,omitempty"`
	Connection string `json:"connection,omitempty"`
	Client     string `json:"client,omitempty"`
	ClientName string `json:"client_name,omitempty"`
	User       string `json:"user,omitempty"`
	Account    string `json:"account,omitempty"`
	Role       string `json:"role,omitempty"`
	Scope      string `json:"scope,omitempty"`
	Resource   string `json:"resource,omitempty"`
	IssuedAt   string `json:"issued_at,omitempty"`
	ExpiresAt  string `json:"expires_at,omitempty"`
}

func (p process) inspectToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Tell whose token standard input has, and whether it is good",
		Long: "Tell whose access or refresh token the first line of standard input has, and whether it is good. " +
			"It is no argument, because those are seen by other users of the machine.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			line, err := bufio.NewReader(p.in).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read the token: %w", err)
			}
			token := strings.TrimSpace(line)
			if !oauth.IsToken(token) {
				return errors.New("standard input has no token: want one that begins with gpa_ or gpr_")
			}
			return p.withGrants(cmd, func(ctx context.Context, grants *oauth.Grants) error {
				info, err := grants.Inspect(ctx, oauth.NewSecret(token))
				if err != nil {
					return err
				}
				return p.printInspection(info)
			})
		},
	}
	addSettings(cmd.Flags(), config.AdminConnections)
	return cmd
}

func (p process) printInspection(info oauth.TokenInfo) error {
	shown := inspection{Active: info.Active}
	if info.Active {
		shown = inspection{
			Active: true, Kind: info.Kind, Connection: info.Family.String(), Client: info.Grant.Client, ClientName: info.Grant.ClientName,
			User: info.Grant.UserName, Account: info.Grant.AccountName, Role: info.Grant.Role, Scope: info.Scope, Resource: info.Grant.Resource,
			IssuedAt: info.IssuedAt.Format(time.RFC3339), ExpiresAt: info.ExpiresAt.Format(time.RFC3339),
		}
	}
	text, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		return err
	}
	return p.print(string(text))
}

func (p process) rotateSecret() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate-secret",
		Short: "Seal anew, with the first secret of GROWPANEL_SECRET, what an older one sealed",
		Long: "Seal anew, with the first secret of GROWPANEL_SECRET, what an older one sealed. " +
			"Put a new secret before the old one and restart the servers, which seals anew what the API holds; then run this. " +
			"The old secret may go when the life of a refresh token has passed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withGrants(cmd, func(ctx context.Context, grants *oauth.Grants) error {
				changed, err := grants.Reseal(ctx)
				if err != nil {
					return err
				}
				return p.print(fmt.Sprintf("sealed %d records anew", changed))
			})
		},
	}
	addSettings(cmd.Flags(), config.AdminConnections)
	return cmd
}

// withGrants opens what the authorization server keeps for the time of do. It
// works beside running servers.
func (p process) withGrants(cmd *cobra.Command, do func(context.Context, *oauth.Grants) error) (err error) {
	cfg, err := config.LoadServe(p.source(cmd.Flags()), config.AdminConnections)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, oauthsql.FileName)); err != nil && cfg.Connections.RedisURL.IsZero() {
		return fmt.Errorf("the data folder has no connections: %w", err)
	}
	pf := &platform{log: p.logger()}
	defer func() { err = errors.Join(err, pf.close()) }()
	store, _, err := pf.openGrantStore(cmd.Context(), p, cfg, cfg.Data)
	if err != nil {
		return err
	}
	secrets, err := cfg.FolderSecrets(cfg.Data)
	if err != nil {
		return err
	}
	keys, err := newKeyring(secrets)
	if err != nil {
		return err
	}
	// Neither command asks the API.
	return do(cmd.Context(), oauth.New(oauth.Config{Store: store, Keys: keys, Logger: pf.log, Now: p.now, Audit: func(context.Context, oauth.AuditEvent) {}}))
}
