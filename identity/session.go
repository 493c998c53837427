package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	sessionLife = 7 * 24 * time.Hour
	sessionIdle = 12 * time.Hour
	// sessionTouch is how exactly the last use of a session is known.
	sessionTouch = time.Minute
	maxSessions  = 50 // of one user
)

// Session is a signed-in browser as it is stored: everything except the secret.
type Session struct {
	Hash      Hash // of the secret
	User      string
	CreatedAt time.Time
	LastUsed  time.Time
}

// Expires returns when the session ends at the latest.
func (s Session) Expires() time.Time { return s.CreatedAt.Add(sessionLife) }

func (s Session) over(now time.Time) bool {
	return !now.Before(s.Expires()) || !now.Before(s.LastUsed.Add(sessionIdle))
}

// SignedIn is a new session with its secret.
type SignedIn struct {
	Secret  Opaque
	Expires time.Time
	User    User
}

func (s *Service) startSession(ctx context.Context, u User) (SignedIn, error) {
	secret, hash := newOpaque(sessionPrefix)
	now := s.timestamp()
	session := Session{Hash: hash, User: u.ID, CreatedAt: now, LastUsed: now}
	err := s.store.CreateSession(ctx, session, maxSessions)
	if errors.Is(err, ErrNotFound) {
		return SignedIn{}, ErrCredentials // disabled meanwhile
	}
	if err != nil {
		return SignedIn{}, fmt.Errorf("start session: %w", err)
	}
	return SignedIn{Secret: secret, Expires: session.Expires(), User: u}, nil
}

// session returns a live session of an enabled user, or ErrSession.
func (s *Service) session(ctx context.Context, secret string) (Session, User, error) {
	hash, ok := hashOpaque(sessionPrefix, secret)
	if !ok {
		return Session{}, User{}, ErrSession
	}
	session, u, err := s.liveSession(ctx, hash)
	if err != nil {
		return Session{}, User{}, err
	}
	if now := s.timestamp(); now.Sub(session.LastUsed) >= sessionTouch {
		if err := s.store.TouchSession(ctx, hash, now); err != nil {
			return Session{}, User{}, fmt.Errorf("touch session: %w", err)
		}
	}
	return session, u, nil
}

func (s *Service) liveSession(ctx context.Context, hash Hash) (Session, User, error) {
	session, u, err := s.store.SessionByHash(ctx, hash)
	if errors.Is(err, ErrNotFound) || err == nil && (session.over(s.now()) || u.Disabled()) {
		return Session{}, User{}, ErrSession
	}
	if err != nil {
		return Session{}, User{}, fmt.Errorf("look up session: %w", err)
	}
	return session, u, nil
}

// SignOut ends a session and the tokens made from it. One that is over is no
// error.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	hash, ok := hashOpaque(sessionPrefix, secret)
	if !ok {
		return nil
	}
	_, u, err := s.store.SessionByHash(ctx, hash)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	if err := s.store.DeleteSession(ctx, hash); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	s.audit(ctx, Event{Kind: SignedOut, User: u.ID})
	return nil
}

// PasswordChange is what a person sends to change their password.
type PasswordChange struct {
	Session     string
	Old, New    string
	Disconnect  bool   // delete connection keys as well
	FromAddress string // of the person, for the limit on guesses
}

// ChangePassword sets a new password, ends all sessions of the user and starts
// another. ErrSession, ErrCredentials for a wrong old password, *TooManyError,
// *FieldError for a bad new one.
func (s *Service) ChangePassword(ctx context.Context, c PasswordChange) (SignedIn, error) {
	_, u, err := s.session(ctx, c.Session)
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.confirmPassword(ctx, u, c.Old, c.FromAddress); err != nil {
		return SignedIn{}, err
	}
	if err := s.ResetPassword(ctx, u.ID, c.New, PasswordReset{Disconnect: c.Disconnect}); err != nil {
		return SignedIn{}, err
	}
	return s.startSession(ctx, u)
}
