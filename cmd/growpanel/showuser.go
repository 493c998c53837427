package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/cli"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
)

func (p process) showUser() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show-user EMAIL", Short: "Tell who a user is: how they came, how they sign in, and their accounts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				u, err := users.UserByEmail(ctx, args[0])
				if err != nil {
					return err
				}
				lines, err := describeUser(ctx, users, u)
				if err != nil {
					return err
				}
				return p.print(strings.Join(lines, "\n"))
			})
		},
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

// describeUser tells an operator who a user is, in lines. Names are the user's own
// words: none of them turns around or breaks what stands beside it.
func describeUser(ctx context.Context, users *identity.Service, u identity.User) ([]string, error) {
	came := map[identity.Origin]string{
		identity.ByOperator: "created by the operator", identity.BySignUp: "signed up; nobody has proved that the address is theirs",
		identity.ByInvitation: "came by an invitation; whoever had its link has the address",
	}
	lines := []string{
		cli.Printable(strings.TrimSpace(u.Email+"  "+u.FirstName+" "+u.LastName)) + "  " + u.ID,
		came[u.Origin] + ", " + dateOf(u.CreatedAt),
	}
	if u.Disabled() {
		lines = append(lines, "disabled since "+dateOf(u.DisabledAt))
	}
	if u.Password.Stored() == "" {
		lines = append(lines, "has no password")
	} else {
		lines = append(lines, "has a password")
	}
	logins, err := describeLogins(ctx, users, u)
	if err != nil {
		return nil, err
	}
	lines = append(lines, logins...)
	if u.LastSignIn.IsZero() {
		lines = append(lines, "has never signed in")
	} else {
		lines = append(lines, "signed in last on "+dateOf(u.LastSignIn))
	}
	accounts, err := users.Memberships(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range accounts {
		lines = append(lines, fmt.Sprintf("%s of %s (%s)", m.Role, cli.Printable(m.Account.Name), m.Account.ID))
	}
	return lines, nil
}

func describeLogins(ctx context.Context, users *identity.Service, u identity.User) (lines []string, err error) {
	logins, err := users.Logins(ctx, u.ID)
	for _, l := range logins {
		lines = append(lines, fmt.Sprintf("signs in by %s as %s, linked %s", l.Issuer, cli.Printable(l.Subject), dateOf(l.At)))
	}
	return lines, err
}

func dateOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// tellLogins names on standard error the providers that let a user in whatever
// their password.
func (p process) tellLogins(ctx context.Context, users *identity.Service, u identity.User) error {
	lines, err := describeLogins(ctx, users, u)
	if err != nil || len(lines) == 0 {
		return err
	}
	_, err = fmt.Fprintf(p.err, "%s still\n  %s\n--unlink ends that\n", u.Email, strings.Join(lines, "\n  "))
	return err
}

// addMember asks to say --yes for a user whom somebody else than the operator
// made: the address may not be theirs.
func (p process) addMember() *cobra.Command {
	var yes bool
	cmd := p.setMember("add-member", "Make a user a member of an account",
		func(users *identity.Service, ctx context.Context, account, user string, role identity.Role) error {
			u, err := users.User(ctx, user)
			if err != nil {
				return err
			}
			lines, err := describeUser(ctx, users, u)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(p.err, strings.Join(lines, "\n")); err != nil {
				return err
			}
			if u.Origin != identity.ByOperator && !yes {
				return errors.New("the operator did not create this user: make sure who it is and repeat the command with --yes, or send an invitation")
			}
			return users.AddMember(ctx, account, user, role)
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "the user is who they say, although the operator did not create them")
	return cmd
}
