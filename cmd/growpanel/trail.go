package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/oauth"
)

const (
	trailLength  = 4096 // events that wait to be written
	trailTimeout = 5 * time.Second
)

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
		t.print(ctx, slog.LevelInfo, "audit", e)
		return
	}
	select {
	case t.queue <- e:
	default:
		t.print(ctx, slog.LevelError, "event is missing in the audit log", e)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), trailTimeout)
	defer cancel()
	event := identity.Event{
		Kind: identity.EventKind(e.Action), Account: e.Account, User: e.User, Client: e.Client, Subject: e.Family, Reason: e.Reason,
	}
	if e.Address.IsValid() {
		event.Address = identity.Network(e.Address.String())
	}
	if err := t.users.Record(ctx, event); err != nil {
		t.print(ctx, slog.LevelError, "event is missing in the audit log", e)
	}
}

func (t *trail) print(ctx context.Context, level slog.Level, message string, e oauth.AuditEvent) {
	address := ""
	if e.Address.IsValid() {
		address = identity.Network(e.Address.String())
	}
	t.log.LogAttrs(ctx, level, message,
		slog.String("event", e.Action), slog.String("reason", e.Reason), slog.String("user", e.User), slog.String("account", e.Account),
		slog.String("client", e.Client), slog.String("connection", e.Family), slog.String("address", address))
}
