package config

import (
	"errors"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// Mail is the server that e-mails are sent through. Its zero value sends none.
type Mail struct {
	Host, Port string
	User       string // "" to send without signing in
	Password   Secret
	TLS        bool // from the first byte, rather than by STARTTLS
	From       mail.Address
}

// Configured reports whether e-mails can be sent.
func (m Mail) Configured() bool { return m.Host != "" }

// check says what is missing for mails to be sent.
func (m Mail) check(apiPublicURL string) error {
	var all []error
	if m.Configured() && m.From.Address == "" {
		all = append(all, &Error{Name: "GROWPANEL_SMTP_FROM", Want: "the sender of e-mails, since GROWPANEL_SMTP_URL is set"})
	}
	if m.Configured() && apiPublicURL == "" {
		all = append(all, &Error{Name: "--api-public-url", Want: "the origin of the API, to which the links in e-mails lead, since GROWPANEL_SMTP_URL is set"})
	}
	return errors.Join(all...)
}

func mailSettings() []Setting {
	api := []Command{ServeAll, ServeAPI}
	return []Setting{
		{
			Env: "GROWPANEL_SMTP_URL", Default: "off", Commands: api, Secret: true,
			Help:  "mail server for notifications: smtps://user:password@smtp.example.com:465, or smtp:// for STARTTLS on port 587",
			apply: func(c *Serve, value string) error { return setMailServer(&c.Mail, value) },
		},
		{
			Env: "GROWPANEL_SMTP_FROM", Default: "off", Commands: api,
			Help:  "sender of e-mails, as GrowPanel <reports@example.com>",
			apply: func(c *Serve, value string) error { return setSender(&c.Mail, value) },
		},
	}
}

func setMailServer(to *Mail, value string) error {
	wrong := errors.New("a URL such as smtps://user:password@smtp.example.com:465")
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return wrong
	}
	to.Host, to.Port = u.Hostname(), u.Port()
	switch u.Scheme {
	case "smtps":
		to.TLS = true
		if to.Port == "" {
			to.Port = "465"
		}
	case "smtp":
		if to.Port == "" {
			to.Port = "587"
		}
	default:
		return wrong
	}
	if port, err := strconv.ParseUint(to.Port, 10, 16); err != nil || port == 0 {
		return wrong
	}
	if u.User != nil {
		to.User = u.User.Username()
		password, _ := u.User.Password()
		to.Password = Secret{password}
	}
	return nil
}

func setSender(to *Mail, value string) error {
	from, err := mail.ParseAddress(value)
	if err != nil {
		return errors.New("an address such as GrowPanel <reports@example.com>")
	}
	to.From = *from
	return nil
}
