package oauth

import (
	"errors"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// ActionDenied is the line of the audit log for a user who clicked Deny.
const ActionDenied = "consent_denied"

// showConsent leads a transaction to its next step: sign-in, the choice of an
// account, or consent.
func (b *Browser) showConsent(w http.ResponseWriter, r *http.Request) error {
	t, err := b.transaction(r, r.URL.Query().Get("tx"))
	if err != nil {
		return err
	}
	if t.Decision != undecided {
		return b.showDecided(w, t)
	}
	j := journey{tx: t.id}
	if t.SignIn {
		return b.redirect(w, j.signInPath())
	}
	u, done, err := b.signedInUser(w, r, j)
	if done || err != nil {
		return err
	}
	m, chosen := u.membership(t.Account)
	switch {
	case len(u.Accounts) == 0:
		return b.pages.Write(w, http.StatusForbidden, pages.NoAccess(b.head(w, r, u)))
	case !chosen && len(u.Accounts) == 1:
		m = u.Accounts[0]
	case !chosen:
		return b.pages.Write(w, http.StatusOK, b.picker(w, r, t, u))
	}
	return b.pages.Write(w, http.StatusOK, b.consent(w, r, t, u, m))
}

// showDecided answers somebody who comes back to a transaction: by the back
// button, or in another tab.
func (b *Browser) showDecided(w http.ResponseWriter, t *transaction) error {
	if t.Decision == denied {
		return b.pages.Write(w, http.StatusOK, pages.Decided())
	}
	return b.pages.Write(w, http.StatusOK, pages.AlreadyConnected(t.client()))
}

func (b *Browser) picker(w http.ResponseWriter, r *http.Request, t *transaction, u User) pages.Picker {
	page := pages.Picker{
		Session: b.head(w, r, u), Client: t.client(),
		Form: b.consentForm(w, r, t, u, Membership{}),
	}
	for _, m := range u.Accounts {
		page.Accounts = append(page.Accounts, pages.Account{ID: m.ID, Name: m.Name, Role: pages.RoleName(m.Role)})
	}
	return page
}

func (b *Browser) consent(w http.ResponseWriter, r *http.Request, t *transaction, u User, m Membership) pages.Consent {
	return pages.Consent{
		Session: b.head(w, r, u), Client: t.client(), Account: m.Name, Several: len(u.Accounts) > 1,
		Form: b.consentForm(w, r, t, u, m), Role: pages.RoleName(m.Role), Writes: writes(m.Role),
		OnlyRead: b.onlyRead(t, m), IdleDays: int(b.cfg.IdleLife / (24 * time.Hour)),
	}
}

// writes says what a connection with a role can change.
func writes(role string) string {
	if role == roleOwner {
		return "See everything, and change customers, plans, data sources, settings, integrations, webhooks, team, API keys and the account itself."
	}
	return "See everything, and change customers, plans, data sources, settings, integrations, webhooks, team and API keys."
}

// The roles of a member.
const (
	roleOwner    = "owner"
	roleReadOnly = "readonly"
)

// onlyRead says why a connection can only read, "" when it may write.
func (b *Browser) onlyRead(t *transaction, m Membership) string {
	switch {
	case m.Role == roleReadOnly:
		return "Your own role in this account is read only."
	case b.cfg.ReadOnly:
		return "This server only lets assistants read."
	case !t.Request.Scope.Has(protocol.Write):
		return "The app asks for no more than that."
	}
	return ""
}

// consentForm is bound to all that the page shows: when the user signs in as
// somebody else in another tab, or their role changes, it is shown again rather
// than taken for consent to something else.
func (b *Browser) consentForm(w http.ResponseWriter, r *http.Request, t *transaction, u User, m Membership) pages.Form {
	return pages.Form{
		Action: "/consent",
		CSRF:   b.token(b.browserOf(w, r), consentPurpose(t, u, m)...),
		Hidden: []pages.Field{{Name: "tx", Value: t.id}, {Name: "for", Value: m.ID}},
	}
}

func consentPurpose(t *transaction, u User, m Membership) []string {
	return []string{"consent", t.id, u.ID, m.ID, m.Role}
}

// decide takes the answer of the picker or of the consent page.
func (b *Browser) decide(w http.ResponseWriter, r *http.Request) error {
	t, err := b.transaction(r, r.PostForm.Get("tx"))
	if err != nil {
		return err
	}
	u, done, err := b.signedInUser(w, r, journey{tx: t.id})
	if done || err != nil {
		return err
	}
	m, member := u.membership(r.PostForm.Get("for"))
	if !member && r.PostForm.Get("for") != "" {
		return b.redirect(w, journey{tx: t.id}.target())
	}
	if err := b.checkForm(r, consentPurpose(t, u, m)...); err != nil {
		return err
	}
	switch r.PostForm.Get("decision") {
	case "allow":
		if !member {
			return errForeignForm
		}
		return b.allow(w, r, t, u, m)
	case "deny":
		return b.deny(w, r, t, u)
	default:
		return b.choose(w, r, t, u)
	}
}

// choose notes the account of the picker; none leads back to it.
func (b *Browser) choose(w http.ResponseWriter, r *http.Request, t *transaction, u User) error {
	account := r.PostForm.Get("account")
	if _, ok := u.membership(account); !ok && account != "" {
		return errForeignForm
	}
	if t.Decision == undecided {
		t.Account = account
		if err := b.save(r.Context(), t); err != nil && !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return b.redirect(w, journey{tx: t.id}.target())
}

// deny tells the client; a second click tells it again.
func (b *Browser) deny(w http.ResponseWriter, r *http.Request, t *transaction, u User) error {
	switch t.Decision {
	case allowed:
		return b.showDecided(w, t)
	case denied:
		if b.cfg.Now().Sub(t.DecidedAt) > repeatWindow {
			return b.showDecided(w, t)
		}
	case undecided:
		t.Decision, t.DecidedAt = denied, b.cfg.Now()
		err := b.save(r.Context(), t)
		if errors.Is(err, ErrMoved) {
			return b.redirect(w, journey{tx: t.id}.target())
		}
		if err != nil {
			return err
		}
		b.cfg.Audit(r.Context(), AuditEvent{
			Action: ActionDenied, User: u.ID, Client: auditName(t.Request.ClientID), Address: b.cfg.Address(r),
		})
	}
	fault := &protocol.Error{Code: protocol.AccessDenied, Description: "the user denied the request"}
	return b.sendBack(w, t.client(), b.cfg.Protocol.ErrorLocation(&t.Request, fault), true)
}

// allow gives the client its code. A second click, or the back button and another
// click, gives the same one for a while.
func (b *Browser) allow(w http.ResponseWriter, r *http.Request, t *transaction, u User, m Membership) error {
	grant := b.grant(r, t, u, m)
	switch t.Decision {
	case denied:
		return b.showDecided(w, t)
	case allowed:
		if grant != t.Grant || b.cfg.Now().Sub(t.DecidedAt) > repeatWindow {
			return b.showDecided(w, t)
		}
	case undecided:
	}
	token, err := b.cfg.Users.Token(r.Context(), b.sessionOf(r), m.ID)
	if errors.Is(err, ErrSessionOver) || errors.Is(err, ErrNoMember) {
		return b.redirect(w, journey{tx: t.id}.target()) // just now; the page says what to do
	}
	if err != nil {
		return err
	}
	code, err := b.cfg.Grants.IssueCode(r.Context(), CodeRequest{
		Transaction: t.id, Grant: grant, Challenge: string(t.Request.Challenge), UserToken: token, KeyName: t.client().Name,
	})
	switch {
	case errors.Is(err, ErrAlreadyConnected), errors.Is(err, ErrInvalidGrant):
		return b.pages.Write(w, http.StatusOK, pages.AlreadyConnected(t.client()))
	case err != nil:
		return err
	}
	if t.Decision == undecided {
		t.Decision, t.DecidedAt, t.Grant = allowed, b.cfg.Now(), grant
		if done, err := b.saveAllowed(w, r, t); done || err != nil {
			return err
		}
	}
	return b.sendBack(w, t.client(), b.cfg.Protocol.CodeLocation(&t.Request, code.Reveal()), false)
}

// saveAllowed closes the transaction. When another click was first, that is as
// good, unless it was Deny: then the code is never told to anybody.
func (b *Browser) saveAllowed(w http.ResponseWriter, r *http.Request, t *transaction) (done bool, err error) {
	err = b.save(r.Context(), t)
	if !errors.Is(err, ErrMoved) {
		return false, err
	}
	now, err := b.transaction(r, t.id)
	if err != nil {
		return false, err
	}
	if now.Decision == denied {
		return true, b.showDecided(w, now)
	}
	return false, nil
}

// grant is what the user allows by this form.
func (b *Browser) grant(r *http.Request, t *transaction, u User, m Membership) Grant {
	readOnly := b.onlyRead(t, m) != "" || r.PostForm.Get("access") != "write"
	scope, role := t.Request.Scope&^protocol.Offline, m.Role
	if readOnly {
		scope, role = scope.WithoutWrite(), roleReadOnly
	}
	return Grant{
		User: u.ID, UserName: u.Email, Account: m.ID, AccountName: m.Name,
		Client: t.Request.ClientID, ClientName: t.client().Name, Redirect: t.Request.RedirectURI,
		// A client that did not ask to write can be told that it may ask.
		Role: role, ReadOnly: readOnly && t.Request.Scope.Has(protocol.Write), Scope: scope.String(), Resource: t.Request.Resource,
	}
}
