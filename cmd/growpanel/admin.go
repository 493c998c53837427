package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// admin is operator work on a data folder. It needs no running server and does
// not disturb one: a server reads accounts, keys and rates from the database.
func (p process) admin() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Work on a data folder: accounts, people, API keys, exchange rates, backups"}
	rates := &cobra.Command{Use: "fx", Short: "Work on exchange rates"}
	rates.AddCommand(p.importRates(), p.ratesStatus())
	cmd.AddCommand(p.createAccount(), p.createKey(), p.importCSV(), p.backup(), p.restore(), p.doctor(), rates)
	cmd.AddCommand(p.users()...)
	cmd.AddCommand(p.auditLog(), p.billing())
	cmd.AddCommand(p.connections()...)
	return cmd
}

func (p process) createAccount() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create-account NAME",
		Short: "Create an account, unless there is one of this name, and print its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error {
				account, err := p.identity(store).EnsureAccount(ctx, args[0])
				if err != nil {
					return err
				}
				return p.print(account.ID)
			})
		},
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

// createKey prints the key alone, so that a script can use the output.
func (p process) createKey() *cobra.Command {
	var account, user, role, name string
	cmd := &cobra.Command{
		Use:   "create-key --account NAME",
		Short: "Create an API key, and its account if there is none of this name, and print the key",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error {
				token, err := createKey(ctx, p.identity(store), account, user, name, role)
				if err != nil {
					return err
				}
				return p.print(token.Reveal())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&account, "account", "", "`NAME` or id of the account")
	flags.StringVar(&user, "user", "", "`EMAIL` of the member whose key it is (default the account's first owner)")
	flags.StringVar(&role, "role", "admin", "`ROLE` of the key, admin or readonly")
	flags.StringVar(&name, "name", "command line", "`TEXT` by which to tell the key from others")
	if err := cmd.MarkFlagRequired("account"); err != nil {
		panic(err) // the flag is defined above
	}
	addSettings(flags, config.Admin)
	return cmd
}

func createKey(ctx context.Context, users *identity.Service, account, email, name, role string) (identity.Token, error) {
	// A wrong role or user must not leave an account behind.
	parsed, err := identity.ParseRole(role)
	if err != nil {
		return identity.Token{}, err
	}
	var user identity.User
	if email != "" {
		if user, err = users.UserByEmail(ctx, email); err != nil {
			return identity.Token{}, err
		}
	}
	owner, err := users.EnsureAccount(ctx, account)
	if err != nil {
		return identity.Token{}, err
	}
	_, token, err := users.CreateKey(ctx, identity.NewKey{Account: owner.ID, User: user.ID, Name: name, Role: parsed})
	return token, err
}

func (p process) importRates() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import exchange rates from a CSV file of date,base,quote,rate; - is standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rates, err := p.readRates(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error {
				if err := store.Analytics().ImportRates(ctx, rates); err != nil {
					return err
				}
				return p.print(fmt.Sprintf("imported %d rates", len(rates)))
			})
		},
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

func (p process) readRates(name string) (rates []fx.Rate, err error) {
	in := p.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		in = file
	}
	if rates, err = fx.ReadCSV(in); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rates, nil
}

// withStore opens the database of the command's data folder for the time of do.
func (p process) withStore(cmd *cobra.Command, do func(context.Context, *sqlstore.Store) error) (err error) {
	cfg, err := config.LoadServe(p.source(cmd.Flags()), config.Admin)
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(cmd.Context(), cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return do(cmd.Context(), store)
}

func (p process) identity(store *sqlstore.Store) *identity.Service {
	return identity.New(identity.Config{Store: store.Identity(), Now: p.now, Logger: p.logger()})
}

func (p process) print(line string) error {
	_, err := fmt.Fprintln(p.out, line)
	return err
}
