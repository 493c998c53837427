package main

import (
	"context"
	"errors"
	"net/mail"
	"strings"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/notify"
)

// people is whom notifications go to.
type people struct{ users *identity.Service }

// Recipient implements notify.Directory.
func (p people) Recipient(ctx context.Context, account, user string) (notify.Recipient, error) {
	member, err := p.users.Member(ctx, account, user)
	if errors.Is(err, identity.ErrNotFound) || err == nil && member.Disabled {
		return notify.Recipient{}, notify.ErrNoRecipient
	}
	if err != nil {
		return notify.Recipient{}, err
	}
	company, err := p.users.Account(ctx, account)
	if err != nil {
		return notify.Recipient{}, err
	}
	name := strings.TrimSpace(member.FirstName + " " + member.LastName)
	return notify.Recipient{Address: mail.Address{Name: name, Address: member.Email}, Account: company.Name}, nil
}

// mailer sends through the operator's mail server; nil when there is none.
func (p process) mailer(cfg config.Mail) notify.Mailer {
	if !cfg.Configured() {
		return nil
	}
	return &notify.SMTP{
		Host: cfg.Host, Port: cfg.Port, User: cfg.User, Password: notify.Secret(cfg.Password.Reveal()), TLS: cfg.TLS, From: cfg.From, Now: p.now,
	}
}
