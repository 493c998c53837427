package mcp

import (
	"net/http"

	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

func integrations() []string {
	return []string{"notifications", "stripe", "hubspot", "webhook", "slack", "teams", "looker-studio"}
}

func manageSettings() tool {
	return tool{
		name:  "manage_settings",
		title: "Manage settings",
		description: "Reads or changes the settings that say how metrics are computed (base currency, time zone, when to recognize churn, grace days, refunds) and those of an integration such as Slack. " +
			"A change recomputes everything; get shows how far that is.",
		props: args.Set{
			{Name: "integration", Enum: integrations(), Description: "Whose settings, e.g. slack"},
			body(`Settings to change, e.g. {"churn_grace_days":7,"timezone":"Europe/Berlin"}`),
		},
		actions: []action{
			{name: "get", method: http.MethodGet, path: "settings", local: []string{"integration"}},
			{name: "update", method: http.MethodPost, path: "settings", local: []string{"integration"}, body: mustBody, repeatable: true},
		},
		output: outputSchema(false),
		route:  routeSettings,
	}
}

// routeSettings adds the integration to the path. Notifications are put, the
// rest is posted.
func routeSettings(c *toolCall) error {
	integration := c.values.Get("integration")
	if integration != "" {
		c.segments = append(c.segments, integration)
	}
	if integration == "notifications" && !c.action.reads() {
		c.method = http.MethodPut
	}
	return nil
}

func manageWebhooks() tool {
	return tool{
		name:  "manage_webhooks",
		title: "Manage webhooks",
		description: "Lists, creates, shows, tests or deletes webhook subscriptions and their deliveries, checks the API key (verify), or shows a sample payload of an event. " +
			"Events are movement.new, movement.churn, failed_payment, customer.created and others.",
		props: args.Set{
			{Name: "id", Description: "Webhook id, e.g. wh_1"},
			{Name: "event", Description: "Event of the sample, e.g. movement.churn"},
			{Name: "delivery", Description: "Delivery to send again, e.g. evt_1.wh_1"},
			{Name: "status", Enum: []string{"pending", "delivered", "failed"}, Description: "Only such deliveries"},
			body(`New webhook, e.g. {"url":"https://example.com/hook","event_type":"movement.churn"}`),
			confirmation(),
		},
		actions: []action{
			{name: "list", method: http.MethodGet, path: "integrations/webhooks"},
			{name: "get", method: http.MethodGet, path: "integrations/webhooks/{id}"},
			{name: "create", method: http.MethodPost, path: "integrations/webhooks", body: mustBody},
			{name: "delete", method: http.MethodDelete, path: "integrations/webhooks/{id}", irreversible: "Delete the webhook {id}?"},
			{name: "verify", method: http.MethodGet, path: "integrations/verify"},
			{name: "sample", method: http.MethodGet, path: "integrations/sample/{event}"},
			{name: "test", method: http.MethodPost, path: "integrations/webhooks/{id}/test", repeatable: true},
			{name: "resume", method: http.MethodPost, path: "integrations/webhooks/{id}/resume", repeatable: true},
			{name: "rotate_secret", method: http.MethodPost, path: "integrations/webhooks/{id}/rotate-secret"},
			{name: "deliveries", method: http.MethodGet, path: "integrations/webhooks/{id}/deliveries", query: []string{"status"}},
			{name: "resend", method: http.MethodPost, path: "integrations/webhooks/{id}/deliveries/{delivery}/resend", repeatable: true},
		},
		output: outputSchema(true),
	}
}

func manageAccount() tool {
	return tool{
		name:  "manage_account",
		title: "Manage the account",
		description: "Reads, renames or deletes the GrowPanel account: name, base currency, time zone, first day of the week, data sources. " +
			"delete removes the whole account with all its data after 7 days, in which undo_deletion keeps it.",
		props: args.Set{
			body(`Fields to change, e.g. {"name":"Acme Inc"}`),
			confirmation(),
		},
		actions: []action{
			{name: "get", method: http.MethodGet, path: "account"},
			{name: "update", method: http.MethodPost, path: "account", body: mustBody, repeatable: true},
			{name: "delete", method: http.MethodDelete, path: "account", irreversible: "Delete this whole GrowPanel account with all its data?"},
			{name: "undo_deletion", method: http.MethodPost, path: "account/undo-deletion", repeatable: true},
		},
		output: outputSchema(false),
	}
}

func manageBilling() tool {
	return tool{
		name:  "manage_billing",
		title: "Manage billing",
		description: "Reads or changes what this account pays GrowPanel: plan, invoices, cards, address, VAT number. " +
			"This is the bill for GrowPanel itself. subscribe and change_plan can cost money; preview_change shows the price first.",
		props: args.Set{
			body(`For subscribe, address, preview_change, change_plan, e.g. {"plan":"growth"}`),
			{Name: "card_id", Description: "Card to delete, e.g. card_1"},
			{Name: "vat_number", Description: "VAT number to check, e.g. DE123456789"},
			confirmation(),
		},
		actions: []action{
			{name: "details", method: http.MethodGet, path: "account/billing"},
			{name: "invoices", method: http.MethodGet, path: "account/billing/invoices"},
			{name: "portal", method: http.MethodGet, path: "account/billing/portal"},
			{name: "subscribe", method: http.MethodPost, path: "account/billing/subscribe", body: mustBody, irreversible: "Subscribe to a paid plan?"},
			{name: "check_vat", method: http.MethodGet, path: "account/billing/check-vat", query: []string{"vat_number"}, needs: []string{"vat_number"}},
			{name: "address", method: http.MethodPost, path: "account/billing/address", body: mustBody, repeatable: true},
			{name: "setup", method: http.MethodPost, path: "account/billing/setup"},
			{name: "preview_change", method: http.MethodPost, path: "account/billing/preview-change", body: mustBody, repeatable: true},
			{name: "change_plan", method: http.MethodPost, path: "account/billing/change-plan", body: mustBody, irreversible: "Change the plan that the account pays for?"},
			{name: "undo_cancellation", method: http.MethodPost, path: "account/billing/undo-cancellation", repeatable: true},
			{name: "delete_card", method: http.MethodDelete, path: "account/billing/cards/{card_id}", irreversible: "Delete the card {card_id}?"},
		},
		output: outputSchema(true),
	}
}

func manageTeam() tool {
	return tool{
		name:  "manage_team",
		title: "Manage the team",
		description: "Lists the people who can use this account, invites them, changes their role, or removes them. " +
			"Roles are owner, admin and readonly.",
		props: args.Set{
			{Name: "user_id", Description: "Member to edit or remove, e.g. usr_1"},
			{Name: "email", Description: "Address of a pending invitation, e.g. ann@example.com"},
			body(`invite: {"email":"ann@example.com","role":"readonly"}; edit: {"role":"admin"}`),
			confirmation(),
		},
		actions: []action{
			{name: "list", method: http.MethodGet, path: "account/team"},
			{name: "invite", method: http.MethodPost, path: "account/team/invite", body: mustBody},
			{name: "edit", method: http.MethodPut, path: "account/team/{user_id}", body: mustBody},
			{name: "remove", method: http.MethodDelete, path: "account/team/{user_id}", irreversible: "Remove the member {user_id} from the account?"},
			{name: "revoke_invite", method: http.MethodDelete, path: "account/team/invites/{email}"},
			{name: "resend_invite", method: http.MethodPost, path: "account/team/resend/{email}"},
		},
		output: outputSchema(true),
	}
}

func manageAPIKeys() tool {
	return tool{
		name:  "manage_api_keys",
		title: "Manage API keys",
		description: "Lists, creates, renames or deletes API keys of the account. " +
			"A new key is shown once, in the answer to create; admin keys may change data, readonly keys may not. Programs that use a deleted key stop working.",
		props: args.Set{
			{Name: "id", Description: "Key id, the part before its dot"},
			body(`e.g. {"name":"Reporting","role":"readonly"}`),
			confirmation(),
		},
		actions: []action{
			{name: "list", method: http.MethodGet, path: "account/api-keys"},
			{name: "create", method: http.MethodPost, path: "account/api-keys", body: mustBody},
			{name: "update", method: http.MethodPut, path: "account/api-keys/{id}", body: mustBody},
			{name: "delete", method: http.MethodDelete, path: "account/api-keys/{id}", irreversible: "Delete the API key {id}?"},
		},
		output: outputSchema(true),
	}
}
