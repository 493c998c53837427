package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// APIUsers is Users over the REST API, in this process or elsewhere.
type APIUsers struct {
	client *apiclient.Client
}

// NewAPIUsers returns the users of an API. The client needs no key; for the API
// to count attempts per browser, its transport is one of ForwardAddress.
func NewAPIUsers(client *apiclient.Client) *APIUsers { return &APIUsers{client: client} }

// Methods implements Users.
func (a *APIUsers) Methods(ctx context.Context) (SignInMethods, error) {
	var answer struct {
		Password  bool
		SignUp    bool
		Providers []struct{ ID, Name string }
	}
	if err := exchange(ctx, a.client, http.MethodGet, nil, &answer, "auth", "methods"); err != nil {
		return SignInMethods{}, err
	}
	m := SignInMethods{Password: answer.Password, SignUp: answer.SignUp}
	for _, p := range answer.Providers {
		m.Providers = append(m.Providers, ProviderName{ID: p.ID, Name: p.Name})
	}
	return m, nil
}

// Invitation implements Users.
func (a *APIUsers) Invitation(ctx context.Context, secret Secret) (Invitation, error) {
	var answer struct {
		AccountName string `json:"account_name"`
		Email, Role string
		NewUser     bool `json:"new_user"`
	}
	if err := exchange(ctx, a.client, http.MethodPost, map[string]string{"invitation": secret.Reveal()}, &answer, "auth", "invitation"); err != nil {
		return Invitation{}, err
	}
	return Invitation{Account: answer.AccountName, Email: answer.Email, Role: answer.Role, New: answer.NewUser}, nil
}

// SignIn implements Users.
func (a *APIUsers) SignIn(ctx context.Context, p Proof) (Session, error) {
	body := map[string]string{}
	for name, value := range map[string]string{
		"email": p.Email, "password": p.Password.Reveal(), "provider": p.Provider,
		"id_token": p.IDToken.Reveal(), "nonce": p.Nonce, "session": p.Session.Reveal(),
		"invitation": p.Invitation.Reveal(), "first_name": p.FirstName, "last_name": p.LastName,
	} {
		if value != "" {
			body[name] = value
		}
	}
	return newSession(withAddress(ctx, p.From), a.client, body, "auth", "sign-in")
}

// SignUp implements Users.
func (a *APIUsers) SignUp(ctx context.Context, n NewUser) (Session, error) {
	body := map[string]string{"email": n.Email, "password": n.Password.Reveal(), "account_name": n.Account}
	for name, value := range map[string]string{"first_name": n.FirstName, "last_name": n.LastName} {
		if value != "" {
			body[name] = value
		}
	}
	return newSession(withAddress(ctx, n.From), a.client, body, "auth", "sign-up")
}

// ChangePassword implements Users.
func (a *APIUsers) ChangePassword(ctx context.Context, c PasswordChange) (Session, error) {
	return newSession(withAddress(ctx, c.From), a.client, map[string]any{
		"session": c.Session.Reveal(), "current_password": c.Old.Reveal(), "new_password": c.New.Reveal(), "disconnect": c.Disconnect,
	}, "auth", "password")
}

// newSession makes a call that is answered with a session.
func newSession(ctx context.Context, client *apiclient.Client, body any, segments ...string) (Session, error) {
	var answer struct {
		Session   string
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := exchange(ctx, client, http.MethodPost, body, &answer, segments...); err != nil {
		return Session{}, err
	}
	return Session{Secret: NewSecret(answer.Session), ExpiresAt: answer.ExpiresAt}, nil
}

// SignOut implements Users.
func (a *APIUsers) SignOut(ctx context.Context, session Secret) error {
	return exchange(ctx, a.client, http.MethodPost, map[string]string{"session": session.Reveal()}, nil, "auth", "sign-out")
}

// Token implements Users.
func (a *APIUsers) Token(ctx context.Context, session Secret, account string) (Secret, error) {
	body := map[string]string{"session": session.Reveal()}
	if account != "" {
		body["account"] = account
	}
	var answer struct{ Token string }
	if err := exchange(ctx, a.client, http.MethodPost, body, &answer, "auth", "token"); err != nil {
		return Secret{}, err
	}
	return NewSecret(answer.Token), nil
}

// User implements Users.
func (a *APIUsers) User(ctx context.Context, session Secret) (User, error) {
	client, err := a.as(ctx, session, "")
	if err != nil {
		return User{}, err
	}
	var answer struct {
		ID, Email string
		Accounts  []struct{ ID, Name, Role string }
	}
	if err := exchange(ctx, client, http.MethodGet, nil, &answer, "profile"); err != nil {
		return User{}, err
	}
	u := User{ID: answer.ID, Email: answer.Email}
	for _, account := range answer.Accounts {
		u.Accounts = append(u.Accounts, Membership{ID: account.ID, Name: account.Name, Role: account.Role})
	}
	return u, nil
}

// Created implements Users.
func (a *APIUsers) Created(ctx context.Context, session Secret, account, key string) ([]CreatedThing, error) {
	client, err := a.as(ctx, session, account)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result []struct {
			ID, Kind, Name string
			Detail         *string
			CreatedAt      time.Time `json:"created_at"`
		}
	}
	err = exchange(ctx, client, http.MethodGet, nil, &answer, "account", "api-keys", key, "created")
	if refused, ok := errors.AsType[*apiclient.Error](err); ok && refused.Status == http.StatusNotFound {
		return nil, nil // the key is gone, and what it created with it
	}
	if err != nil {
		return nil, err
	}
	things := make([]CreatedThing, 0, len(answer.Result))
	for _, t := range answer.Result {
		thing := CreatedThing{ID: t.ID, Kind: createdKinds()[t.Kind], Name: t.Name, Stays: t.Kind == "member", CreatedAt: t.CreatedAt}
		switch {
		case t.Detail == nil:
		case t.Kind == "webhook":
			thing.Name += " (" + *t.Detail + ")"
		default:
			thing.Role = *t.Detail
		}
		things = append(things, thing)
	}
	return things, nil
}

// createdKinds are the words for people of what a connection can create.
func createdKinds() map[string]string {
	return map[string]string{"api_key": "API key", "invitation": "Invitation", "webhook": "Webhook", "member": "Member"}
}

// as returns a client with a token of the session's user; account may be empty.
func (a *APIUsers) as(ctx context.Context, session Secret, account string) (*apiclient.Client, error) {
	token, err := a.Token(ctx, session, account)
	if err != nil {
		return nil, err
	}
	return a.client.WithKey(apiclient.NewSecret(token.Reveal()))
}

// exchange sends JSON and reads the JSON of the answer, unless that is nil.
func exchange(ctx context.Context, client *apiclient.Client, method string, body, answer any, segments ...string) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("ask the API: %w", err)
		}
	}
	response, err := client.Do(ctx, method, segments, nil, content)
	if err != nil {
		return translate(err)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(response.Body, answer); err != nil {
		return fmt.Errorf("read the API's answer of %s: %w", strings.Join(segments, "/"), err)
	}
	return nil
}

// translate finds the meaning of an answer outside 2xx.
func translate(err error) error {
	refused, ok := errors.AsType[*apiclient.Error](err)
	if !ok {
		if errors.Is(err, apiclient.ErrUnreachable) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
	switch refused.Code {
	case "invalid_credentials":
		return ErrCredentials
	case "session_over":
		return ErrSessionOver
	case "not_linked":
		return ErrNotLinked
	case "invitation_over":
		return ErrInvitationOver
	case "signup_disabled":
		return ErrSignUpDisabled
	case "no_access", "account_closing":
		return ErrNoMember
	case "email_taken":
		return &RefusedError{Message: sentence(refused.Message), Field: "email"}
	}
	switch refused.Status {
	case http.StatusTooManyRequests:
		return &WaitError{Wait: refused.RetryAfter}
	case http.StatusBadRequest, http.StatusConflict:
		return refusal(refused)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// refusal says what the API does not accept, of a single field by its name.
func refusal(refused *apiclient.Error) *RefusedError {
	if len(refused.Details) != 1 || refused.Details[0].Field == "" {
		return &RefusedError{Message: sentence(refused.Message)}
	}
	detail := refused.Details[0]
	words := strings.ReplaceAll(detail.Field, "_", " ")
	return &RefusedError{Message: sentence(words + " " + detail.Message), Field: detail.Field}
}

// sentence makes a message of the API one for people.
func sentence(message string) string {
	if message == "" {
		return "GrowPanel does not accept that."
	}
	return strings.ToUpper(message[:1]) + strings.TrimSuffix(message[1:], ".") + "."
}
