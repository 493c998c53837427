package main

import (
	"context"
	"log/slog"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// trail writes the events of the authorization server to the audit log of the
// API in this process, or to the program's own log where there is none.
func trail(users *identity.Service, log *slog.Logger) oauth.Audit {
	return func(ctx context.Context, e oauth.AuditEvent) {
		address := ""
		if e.Address.IsValid() {
			address = identity.Network(e.Address.String())
		}
		if users == nil {
			log.LogAttrs(ctx, slog.LevelInfo, "audit",
				slog.String("event", e.Action), slog.String("reason", e.Reason), slog.String("user", e.User), slog.String("account", e.Account),
				slog.String("client", e.Client), slog.String("connection", e.Family), slog.String("address", address))
			return
		}
		users.Note(ctx, identity.Event{
			Kind: identity.EventKind(e.Action), Reason: e.Reason, User: e.User, Account: e.Account, Client: e.Client, Subject: e.Family, Address: address,
		})
	}
}
