package identity

import (
	"context"
	"fmt"
	"time"
)

// MaxMembers is how many members and invitations an account can have, and how
// many accounts of a user are listed.
const MaxMembers = 1000

// Member is a user in an account.
type Member struct {
	User       string // id
	Email      string
	FirstName  string
	LastName   string
	Role       Role
	Disabled   bool
	Since      time.Time
	LastSignIn time.Time // zero for never
	// CreatedVia is the id of the connection's key that made their invitation, ""
	// for none. They stay when it goes.
	CreatedVia string
}

// Membership is an account of a user.
type Membership struct {
	Account Account
	Role    Role
}

// AddMember makes a user a member of an account. ErrExists for one who is a
// member, ErrNotFound for an unknown account or user.
func (s *Service) AddMember(ctx context.Context, account, user string, role Role) error {
	role, err := ParseRole(string(role))
	if err != nil {
		return err
	}
	defer s.cache.clear()
	if err := s.store.AddMember(ctx, account, user, role, s.timestamp(), MaxMembers); err != nil {
		return fmt.Errorf("add member: %w", err)
	}
	s.audit(ctx, Event{Kind: MemberAdded, Account: account, Subject: user, Detail: string(role)})
	return nil
}

// SetRole changes what a member may do, with effect on the next call of each of
// their keys. ErrNotFound for one who is no member, ErrLastOwner.
func (s *Service) SetRole(ctx context.Context, account, user string, role Role) error {
	role, err := ParseRole(string(role))
	if err != nil {
		return err
	}
	// Also when it failed: it may have been committed and the reply lost.
	defer s.cache.clear()
	if err := s.store.SetRole(ctx, account, user, role); err != nil {
		return fmt.Errorf("set role: %w", err)
	}
	s.audit(ctx, Event{Kind: RoleChanged, Account: account, Subject: user, Detail: string(role)})
	return nil
}

// RemoveMember removes a member with all their keys in the account. ErrNotFound
// for one who is no member, ErrLastOwner.
func (s *Service) RemoveMember(ctx context.Context, account, user string) error {
	defer s.cache.clear()
	if err := s.store.RemoveMember(ctx, account, user); err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	s.audit(ctx, Event{Kind: MemberRemoved, Account: account, Subject: user})
	return nil
}

// Member returns a member of an account, or ErrNotFound.
func (s *Service) Member(ctx context.Context, account, user string) (Member, error) {
	m, err := s.store.Member(ctx, account, user)
	if err != nil {
		return Member{}, fmt.Errorf("get member: %w", err)
	}
	return m, nil
}

// ListMembers returns the members of an account, oldest first.
func (s *Service) ListMembers(ctx context.Context, account string) ([]Member, error) {
	members, err := s.store.ListMembers(ctx, account, MaxMembers)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return members, nil
}

// Memberships returns the accounts of a user, in order of their names.
func (s *Service) Memberships(ctx context.Context, user string) ([]Membership, error) {
	accounts, err := s.store.Memberships(ctx, user, MaxMembers)
	if err != nil {
		return nil, fmt.Errorf("list accounts of user: %w", err)
	}
	return accounts, nil
}
