package identity

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// User is a person.
type User struct {
	ID    string // UUID, lower case
	Email string // in the form of ParseEmail
	Profile
	// Password is empty for a user who signs in by a provider alone.
	Password   PasswordHash
	CreatedAt  time.Time
	DisabledAt time.Time // zero while enabled
	LastSignIn time.Time // zero for never
	Origin     Origin
}

// Origin says who made a user, and so who says whose the address is.
type Origin string

// The origins of users. Nobody has proved the address of one who did not come by
// the operator: whoever signs up or holds an invitation may write any.
const (
	ByOperator   Origin = "operator"
	BySignUp     Origin = "sign-up"
	ByInvitation Origin = "invitation"
)

// Disabled reports whether the user is refused everywhere.
func (u User) Disabled() bool { return !u.DisabledAt.IsZero() }

// Profile is what a user says about themselves; every field may be empty.
type Profile struct {
	FirstName, LastName string
	Locale              string // BCP 47 language tag
	Timezone            string // IANA name
}

// Login is how an OpenID Connect provider knows a user. Addresses may move to
// other people, so they are never the key (OpenID Connect Core section 5.7).
type Login struct{ Issuer, Subject string }

// LinkedLogin is a Login of a user and when they linked it.
type LinkedLogin struct {
	Login
	At time.Time
}

const maxEmailBytes = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets

// ParseEmail returns an address in the one form in which it is kept: lower case,
// without a name. It says what is wrong as a *FieldError.
func ParseEmail(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	wrong := &FieldError{Field: "email", Message: "must be an e-mail address such as ann@example.com"}
	if text == "" {
		return "", &FieldError{Field: "email", Message: "is required"}
	}
	if len(text) > maxEmailBytes || !utf8.ValidString(text) || strings.ContainsAny(text, "\"\\<> \t\r\n") || strings.ContainsFunc(text, unicode.IsControl) {
		return "", wrong
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return "", wrong
	}
	return text, nil
}

// parseStranger reads an address that somebody other than the operator gives a new
// user. That of the local owner is not to be had: accounts without an owner get it.
func parseStranger(text string) (string, error) {
	email, err := ParseEmail(text)
	if err == nil && email == localOwner {
		return "", &FieldError{Field: "email", Message: "is reserved on this server; use another address"}
	}
	return email, err
}

// CreateUser adds a user. Without a password they can sign in by a linked
// provider alone. *FieldError for bad input, ErrExists for an address that is
// taken.
func (s *Service) CreateUser(ctx context.Context, email, password string, p Profile) (User, error) {
	u, err := s.newUser(ByOperator, email, password, p)
	if err != nil {
		return User{}, err
	}
	if err := s.store.CreateUser(ctx, u); err != nil {
		return User{}, fmt.Errorf("create user: %w", err)
	}
	s.audit(ctx, Event{Kind: UserCreated, User: u.ID})
	return u, nil
}

func (s *Service) newUser(origin Origin, email, password string, p Profile) (User, error) {
	email, err := ParseEmail(email)
	if err != nil {
		return User{}, err
	}
	if p, err = p.clean(); err != nil {
		return User{}, err
	}
	var hash PasswordHash
	if password != "" {
		if hash, err = s.hashPassword("password", password); err != nil {
			return User{}, err
		}
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return User{}, fmt.Errorf("draw user id: %w", err)
	}
	return User{ID: id.String(), Email: email, Profile: p, Password: hash, CreatedAt: s.timestamp(), Origin: origin}, nil
}

// User returns a user, or ErrNotFound.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	u, err := s.store.User(ctx, id)
	if err != nil {
		return User{}, fmt.Errorf("get user: %w", err)
	}
	return u, nil
}

// UserByEmail returns a user, or ErrNotFound.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	email, err := ParseEmail(email)
	if err != nil {
		return User{}, err
	}
	u, err := s.store.UserByEmail(ctx, email)
	if err != nil {
		return User{}, fmt.Errorf("get user %s: %w", email, err)
	}
	return u, nil
}

// ProfilePatch changes the fields that are not nil; an empty text removes one.
type ProfilePatch struct{ FirstName, LastName, Locale, Timezone *string }

// UpdateProfile changes what a user says about themselves and returns the user.
// *FieldError for bad input.
func (s *Service) UpdateProfile(ctx context.Context, id string, patch ProfilePatch) (User, error) {
	u, err := s.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	for field, value := range map[*string]*string{
		&u.FirstName: patch.FirstName, &u.LastName: patch.LastName, &u.Locale: patch.Locale, &u.Timezone: patch.Timezone,
	} {
		if value != nil {
			*field = *value
		}
	}
	if u.Profile, err = u.clean(); err != nil {
		return User{}, err
	}
	if err := s.store.UpdateProfile(ctx, u.ID, u.Profile); err != nil {
		return User{}, fmt.Errorf("update profile: %w", err)
	}
	return u, nil
}

// clean trims a profile and refuses what could not be shown.
func (p Profile) clean() (_ Profile, err error) {
	for name, field := range map[string]*string{"first_name": &p.FirstName, "last_name": &p.LastName} {
		if strings.TrimSpace(*field) == "" {
			*field = ""
			continue
		}
		if *field, err = cleanName(name, *field); err != nil {
			return p, err
		}
	}
	if p.Locale != "" && !plainTag(p.Locale) {
		return p, &FieldError{Field: "locale", Message: "must be a language tag such as da-DK"}
	}
	if p.Timezone != "" {
		if _, err := time.LoadLocation(p.Timezone); err != nil || p.Timezone == "Local" {
			return p, &FieldError{Field: "timezone", Message: "must be an IANA time zone such as Europe/Copenhagen"}
		}
	}
	return p, nil
}

// plainTag reports whether text has the form of a language tag (RFC 5646).
func plainTag(text string) bool {
	if len(text) > 35 {
		return false
	}
	for part := range strings.SplitSeq(text, "-") {
		if part == "" || len(part) > 8 || strings.ContainsFunc(part, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}

// DisableUser ends everything that a user has, until EnableUser; their keys do
// not come back. ErrNotFound for an unknown one.
func (s *Service) DisableUser(ctx context.Context, id string) error {
	defer s.cache.clear()
	if err := s.store.DisableUser(ctx, id, s.timestamp()); err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	s.audit(ctx, Event{Kind: UserDisabled, User: id})
	return nil
}

// EnableUser lets a disabled user in again. ErrNotFound for an unknown one.
func (s *Service) EnableUser(ctx context.Context, id string) error {
	if err := s.store.EnableUser(ctx, id); err != nil {
		return fmt.Errorf("enable user: %w", err)
	}
	s.audit(ctx, Event{Kind: UserEnabled, User: id})
	return nil
}

// PasswordReset says what ends with an old password besides the sessions.
type PasswordReset struct {
	Disconnect bool // delete the user's connection keys
	Unlink     bool // forget the providers' identities by which they sign in
}

// ResetPassword sets a user's password without asking for the old one and ends
// their sessions.
func (s *Service) ResetPassword(ctx context.Context, id, password string, also PasswordReset) error {
	hash, err := s.hashPassword("new_password", password)
	if err != nil {
		return err
	}
	defer s.cache.clear()
	if err := s.store.SetPassword(ctx, id, hash, also); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	s.audit(ctx, Event{Kind: PasswordChanged, User: id})
	if also.Unlink {
		s.audit(ctx, Event{Kind: IdentityUnlinked, User: id})
	}
	return nil
}

// Logins returns the providers' identities by which a user signs in, oldest first.
func (s *Service) Logins(ctx context.Context, id string) ([]LinkedLogin, error) {
	list, err := s.store.Logins(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	return list, nil
}

// localOwner is the user whose keys an operator makes for an account that has
// no owner of its own. Nobody can sign in as them.
const localOwner = "owner@localhost"

// FirstOwner returns the user who has been owner of an account for longest. It
// makes owner@localhost one when there is none.
func (s *Service) FirstOwner(ctx context.Context, account string) (User, error) {
	members, err := s.store.ListMembers(ctx, account, MaxMembers)
	if err != nil {
		return User{}, fmt.Errorf("find owner: %w", err)
	}
	for _, m := range members {
		if m.Role == Owner && !m.Disabled {
			return s.User(ctx, m.User)
		}
	}
	u, err := s.store.UserByEmail(ctx, localOwner)
	if errors.Is(err, ErrNotFound) {
		u, err = s.CreateUser(ctx, localOwner, "", Profile{})
	}
	if err != nil {
		return User{}, fmt.Errorf("find owner: %w", err)
	}
	err = s.AddMember(ctx, account, u.ID, Owner)
	if errors.Is(err, ErrExists) {
		err = s.SetRole(ctx, account, u.ID, Owner)
	}
	return u, err
}
