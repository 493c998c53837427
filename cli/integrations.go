package cli

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (c *client) integrations() *cobra.Command {
	return group("integrations", "Check the connection, and manage webhooks",
		c.get("verify", "Show which account and role the key has", "integrations", "verify"), c.webhooks())
}

func (c *client) webhooks() *cobra.Command {
	at := []string{"integrations", "webhooks"}
	return group("webhooks", "Manage webhooks",
		c.get("list", "List webhooks", at...),
		c.byID("get <id>", "Show a webhook and how many deliveries wait", http.MethodGet, at...),
		c.send("create", "Create a webhook; its secret is shown once", http.MethodPost, at...),
		c.byID("delete <id>", "Delete a webhook and its deliveries", http.MethodDelete, at...),
		c.byID("sample <event>", "Show what a webhook gets of an event such as movement.churn", http.MethodGet, "integrations", "sample"),
		c.webhookAction("test <id>", "Send the sample of a webhook's event to it", "test"),
		c.webhookAction("resume <id>", "Let a paused webhook get events again", "resume"),
		c.webhookAction("rotate-secret <id>", "Make a new secret; it is shown once, and the old one works for a day", "rotate-secret"),
		c.deliveries(),
		&cobra.Command{
			Use: "resend <id> <delivery>", Short: "Deliver again", Args: arguments,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.call(cmd.Context(), request{method: http.MethodPost, segments: append(at, args[0], "deliveries", args[1], "resend")})
			},
		})
}

// webhookAction is a command that posts to a route below a webhook.
func (c *client) webhookAction(use, short, action string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), request{method: http.MethodPost, segments: []string{"integrations", "webhooks", args[0], action}})
		},
	}
}

func (c *client) deliveries() *cobra.Command {
	var status, limit, after string
	cmd := &cobra.Command{
		Use: "deliveries <id>", Short: "List what was delivered, waits or was given up", Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{}
			for name, value := range map[string]string{"status": status, "limit": limit, "after": after} {
				if value != "" {
					query.Set(name, value)
				}
			}
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"integrations", "webhooks", args[0], "deliveries"}, query: query})
		},
	}
	cmd.Flags().StringVar(&status, "status", "", "only `pending`, delivered or failed ones")
	cmd.Flags().StringVar(&limit, "limit", "", "at most `N` deliveries, up to 100")
	cmd.Flags().StringVar(&after, "after", "", "the `next` of the page before")
	return cmd
}
