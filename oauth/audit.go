package oauth

import (
	"context"
	"net/netip"
)

// AuditEvent is a line of the audit log. It holds no secret.
type AuditEvent struct {
	Action  string // grant_created, token_refreshed, grant_refused, grant_ended, key_deleted
	Reason  string // why, in snake_case; empty when there is nothing to say
	User    string // user id
	Account string // account id
	Client  string // client id; the SHA-256 of a URL
	Family  string
	Address netip.Addr
}

// Audit takes events off the request's hands: it must not block for long and has
// no error that could stop what it reports.
type Audit func(ctx context.Context, e AuditEvent)
