package main

import (
	"context"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// auditGrants writes what happens to grants into the audit log of the platform.
func auditGrants(users *identity.Service) oauth.Audit {
	return func(ctx context.Context, e oauth.AuditEvent) {
		address := ""
		if e.Address.IsValid() {
			address = identity.Network(e.Address.String())
		}
		users.Note(ctx, identity.Event{
			Kind: identity.EventKind(e.Action), Reason: e.Reason, User: e.User, Account: e.Account, Client: e.Client, Subject: e.Family, Address: address,
		})
	}
}
