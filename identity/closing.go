package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// ClosingTime is how long an account whose deletion was asked for can be kept
	// after all.
	ClosingTime = 7 * 24 * time.Hour
	// closedAtOnce is how many accounts one sweep deletes.
	closedAtOnce = 100
)

// DeletesAt returns when the account goes for good; zero while it is open.
func (a Account) DeletesAt() time.Time {
	if a.ClosingAt.IsZero() {
		return time.Time{}
	}
	return a.ClosingAt.Add(ClosingTime)
}

// RenameAccount gives an account another name. ErrNotFound, *FieldError.
func (s *Service) RenameAccount(ctx context.Context, id, name string) error {
	name, err := cleanName("name", name)
	if err != nil {
		return err
	}
	if err := s.store.RenameAccount(ctx, id, name); err != nil {
		return fmt.Errorf("rename account: %w", err)
	}
	return nil
}

// CloseAccount begins the deletion of an account: its connections, invitations
// and the keys of members who are not owners go at once, everything else after
// ClosingTime. Closing it again changes nothing. ErrNotFound.
func (s *Service) CloseAccount(ctx context.Context, id string) (Account, error) {
	defer s.cache.clear()
	a, err := s.store.CloseAccount(ctx, id, s.timestamp())
	if err != nil {
		return Account{}, fmt.Errorf("close account: %w", err)
	}
	s.audit(ctx, Event{Kind: AccountClosing, Account: id})
	return a, nil
}

// ReopenAccount takes a deletion back; what went at once does not return. An
// account that is open is no error. ErrNotFound.
func (s *Service) ReopenAccount(ctx context.Context, id string) error {
	defer s.cache.clear()
	if err := s.store.ReopenAccount(ctx, id); err != nil {
		return fmt.Errorf("reopen account: %w", err)
	}
	s.audit(ctx, Event{Kind: AccountReopened, Account: id})
	return nil
}

// Closing reports whether the account's deletion was asked for: nothing is
// fetched or sent for it then. One that does not exist is not closing.
func (s *Service) Closing(ctx context.Context, account string) (bool, error) {
	a, err := s.store.Account(ctx, account)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("is account %s closing: %w", account, err)
	}
	return !a.ClosingAt.IsZero(), nil
}

// deleteClosed deletes the accounts whose time is over. One that fails is tried
// again by the next sweep.
func (s *Service) deleteClosed(ctx context.Context) error {
	if s.erase == nil {
		return nil
	}
	ids, err := s.store.ClosedAccounts(ctx, s.timestamp().Add(-ClosingTime), closedAtOnce)
	if err != nil {
		return fmt.Errorf("list closed accounts: %w", err)
	}
	var all []error
	for _, id := range ids {
		if err := s.erase(ctx, id); err != nil {
			all = append(all, fmt.Errorf("delete account %s: %w", id, err))
			continue
		}
		s.cache.clear()
		s.audit(ctx, Event{Kind: AccountDeleted, Account: id})
		s.log.InfoContext(ctx, "account deleted after its time of grace", slog.String("account", id))
	}
	return errors.Join(all...)
}
