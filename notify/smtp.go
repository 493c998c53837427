package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/jobs"
)

// Mail is one e-mail to one address.
type Mail struct {
	ID          string // the same one when it is sent again
	To          mail.Address
	Subject     string
	Text, HTML  string
	Unsubscribe string // URL that ends mails of this kind, "" for none
}

// Mailer sends e-mails. An error that trying again cannot mend is marked as
// jobs.Permanent.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// SMTP sends through a mail server of the operator's. It is safe for concurrent
// use.
type SMTP struct {
	Host     string
	Port     string
	User     string // "" to send without signing in
	Password Secret
	From     mail.Address
	// TLS from the first byte; else STARTTLS, which only a server on this machine
	// may lack.
	TLS     bool
	RootCAs *x509.CertPool // nil for the system's
	Now     func() time.Time
}

var _ Mailer = (*SMTP)(nil)

const mailTimeout = time.Minute

// Send implements Mailer.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	message, err := s.compose(m)
	if err != nil {
		return jobs.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(s.Host, s.Port))
	if err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	defer func() { _ = conn.Close() }()
	return judge(s.exchange(conn, m.To.Address, message))
}

// judge marks refusals that will not change.
func judge(err error) error {
	if refused, ok := errors.AsType[*textproto.Error](err); ok && refused.Code >= 500 {
		return jobs.Permanent(fmt.Errorf("the mail server refuses: %w", err))
	}
	return err
}

func (s *SMTP) exchange(conn net.Conn, to string, message []byte) error {
	secure := &tls.Config{ServerName: s.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	if s.TLS {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, s.Host)
	if err != nil {
		return err
	}
	if !s.TLS {
		if offered, _ := c.Extension("STARTTLS"); offered {
			if err := c.StartTLS(secure); err != nil {
				return err
			}
		} else if ip := net.ParseIP(s.Host); s.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return errors.New("the mail server offers no STARTTLS")
		}
	}
	if s.User != "" {
		if err := c.Auth(smtp.PlainAuth("", s.User, s.Password.Reveal(), s.Host)); err != nil {
			return err
		}
	}
	if err := c.Mail(s.From.Address); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it was taken
	return nil
}

// compose writes the message (RFC 5322) with its text and HTML as alternatives.
func (s *SMTP) compose(m Mail) ([]byte, error) {
	var b bytes.Buffer
	body := multipart.NewWriter(&b)
	_, domain, _ := strings.Cut(s.From.Address, "@")
	headers := [][2]string{
		{"From", s.From.String()},
		{"To", m.To.String()},
		{"Subject", mime.QEncoding.Encode("utf-8", oneLine(m.Subject))},
		{"Date", s.Now().UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + body.Boundary() + `"`},
	}
	if m.Unsubscribe != "" {
		// One click in the reader's mail program (RFC 8058).
		headers = append(headers, [2]string{"List-Unsubscribe", "<" + m.Unsubscribe + ">"}, [2]string{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	for _, h := range headers {
		if strings.ContainsAny(h[1], "\r\n") && h[0] != "Subject" {
			return nil, fmt.Errorf("the mail's %s has a line break", h[0])
		}
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	for _, part := range []struct{ kind, text string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		w, err := body.CreatePart(textproto.MIMEHeader{
			"Content-Type": {part.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return nil, err
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(part.text)); err != nil {
			return nil, err
		}
		if err := q.Close(); err != nil {
			return nil, err
		}
	}
	if err := body.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// oneLine makes a header of a text: names in it are others' choice.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
