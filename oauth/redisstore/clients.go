package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
)

// touchEvery is how exact the time of a client's last use is: its end is months
// away.
const touchEvery = 24 * time.Hour

func clientKey(id string) []string { return []string{"gp:cl:{" + id + "}"} }

// clientIndexes count the clients: all of them, and the never-used. They are
// apart from the clients, which are spread over the slots, and so may be behind
// by those of a process that stopped; all are scored by their end.
func clientIndexes() []string { return []string{"{gp:clients}:all", "{gp:clients}:unused"} }

// CreateClient implements oauth.ClientStore.
func (s *Store) CreateClient(ctx context.Context, c oauth.RegisteredClient) error {
	now, err := s.time(ctx)
	if err != nil {
		return err
	}
	c.CreatedAt = now
	doc, err := json.Marshal(c)
	if err != nil {
		return unavailable(err)
	}
	if err := outcome(s.run(ctx, s.scripts.clientPut, clientKey(c.ID), doc, length(oauth.UnusedClientLife)).Text()); err != nil {
		return err
	}
	reply, err := s.run(ctx, s.scripts.clientAdmit, clientIndexes(), c.ID, length(oauth.UnusedClientLife), s.cfg.MaxClients).StringSlice()
	if err != nil {
		return unavailable(err)
	}
	gone := reply[1]
	if reply[0] == "full" {
		gone = c.ID
	}
	if gone != "" {
		err := outcome(s.run(ctx, s.scripts.clientDrop, clientKey(gone)).Text())
		if err != nil {
			return err
		}
	}
	return outcome(reply[0], nil)
}

// time returns the store's clock.
func (s *Store) time(ctx context.Context) (time.Time, error) {
	reply, err := s.ask(ctx, s.scripts.members, []string{key(0, "u:", "")}).Slice()
	if err != nil {
		return time.Time{}, unavailable(err)
	}
	now, err := parseTime(reply[0])
	return now, unavailable(err)
}

// Client implements oauth.ClientStore.
func (s *Store) Client(ctx context.Context, id string) (oauth.RegisteredClient, error) {
	c, _, err := s.client(ctx, id)
	return c, err
}

func (s *Store) client(ctx context.Context, id string) (c oauth.RegisteredClient, now time.Time, err error) {
	reply, err := s.ask(ctx, s.scripts.clientGet, clientKey(id)).StringSlice()
	if err != nil {
		return c, now, unavailable(err)
	}
	if len(reply) != 3 {
		return c, now, oauth.ErrNotFound
	}
	used, usedErr := strconv.ParseInt(reply[1], 10, 64)
	now, timeErr := parseTime(reply[2])
	if err := errors.Join(json.Unmarshal([]byte(reply[0]), &c), usedErr, timeErr); err != nil {
		return c, now, unavailable(err)
	}
	c.LastUsed = instant(used)
	return c, now, nil
}

// TouchClient implements oauth.ClientStore.
func (s *Store) TouchClient(ctx context.Context, id string) error {
	c, now, err := s.client(ctx, id)
	if errors.Is(err, oauth.ErrNotFound) || err == nil && now.Sub(c.LastUsed) < touchEvery {
		return nil
	}
	if err != nil {
		return err
	}
	expires, err := s.run(ctx, s.scripts.clientTouch, clientKey(id), length(s.cfg.ClientLife)).Text()
	if err != nil || expires == "0" {
		return unavailable(err)
	}
	return outcome(s.run(ctx, s.scripts.clientKeep, clientIndexes(), id, expires).Text())
}
