package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func (c *client) account() *cobra.Command {
	keys := group("api-keys", "Manage API keys",
		c.get("list", "List API keys", "account", "api-keys"),
		c.send("create", "Create an API key; it is shown once", http.MethodPost, "account", "api-keys"),
		c.send("update <id>", "Rename a key or change its role", http.MethodPut, "account", "api-keys"),
		c.byID("delete <id>", "Delete a key at once", http.MethodDelete, "account", "api-keys"))
	return group("account", "Show and change the account, its plan, its team and its API keys",
		c.get("get", "Show the account", "account"),
		c.send("update", "Change name, base currency, time zone or first day of the week", http.MethodPost, "account"),
		c.deleteAccount(),
		c.post("undo-deletion", "Keep an account whose deletion has begun", "account", "undo-deletion"),
		c.billing(), c.team(), keys)
}

func (c *client) billing() *cobra.Command {
	at := func(name string) []string { return []string{"account", "billing", name} }
	return group("billing", "Show and change what is noted of the account's plan",
		c.get("details", "Show the plan, its limits and the billing address", "account", "billing"),
		c.get("invoices", "List bills", at("invoices")...),
		c.get("portal", "Open the payment provider's portal, where there is one", at("portal")...),
		c.checkVAT(),
		c.send("subscribe", "Choose a plan", http.MethodPost, at("subscribe")...),
		c.send("address", "Change the billing address", http.MethodPost, at("address")...),
		c.post("setup", "Add a card, where there is a payment provider", at("setup")...),
		c.send("preview-change", "See what another plan would change", http.MethodPost, at("preview-change")...),
		c.send("change-plan", "Change the plan", http.MethodPost, at("change-plan")...),
		c.post("undo-cancellation", "Keep a plan that was cancelled", at("undo-cancellation")...),
		c.byID("delete-card <id>", "Delete a card, where there is a payment provider", http.MethodDelete, at("cards")...))
}

func (c *client) team() *cobra.Command {
	return group("team", "Manage who can use the account",
		c.get("list", "List members and invitations", "account", "team"),
		c.send("invite", "Invite somebody; the answer has the link to send them", http.MethodPost, "account", "team", "invite"),
		c.send("edit <user-id>", "Change a member's role", http.MethodPut, "account", "team"),
		c.byID("remove <user-id>", "Remove a member and delete their keys", http.MethodDelete, "account", "team"),
		c.byID("revoke-invite <email>", "Take an invitation back", http.MethodDelete, "account", "team", "invites"),
		c.byID("resend-invite <email>", "Make a new link for an invitation; the old one stops working", http.MethodPost, "account", "team", "resend"))
}

// post is a command without arguments and body.
func (c *client) post(use, short string, segments ...string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.call(cmd.Context(), request{method: http.MethodPost, segments: segments})
		},
	}
}

// checkVAT takes the number as an argument, or in a body as older clients do.
func (c *client) checkVAT() *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use: "check-vat [number]", Short: "Check the form and check digits of a VAT number", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			number := strings.Join(args, "")
			if flag != "" {
				body, err := c.body(flag, true)
				if err != nil {
					return err
				}
				var fields struct {
					Number string `json:"vat_number"`
				}
				if err := json.Unmarshal(body, &fields); err != nil {
					return fmt.Errorf(`--body: expected {"vat_number": "..."}: %w`, err)
				}
				number = fields.Number
			}
			return c.call(cmd.Context(), request{
				method: http.MethodGet, segments: []string{"account", "billing", "check-vat"}, query: url.Values{"vat_number": {number}},
			})
		},
	}
	bodyFlag(cmd, &flag)
	return cmd
}

// deleteAccount asks before it deletes; a script says --yes.
func (c *client) deleteAccount() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete", Short: "Delete the whole account; an owner can undo it for 7 days", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes {
				if err := c.agreed("Delete this whole account with all its data?"); err != nil {
					return err
				}
			}
			return c.call(cmd.Context(), request{method: http.MethodDelete, segments: []string{"account"}})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// agreed puts a question to the person at the terminal.
func (c *client) agreed(question string) error {
	if !c.InTTY {
		return errors.New("nobody is there to ask: repeat the command with --yes if this is meant")
	}
	if _, err := fmt.Fprint(c.Err, question, " [y/N] "); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c.In).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	return errors.Join(errors.New("nothing was deleted"), err)
}
