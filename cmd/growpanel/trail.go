package main

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/oauth"
)

// trailLength is how many events wait to be written; one more goes to the
// program's own log.
const trailLength = 4096

// trail writes the events of the authorization server to the audit log of the
// API in this process, or to the program's own log where there is none. It holds
// nobody up: events wait in memory for the log.
type trail struct {
	users *identity.Service // nil for the program's log
	log   *slog.Logger
	queue chan oauth.AuditEvent
}

func newTrail(users *identity.Service, log *slog.Logger) *trail {
	return &trail{users: users, log: log, queue: make(chan oauth.AuditEvent, trailLength)}
}

// add is an oauth.Audit.
func (t *trail) add(ctx context.Context, e oauth.AuditEvent) {
	if t.users == nil {
		t.print(ctx, slog.LevelInfo, e)
		return
	}
	select {
	case t.queue <- e:
	default:
		t.print(ctx, slog.LevelError, e)
	}
}

// run writes events until ctx ends, and then those that wait.
func (t *trail) run(ctx context.Context) {
	for {
		select {
		case e := <-t.queue:
			t.write(ctx, e)
		case <-ctx.Done():
			for {
				select {
				case e := <-t.queue:
					t.write(ctx, e)
				default:
					return
				}
			}
		}
	}
}

func (t *trail) write(ctx context.Context, e oauth.AuditEvent) {
	t.users.Note(ctx, identity.Event{
		Kind: identity.EventKind(e.Action), Account: e.Account, User: e.User, Client: e.Client, Subject: e.Family, Reason: e.Reason,
		Address: networkOf(e.Address),
	})
}

// print writes an event to the program's own log.
func (t *trail) print(ctx context.Context, level slog.Level, e oauth.AuditEvent) {
	t.log.LogAttrs(ctx, level, "audit",
		slog.String("event", e.Action), slog.String("reason", e.Reason), slog.String("user", e.User), slog.String("account", e.Account),
		slog.String("client", e.Client), slog.String("connection", e.Family), slog.String("address", networkOf(e.Address)))
}

func networkOf(from netip.Addr) string {
	if !from.IsValid() {
		return ""
	}
	return identity.Network(from.String())
}
