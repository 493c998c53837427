package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// How long things live unless Config says otherwise.
const (
	DefaultAccessTTL  = 30 * 24 * time.Hour
	DefaultRefreshTTL = 90 * 24 * time.Hour
	DefaultMaxLife    = 365 * 24 * time.Hour
	DefaultCodeTTL    = 60 * time.Second
)

const (
	// MaxFamilies is how many families of one connection live; one more ends the
	// one that is longest unused.
	MaxFamilies = 10
	// maxUserFamilies is how many families of one user live, in all connections, so
	// that a list of them is whole.
	maxUserFamilies = 500
	// maxListed bounds a list of a user's families: those that live, those that
	// wait for their code and some that ended.
	maxListed = 1000

	// codeGrace is how long a family outlasts a code that nobody redeems.
	codeGrace = 60 * time.Second
	// replayWindow is how long a refresh token that was exchanged is exchanged for
	// the same successor, even when that is in use: clients race each other.
	replayWindow = 120 * time.Second
	// doubleClick is how soon a redeemed code may come back without ending what it
	// gave: clients retry.
	doubleClick = 10 * time.Second
	// apiTimeout bounds each call of the API.
	apiTimeout = 5 * time.Second
	// maxDecisions bounds how often a step is decided again because the family
	// moved between the read and the step.
	maxDecisions = 100
	// maxKept and maxKeptBytes bound the ids of what is to stay, so that the API
	// takes any list of them. The longest are addresses of invitations.
	maxKept      = 1000
	maxKeptBytes = 254
)

// Config is what Grants needs. The durations default to the constants above; all
// else is required.
type Config struct {
	Store      Store
	API        API
	Keys       *Keyring
	AccessTTL  time.Duration // of an access token
	RefreshTTL time.Duration // of a family since its last refresh
	MaxLife    time.Duration // of a family
	CodeTTL    time.Duration
	Audit      Audit
	Logger     *slog.Logger
	Now        func() time.Time // when a family was used; the store's clock decides all else
}

// Grants gives and takes codes and tokens. It is safe for concurrent use, and so
// are any number of processes over one store.
type Grants struct {
	cfg  Config
	uses *uses
}

// New returns grants over a store. Run must be running somewhere for the keys of
// ended families to be deleted when the API was down, and here for last uses to
// be written.
func New(cfg Config) *Grants {
	defaults := []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&cfg.AccessTTL, DefaultAccessTTL},
		{&cfg.RefreshTTL, DefaultRefreshTTL},
		{&cfg.MaxLife, DefaultMaxLife},
		{&cfg.CodeTTL, DefaultCodeTTL},
	}
	for _, d := range defaults {
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	return &Grants{cfg: cfg, uses: newUses()}
}

// decide runs a decision until the store has not moved under it.
func decide(ctx context.Context, once func() error) error {
	for range maxDecisions {
		if err := once(); !errors.Is(err, ErrMoved) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(ErrUnavailable, err)
		}
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, ErrMoved)
}

// newAccess draws an access token for a family and seals the API key under it.
// It never outlives the family.
func (g *Grants) newAccess(f Family, gen uint32, scope string, now time.Time, key Secret) (accessToken, AccessToken, error) {
	token := accessToken{family: f.ID, secret: newTokenSecret()}
	sealed, err := g.cfg.Keys.sealKey(token.secret, place{f.ID, kindAccess, gen}, key)
	if err != nil {
		return accessToken{}, AccessToken{}, err
	}
	record := AccessToken{
		Hash: token.secret.hash(), Gen: gen, Scope: scope, IssuedAt: now,
		ExpiresAt: earliest(now.Add(g.cfg.AccessTTL), f.ExpiresAt), SealedKey: sealed,
	}
	return token, record, nil
}

func (g *Grants) tokens(access accessToken, record AccessToken, refresh Secret) Tokens {
	return Tokens{
		Access: access.text(), Refresh: refresh, Scope: record.Scope, Family: access.family,
		ExpiresIn: record.ExpiresAt.Sub(record.IssuedAt).Truncate(time.Second),
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// audit reports what happened to a family.
func (g *Grants) audit(ctx context.Context, action, reason string, f Family, from netip.Addr) {
	e := AuditEvent{
		Action: action, Reason: reason, User: f.User, Account: f.Account,
		Client: auditName(f.Client), Address: from,
	}
	if f.ID != (FamilyID{}) {
		e.Family = f.ID.String()
	}
	g.cfg.Audit(ctx, e)
}

// auditName hashes client ids that are URLs: those are as long as their owner
// likes and may hold anything.
func auditName(client string) string {
	if !strings.Contains(client, "/") {
		return client
	}
	sum := sha256.Sum256([]byte(client))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// refuse reports a refused code or token and gives the one answer that all
// refusals have.
func (g *Grants) refuse(ctx context.Context, reason string, f Family, from netip.Addr) error {
	g.audit(ctx, ActionRefused, reason, f, from)
	return fmt.Errorf("%w: %s", ErrInvalidGrant, reason)
}
