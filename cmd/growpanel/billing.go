package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/growpanel/growpanel-mcp/billing"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// billing shows or changes what is noted of an account's plan. What is given is
// set, what is given empty is removed.
func (p process) billing() *cobra.Command {
	var account string
	cmd := &cobra.Command{
		Use:   "billing --account NAME",
		Short: "Show what is noted of an account's plan as JSON, after changing what is given",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error {
				users := p.identity(store)
				a, err := users.FindAccount(ctx, account)
				if err != nil {
					return err
				}
				record, err := setBilling(ctx, users, store.Billing(), a.ID, cmd.Flags())
				if err != nil {
					return err
				}
				text, err := json.MarshalIndent(record, "", "  ")
				if err != nil {
					return err
				}
				return p.print(string(text))
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&account, "account", "", "`NAME` or id of the account")
	if err := cmd.MarkFlagRequired("account"); err != nil {
		panic(err) // the flag is defined above
	}
	for _, f := range billingFlags() {
		flags.String(f.name, "", f.help)
	}
	addSettings(flags, config.Admin)
	return cmd
}

// billingFlag sets one field of a record.
type billingFlag struct {
	name, help string
	set        func(r *billing.Record, value string) error
}

func billingFlags() []billingFlag {
	return []billingFlag{
		{"plan", "`NAME` of the plan", func(r *billing.Record, v string) error {
			if v == "" {
				*r = billing.Record{Address: r.Address, VATNumber: r.VATNumber}
				return nil
			}
			return r.Choose(v, r.Cycle)
		}},
		{"cycle", "`CYCLE`: monthly or yearly", func(r *billing.Record, v string) error { return oneOf(&r.Cycle, v, billing.Monthly, billing.Yearly) }},
		{"status", "`STATUS`: trialing, active, past_due or cancelled", func(r *billing.Record, v string) error {
			text := string(r.Status)
			err := oneOf(&text, v, string(billing.Trialing), string(billing.Active), string(billing.PastDue), string(billing.Cancelled))
			r.Status = billing.Status(text)
			return err
		}},
		{"period-start", "first `DAY` of the period that is paid for", func(r *billing.Record, v string) error { return day(&r.PeriodStart, v) }},
		{"period-end", "last `DAY` of it", func(r *billing.Record, v string) error { return day(&r.PeriodEnd, v) }},
		{"cancel-at", "`DAY` on which the plan ends", func(r *billing.Record, v string) error { return day(&r.CancelAt, v) }},
		{"mrr-limit", "MRR that the plan allows, in minor `UNITS` of the account's currency", func(r *billing.Record, v string) error { return limit(&r.MRRLimit, v) }},
		{"customer-limit", "paying customers that the plan allows, as a `NUMBER`", func(r *billing.Record, v string) error { return limit(&r.CustomerLimit, v) }},
	}
}

// setBilling changes the record by the flags that were given, if any.
func setBilling(ctx context.Context, users *identity.Service, records billing.Store, account string, given *pflag.FlagSet) (billing.Record, error) {
	flags := slices.DeleteFunc(billingFlags(), func(f billingFlag) bool { return !given.Changed(f.name) })
	if len(flags) == 0 {
		return records.Billing(ctx, account)
	}
	record, err := records.ChangeBilling(ctx, account, func(r *billing.Record) error {
		for _, f := range flags {
			value, err := given.GetString(f.name)
			if err != nil {
				return err
			}
			if err := f.set(r, value); err != nil {
				return fmt.Errorf("--%s: %w", f.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return billing.Record{}, err
	}
	return record, users.Record(ctx, identity.Event{Kind: identity.BillingChanged, Account: account, Detail: record.Plan})
}

func oneOf(to *string, value string, words ...string) error {
	if value != "" && !slices.Contains(words, value) {
		return fmt.Errorf("want one of %q", words)
	}
	*to = value
	return nil
}

func day(to *string, value string) error {
	if _, err := time.Parse(time.DateOnly, value); value != "" && err != nil {
		return errors.New("want a day such as 2026-03-31")
	}
	*to = value
	return nil
}

func limit(to **int64, value string) error {
	if value == "" {
		*to = nil
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return errors.New("want a whole number from 0")
	}
	*to = &n
	return nil
}
