// Package identity owns accounts, their members and API keys: who a token
// belongs to and what it may do.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// MaxKeys is how many API keys one account can have.
	MaxKeys = 1000

	maxNameRunes  = 200
	cacheLifetime = time.Second
	cachedKeys    = 10_000
	notesEvery    = time.Second
	flushEvery    = time.Minute
	flushTimeout  = 5 * time.Second
	sweepEvery    = time.Hour
	sweepTimeout  = 10 * time.Minute // a large account takes a while to delete
	sweepKeys     = 1000             // per sweep
)

// Config is what a Service needs; Store, Now and Logger are required.
type Config struct {
	Store  Store
	Now    func() time.Time // real time
	Logger *slog.Logger
	// UserTokenKeys are of 32 bytes each: the first signs user tokens, all check
	// them. Without any there are no user tokens.
	UserTokenKeys [][]byte
	// SignUp lets strangers create users, each with an account of their own.
	SignUp bool
	// Providers may sign people in.
	Providers []Provider
	// HTTP reaches the providers. Required with any.
	HTTP *http.Client
	// ConnectionIdle is after how long without use a connection's key is deleted:
	// the life of a refresh token and a day. Zero for never.
	ConnectionIdle time.Duration
	// Erase deletes everything that any package keeps of an account. It may be
	// called again after it failed. Nil to keep accounts that are closed.
	Erase func(ctx context.Context, account string) error
}

// Service creates and checks accounts, users and keys. It is safe for concurrent
// use.
type Service struct {
	store     Store
	now       func() time.Time
	log       *slog.Logger
	cache     *keyCache
	uses      *uses
	queue     auditQueue
	throttle  *throttle
	hashers   chan struct{}
	tokenKeys []tokenKey
	signUp    bool
	verifiers []*verifier
	idle      time.Duration
	erase     func(ctx context.Context, account string) error
}

// New returns a service over a store. Run must be running for last-used times
// to become durable and for what is over to be forgotten; nothing else depends
// on it.
func New(cfg Config) *Service {
	s := &Service{
		store: cfg.Store, now: cfg.Now, log: cfg.Logger,
		cache: newKeyCache(cacheLifetime, cachedKeys), uses: newUses(), throttle: newThrottle(),
		hashers: make(chan struct{}, hashersAtOnce), tokenKeys: tokenKeys(cfg.UserTokenKeys), signUp: cfg.SignUp, idle: cfg.ConnectionIdle, erase: cfg.Erase,
	}
	for _, p := range cfg.Providers {
		s.verifiers = append(s.verifiers, &verifier{Provider: p, http: cfg.HTTP, now: cfg.Now})
	}
	return s
}

// Caller is who sent an authenticated request.
type Caller struct {
	Account string // account id; "" for a user token without an account
	Key     string // key id; "" for a user token
	User    string // user id
	// Role is what the request may do: the least of the key's role, Member and the
	// role of the connection that the key was created with.
	Role Role
	// Member is the user's own role in the account now.
	Member Role
	Kind   Kind // of the key; "" for a user token
	// ByUser is set for a user token, which may do a few things only.
	ByUser  bool
	Closing time.Time // when the account's deletion was asked for; zero while open
	via     string
}

// IsOwner reports whether the request may do what is for owners alone: its user
// is one now, and its key may write.
func (c Caller) IsOwner() bool { return c.Member == Owner && c.Role.CanWrite() }

// CreatedVia returns what a key, an invitation or anything else that the caller
// creates has to remember, so that it goes with the connection it came by: the
// id of the connection's key, or "".
func (c Caller) CreatedVia() string {
	if c.Kind == Connection {
		return c.Key
	}
	return c.via
}

// Authenticate returns the caller that an API key or a user token belongs to.
// The error is ErrInvalidKey, ErrKeyRevoked when the user has no access any more,
// or that of a store that could not be asked. What this process deleted or changed
// is judged anew on the next call; what another process changed, within a
// second.
func (s *Service) Authenticate(ctx context.Context, token string) (Caller, error) {
	if looksLikeJWT(token) {
		return s.authenticateUser(ctx, token)
	}
	t, err := ParseToken(token)
	if err != nil {
		return Caller{}, err
	}
	now := s.now()
	k, err := s.access(ctx, t.KeyID(), now)
	if errors.Is(err, ErrNotFound) {
		return Caller{}, ErrInvalidKey
	}
	if err != nil {
		return Caller{}, fmt.Errorf("look up API key: %w", err)
	}
	if !t.hash().equal(k.Hash) {
		return Caller{}, ErrInvalidKey
	}
	if k.Member == "" || k.Disabled {
		return Caller{}, ErrKeyRevoked
	}
	role := lesser(k.Role, k.Member)
	if k.CreatedVia != "" {
		if k.Creator == "" {
			return Caller{}, ErrInvalidKey // it should have gone with its connection
		}
		role = lesser(role, k.Creator)
	}
	s.uses.add(k.Key, now)
	return Caller{
		Account: k.Account, Key: k.ID, User: k.User, Role: role, Member: k.Member,
		Kind: k.Kind, Closing: k.Closing, via: k.CreatedVia,
	}, nil
}

func (s *Service) access(ctx context.Context, id string, now time.Time) (Access, error) {
	k, epoch, ok := s.cache.get(id, now)
	if ok {
		return k, nil
	}
	k, err := s.store.Access(ctx, id)
	if err != nil {
		return Access{}, err
	}
	s.cache.put(k, epoch, now)
	return k, nil
}

// CreateAccount adds an account. The error is a *FieldError for a name that is
// empty, too long or has control characters.
func (s *Service) CreateAccount(ctx context.Context, name string) (Account, error) {
	a, err := s.newAccount("name", name)
	if err != nil {
		return Account{}, err
	}
	if err := s.store.CreateAccount(ctx, a); err != nil {
		return Account{}, fmt.Errorf("create account: %w", err)
	}
	s.audit(ctx, Event{Kind: AccountCreated, Account: a.ID})
	return a, nil
}

// EnsureAccount returns the account with this id or name, and creates one of
// this name when there is none. ErrAmbiguousName when several have it; the
// caller then has to use an id.
func (s *Service) EnsureAccount(ctx context.Context, nameOrID string) (Account, error) {
	a, err := s.FindAccount(ctx, nameOrID)
	if _, isID := parseID(nameOrID); errors.Is(err, ErrNotFound) && !isID {
		return s.CreateAccount(ctx, nameOrID)
	}
	return a, err
}

// FindAccount returns the account with this id or name, or ErrNotFound.
// ErrAmbiguousName when several have it; the caller then has to use an id.
func (s *Service) FindAccount(ctx context.Context, nameOrID string) (Account, error) {
	if id, ok := parseID(nameOrID); ok {
		return s.Account(ctx, id)
	}
	name, err := cleanName("account", nameOrID)
	if err != nil {
		return Account{}, err
	}
	found, err := s.store.AccountsNamed(ctx, name, 2)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err == nil && len(found) > 1 {
		err = ErrAmbiguousName
	}
	if err != nil {
		return Account{}, fmt.Errorf("find account %q: %w", name, err)
	}
	return found[0], nil
}

// parseID reads an account id in any form of UUID.
func parseID(text string) (id string, ok bool) {
	parsed, err := uuid.Parse(text)
	return parsed.String(), err == nil
}

// Account returns an account, or ErrNotFound.
func (s *Service) Account(ctx context.Context, id string) (Account, error) {
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return Account{}, fmt.Errorf("get account: %w", err)
	}
	return a, nil
}

// Run writes last-used times once a minute and noted events once a second until
// ctx ends, and once more then. Every hour it forgets what is over.
func (s *Service) Run(ctx context.Context) {
	notes, flush, sweep := time.NewTicker(notesEvery), time.NewTicker(flushEvery), time.NewTicker(sweepEvery)
	defer notes.Stop()
	defer flush.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-notes.C:
			s.writeNotes(ctx)
		case <-flush.C:
			s.flush(ctx)
		case <-sweep.C:
			s.sweep(ctx)
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx))
			s.writeNotes(context.WithoutCancel(ctx))
			return
		}
	}
}

func (s *Service) flush(ctx context.Context) {
	pending := s.uses.take()
	if len(pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.store.TouchKeys(ctx, pending); err != nil {
		s.uses.restore(pending)
		s.log.WarnContext(ctx, "last-used times of API keys not written", slog.Any("error", err))
	}
}

// sweep forgets sessions, revocations and audit lines whose time is over, and
// deletes connection keys that nobody uses any more.
func (s *Service) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	now := s.timestamp()
	idleSince := time.Time{} // nothing is older
	if s.idle > 0 {
		s.flush(ctx) // a use that is not written yet must not look like none
		idleSince = now.Add(-s.idle)
	}
	idle, err := s.store.DeleteIdleConnections(ctx, idleSince, now, sweepKeys)
	for _, k := range idle {
		s.cache.forget(k.ID)
		s.audit(ctx, Event{Kind: ConnectionRevoked, Account: k.Account, User: k.User, Subject: k.ID, Client: k.ClientName, Reason: "not used for too long"})
	}
	err = errors.Join(err, s.store.DeleteSessions(ctx, now.Add(-sessionLife), now.Add(-sessionIdle)), s.store.DeleteEvents(ctx, now.Add(-auditLife)), s.deleteClosed(ctx))
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "what is over was not forgotten", slog.Any("error", err))
	}
}

// timestamp is now as stores keep it.
func (s *Service) timestamp() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// CheckName says what is wrong with a name as a *FieldError of field.
func CheckName(field, name string) error {
	_, err := cleanName(field, name)
	return err
}

// cleanName trims a name and refuses what could not be shown on one line.
func cleanName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", &FieldError{Field: field, Message: "is required"}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", &FieldError{Field: field, Message: "must be text without control characters"}
	case utf8.RuneCountInString(name) > maxNameRunes:
		return "", &FieldError{Field: field, Message: fmt.Sprintf("must have at most %d characters", maxNameRunes)}
	default:
		return name, nil
	}
}
