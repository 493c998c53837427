package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// users are the commands about people. Like all of admin they work beside a
// running server, which takes notice within a second.
func (p process) users() []*cobra.Command {
	return []*cobra.Command{
		p.createUser(), p.resetPassword(),
		p.showUser(),
		p.onUser("disable-user", "Refuse a user everywhere, end their sessions and delete their keys", (*identity.Service).DisableUser),
		p.onUser("enable-user", "Let a disabled user in again; their keys do not come back", (*identity.Service).EnableUser),
		p.addMember(),
		p.setMember("set-role", "Change what a member may do, with effect on their next call", (*identity.Service).SetRole),
		p.removeMember(),
	}
}

// withUsers runs do with the identity service of the command's data folder.
func (p process) withUsers(cmd *cobra.Command, do func(context.Context, *identity.Service) error) error {
	return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error { return do(ctx, p.identity(store)) })
}

func (p process) createUser() *cobra.Command {
	var firstName, lastName, account, role string
	var fromInput, none bool
	cmd := &cobra.Command{
		Use:   "create-user EMAIL",
		Short: "Create a user, with --account as its member, and print the password that was drawn",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			parsed, err := identity.ParseRole(role)
			if err != nil {
				return err
			}
			password, drawn, err := p.newPassword(fromInput, none)
			if err != nil {
				return err
			}
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				u, err := users.CreateUser(ctx, args[0], password, identity.Profile{FirstName: firstName, LastName: lastName})
				if err != nil {
					return err
				}
				if account != "" {
					a, err := users.EnsureAccount(ctx, account)
					if err != nil {
						return err
					}
					if err := users.AddMember(ctx, a.ID, u.ID, parsed); err != nil {
						return err
					}
				}
				return p.printDrawn(password, drawn)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&account, "account", "", "`NAME` or id of an account to make the user a member of; created if there is none of this name")
	flags.StringVar(&role, "role", "owner", "`ROLE` in that account: owner, admin or readonly")
	flags.StringVar(&firstName, "first-name", "", "`TEXT`")
	flags.StringVar(&lastName, "last-name", "", "`TEXT`")
	flags.BoolVar(&none, "no-password", false, "for a user who signs in by a provider alone")
	passwordFlag(cmd, &fromInput)
	addSettings(flags, config.Admin)
	return cmd
}

func (p process) resetPassword() *cobra.Command {
	var fromInput bool
	var also identity.PasswordReset
	cmd := &cobra.Command{
		Use:   "reset-password EMAIL",
		Short: "Set a new password, end the user's sessions, and print the password that was drawn",
		Long: "Set a new password, end the user's sessions, and print the password that was drawn. What else\n" +
			"lets somebody in as the user is named on standard error and stays, unless --unlink or\n" +
			"--revoke-connections is given: take both when somebody else may have had the account.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, drawn, err := p.newPassword(fromInput, false)
			if err != nil {
				return err
			}
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				u, err := users.UserByEmail(ctx, args[0])
				if err != nil {
					return err
				}
				if err := users.ResetPassword(ctx, u.ID, password, also); err != nil {
					return err
				}
				if err := p.tellLogins(ctx, users, u); err != nil {
					return err
				}
				return p.printDrawn(password, drawn)
			})
		},
	}
	passwordFlag(cmd, &fromInput)
	cmd.Flags().BoolVar(&also.Disconnect, "revoke-connections", false, "delete the keys of the user's connected assistants as well")
	cmd.Flags().BoolVar(&also.Unlink, "unlink", false, "forget the providers, such as Google, by which the user signs in as well")
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

func passwordFlag(cmd *cobra.Command, fromInput *bool) {
	cmd.Flags().BoolVar(fromInput, "password-stdin", false, "take the password from the first line of standard input instead of drawing one")
}

// newPassword reads a password or draws one. It is never an argument: those are
// seen by other users of the machine.
func (p process) newPassword(fromInput, none bool) (password string, drawn bool, err error) {
	switch {
	case none && fromInput:
		return "", false, errors.New("--no-password and --password-stdin exclude each other")
	case none:
		return "", false, nil
	case !fromInput:
		return rand.Text(), true, nil
	}
	line, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("read the password: %w", err)
	}
	if password = strings.TrimRight(line, "\r\n"); password == "" {
		return "", false, errors.New("standard input has no password")
	}
	return password, false, nil
}

func (p process) printDrawn(password string, drawn bool) error {
	if !drawn {
		return nil
	}
	return p.print(password)
}

// onUser is a command that does one thing to one user.
func (p process) onUser(name, short string, do func(s *identity.Service, ctx context.Context, id string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: name + " EMAIL", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				u, err := users.UserByEmail(ctx, args[0])
				if err != nil {
					return err
				}
				return do(users, ctx, u.ID)
			})
		},
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

// setMember is a command that gives a user a role in an account.
func (p process) setMember(name, short string, do func(s *identity.Service, ctx context.Context, account, user string, role identity.Role) error) *cobra.Command {
	var role string
	cmd := p.onMember(name, short, func(ctx context.Context, users *identity.Service, account, user string) error {
		parsed, err := identity.ParseRole(role)
		if err != nil {
			return err
		}
		return do(users, ctx, account, user, parsed)
	})
	cmd.Flags().StringVar(&role, "role", "", "`ROLE`: owner, admin or readonly")
	if err := cmd.MarkFlagRequired("role"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (p process) removeMember() *cobra.Command {
	return p.onMember("remove-member", "Remove a member from an account and delete their keys in it",
		func(ctx context.Context, users *identity.Service, account, user string) error {
			return users.RemoveMember(ctx, account, user)
		})
}

// onMember is a command about a user and an account that exist.
func (p process) onMember(name, short string, do func(ctx context.Context, users *identity.Service, account, user string) error) *cobra.Command {
	var account string
	cmd := &cobra.Command{
		Use: name + " EMAIL --account NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				u, err := users.UserByEmail(ctx, args[0])
				if err != nil {
					return err
				}
				a, err := users.FindAccount(ctx, account)
				if err != nil {
					return err
				}
				return do(ctx, users, a.ID, u.ID)
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "`NAME` or id of the account")
	if err := cmd.MarkFlagRequired("account"); err != nil {
		panic(err) // the flag is defined above
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}
