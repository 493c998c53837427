package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
)

// auditLog shows the audit log, newest first.
func (p process) auditLog() *cobra.Command {
	var since, user, account, kind string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who signed in, connected, revoked or changed what, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := sinceTime(since, p.now())
			if err != nil {
				return err
			}
			return p.withUsers(cmd, func(ctx context.Context, users *identity.Service) error {
				q := identity.AuditQuery{Since: from, Kind: identity.EventKind(kind), Limit: limit}
				if err := names(ctx, users, &q, user, account); err != nil {
					return err
				}
				events, err := users.Events(ctx, q)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printEventLines(events)
				}
				return p.printEvents(ctx, users, events)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&since, "since", "30d", "how far back: `TIME` as 24h, 30d, 2026-03-31 or 2026-03-31T09:00:00Z")
	flags.StringVar(&user, "user", "", "`EMAIL` or id of who did it or had it done")
	flags.StringVar(&account, "account", "", "`NAME` or id of the account")
	flags.StringVar(&kind, "kind", "", "`KIND` of event, such as sign_in_refused")
	flags.IntVar(&limit, "limit", 200, "`N` events at most, up to 1000")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object per line")
	addSettings(flags, config.Admin)
	return cmd
}

// names turns an address and an account's name into ids. An id stays one, so that
// what was done to a user or account that is gone can be read too.
func names(ctx context.Context, users *identity.Service, q *identity.AuditQuery, user, account string) error {
	q.User, q.Account = user, account
	if strings.Contains(user, "@") {
		u, err := users.UserByEmail(ctx, user)
		if err != nil {
			return err
		}
		q.User = u.ID
	}
	if account == "" {
		return nil
	}
	a, err := users.FindAccount(ctx, account)
	if errors.Is(err, identity.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	q.Account = a.ID
	return nil
}

// sinceTime reads an instant, a day or a length of time before now.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want 24h, 30d, 2026-03-31 or 2026-03-31T09:00:00Z", text)
}

// eventLine is an event as --json shows it.
type eventLine struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Account string    `json:"account,omitempty"`
	User    string    `json:"user,omitempty"`
	Key     string    `json:"key,omitempty"`
	Client  string    `json:"client,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Address string    `json:"address,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

func (p process) printEventLines(events []identity.Event) error {
	out := json.NewEncoder(p.out)
	for _, e := range events {
		line := eventLine{e.At, string(e.Kind), e.Account, e.User, e.Key, e.Client, e.Subject, e.Address, e.Reason, e.Detail}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// printEvents shows events with addresses instead of ids, as far as the users
// still exist.
func (p process) printEvents(ctx context.Context, users *identity.Service, events []identity.Event) error {
	emails := map[string]string{"": ""}
	email := func(id string) string {
		if known, ok := emails[id]; ok {
			return known
		}
		emails[id] = id
		if u, err := users.User(ctx, id); err == nil {
			emails[id] = u.Email
		}
		return emails[id]
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(table, "TIME\tEVENT\tWHO\tFROM\tWHAT"); err != nil {
		return err
	}
	for _, e := range events {
		var what []string
		for _, part := range []string{email(e.Subject), e.Detail, e.Client, e.Reason} {
			if part != "" {
				what = append(what, printable(part))
			}
		}
		who := email(e.User)
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.At.Format(time.RFC3339), printable(string(e.Kind)), who, e.Address, strings.Join(what, ", ")); err != nil {
			return err
		}
	}
	return table.Flush()
}

// printable keeps what clients call themselves from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
