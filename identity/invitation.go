package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const invitationLife = 7 * 24 * time.Hour

// Invitation lets the holder of a link become a member, once.
type Invitation struct {
	Account     string
	AccountName string // as a store returns it
	Email       string
	Role        Role
	Hash        Hash   // of the secret in the link
	InvitedBy   string // user id
	CreatedVia  string // as that of Key
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// Invite creates an invitation and returns it with the secret of its link, which
// cannot be had again. *FieldError for bad input, ErrExists for a member or an
// address that is invited already, ErrTooManyMembers.
func (s *Service) Invite(ctx context.Context, by Caller, email string, role Role) (Invitation, Opaque, error) {
	email, err := parseStranger(email)
	if err != nil {
		return Invitation{}, Opaque{}, err
	}
	if role, err = ParseRole(string(role)); err != nil {
		return Invitation{}, Opaque{}, err
	}
	secret, hash := newOpaque(invitationPrefix)
	now := s.timestamp()
	i := Invitation{
		Account: by.Account, Email: email, Role: role, Hash: hash, InvitedBy: by.User, CreatedVia: by.CreatedVia(),
		CreatedAt: now, ExpiresAt: now.Add(invitationLife),
	}
	if err := s.store.CreateInvitation(ctx, i, MaxMembers); err != nil {
		return Invitation{}, Opaque{}, fmt.Errorf("invite: %w", err)
	}
	s.audit(ctx, Event{Kind: Invited, Account: by.Account, Detail: string(role)})
	return i, secret, nil
}

// RenewInvitation replaces the link of an invitation; the old one is void.
// ErrNotFound for an address that is not invited.
func (s *Service) RenewInvitation(ctx context.Context, account, email string) (Invitation, Opaque, error) {
	email, err := ParseEmail(email)
	if err != nil {
		return Invitation{}, Opaque{}, ErrNotFound
	}
	secret, hash := newOpaque(invitationPrefix)
	i, err := s.store.RenewInvitation(ctx, account, email, hash, s.timestamp().Add(invitationLife))
	if err != nil {
		return Invitation{}, Opaque{}, fmt.Errorf("renew invitation: %w", err)
	}
	s.audit(ctx, Event{Kind: Invited, Account: account, Detail: string(i.Role)})
	return i, secret, nil
}

// ListInvitations returns an account's invitations, oldest first.
func (s *Service) ListInvitations(ctx context.Context, account string) ([]Invitation, error) {
	list, err := s.store.ListInvitations(ctx, account, MaxMembers)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	return list, nil
}

// DeleteInvitation takes an invitation back. ErrNotFound for an address that is
// not invited.
func (s *Service) DeleteInvitation(ctx context.Context, account, email string) error {
	email, err := ParseEmail(email)
	if err != nil {
		return ErrNotFound
	}
	if err := s.store.DeleteInvitation(ctx, account, email); err != nil {
		return fmt.Errorf("delete invitation: %w", err)
	}
	s.audit(ctx, Event{Kind: InvitationDeleted, Account: account})
	return nil
}

// Preview returns an invitation that can be accepted, and whether that creates a
// user. ErrInvitation.
func (s *Service) Preview(ctx context.Context, secret string) (i Invitation, newUser bool, err error) {
	if i, _, err = s.invitation(ctx, secret); err != nil {
		return Invitation{}, false, err
	}
	_, err = s.store.UserByEmail(ctx, i.Email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Invitation{}, false, fmt.Errorf("look up user: %w", err)
	}
	return i, err != nil, nil
}

// invitation finds an invitation that is not over, or returns ErrInvitation.
func (s *Service) invitation(ctx context.Context, secret string) (Invitation, Hash, error) {
	hash, ok := hashOpaque(invitationPrefix, secret)
	if !ok {
		return Invitation{}, Hash{}, ErrInvitation
	}
	i, err := s.store.InvitationByHash(ctx, hash)
	if errors.Is(err, ErrNotFound) || err == nil && !s.now().Before(i.ExpiresAt) {
		return Invitation{}, Hash{}, ErrInvitation
	}
	if err != nil {
		return Invitation{}, Hash{}, fmt.Errorf("look up invitation: %w", err)
	}
	return i, hash, nil
}

// acceptAs accepts an invitation for a user who is signed in.
func (s *Service) acceptAs(ctx context.Context, secret string, u User) error {
	i, hash, err := s.invitation(ctx, secret)
	if err != nil {
		return err
	}
	return s.accept(ctx, i, hash, u, Login{})
}

func (s *Service) accept(ctx context.Context, i Invitation, hash Hash, u User, login Login) error {
	defer s.cache.clear()
	err := s.store.AcceptInvitation(ctx, hash, u, login, s.timestamp(), MaxMembers)
	if errors.Is(err, ErrNotFound) {
		return ErrInvitation
	}
	if err != nil {
		return fmt.Errorf("accept invitation: %w", err)
	}
	s.audit(ctx, Event{Kind: MemberAdded, Account: i.Account, User: u.ID, Subject: u.ID, Detail: string(i.Role), Reason: "accepted an invitation"})
	return nil
}
