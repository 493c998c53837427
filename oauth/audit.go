package oauth

import (
	"context"
	"net/netip"
)

// The actions of grants in the audit log.
const (
	ActionIssued     = "grant_consented"  // a code was given
	ActionCreated    = "grant_created"    // the code was redeemed
	ActionRefreshed  = "token_refreshed"  // reason "replay" for a token that came again in time
	ActionRefused    = "grant_refused"    // with the reason that the client is not told
	ActionEnded      = "grant_ended"      // with a Reason
	ActionKeyDeleted = "key_deleted"      // the API has confirmed
	ActionKeyKept    = "key_not_deleted"  // the API did not answer; it is asked again
	ActionUnsealed   = "key_not_unsealed" // no secret opens the capability to delete a key

	ActionRegistered = "client_registered"
)

// AuditEvent is a line of the audit log. It holds no secret.
type AuditEvent struct {
	Action  string
	Reason  string // why, in snake_case; empty when there is nothing to say
	User    string // user id
	Account string // account id
	Client  string // client id; the SHA-256 of one that is a URL
	Family  string
	Address netip.Addr // of the client; the zero value when it did not ask
}

// Audit takes events off the request's hands: it must not block for long and has
// no error that could stop what it reports.
type Audit func(ctx context.Context, e AuditEvent)
