package notify_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
)

// postbox keeps the mails that are sent, and knows the users.
type postbox struct {
	mu    sync.Mutex
	mails []notify.Mail
	fail  error
	email string // of the user "ann"; "" when she has left
}

func (p *postbox) Send(_ context.Context, m notify.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.mails = append(p.mails, m)
	return nil
}

func (p *postbox) Recipient(_ context.Context, _, user string) (notify.Recipient, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if user != "ann" || p.email == "" {
		return notify.Recipient{}, notify.ErrNoRecipient
	}
	return notify.Recipient{Address: mail.Address{Name: "Ann", Address: p.email}, Account: "Acme"}, nil
}

func (p *postbox) sent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mails)
}

func (p *postbox) subjects() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.mails {
		all = append(all, m.Subject)
	}
	return strings.Join(all, "\n")
}

// token finds the token of a link in the newest mail.
func (p *postbox) token(t *testing.T, path string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) == 0 {
		t.Fatal("no mail was sent")
	}
	link := regexp.MustCompile(`https://api\.example/mail/` + path + `\?token=(\S+)`).FindStringSubmatch(p.mails[len(p.mails)-1].Text)
	if link == nil {
		t.Fatalf("no link to %s in:\n%s", path, p.mails[len(p.mails)-1].Text)
	}
	token, err := url.QueryUnescape(link[1])
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func set(t *testing.T, w *world, change func(*notify.Notifications)) {
	t.Helper()
	if _, err := w.hooks.SetNotifications(t.Context(), account, "ann", change); err != nil {
		t.Fatal(err)
	}
}

func TestMail_ReportsInTheAccountsMorning(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.post.email = "ann@example.com"
		on := true
		set(t, w, func(n *notify.Notifications) { n.DailyReport, n.WeeklyReport, n.MonthlyReport = &on, &on, &on })
		set(t, w, func(*notify.Notifications) {})
		pass(36 * time.Hour)
		if got := w.post.subjects(); got != "Confirm notifications about Acme" {
			t.Fatalf("before the address was confirmed:\n%s", got)
		}
		if err := w.hooks.Confirm(t.Context(), w.post.token(t, "confirm")); err != nil {
			t.Fatal(err)
		}
		w.push(t, "customers", `[{"id":"bob","name":"Bob"}]`)
		w.push(t, "invoices", invoice("i1", "bob", "2000-01-02", 1050))
		pass(19*time.Hour + 30*time.Minute) // the report of the 1st at once; now it is 07:30 on Monday, 3 January
		want := []string{
			"Acme: MRR 10.50 USD, +10.50 USD (2000-01-02)",
			"Acme: MRR 10.50 USD, +10.50 USD (1999-12-27 to 2000-01-02)",
			"Acme: MRR 0.00 USD, 0.00 USD (1999-12-01 to 1999-12-31)",
		}
		got := strings.Split(w.post.subjects(), "\n")[1:]
		for _, subject := range want {
			if n := count(got, subject); n != 1 {
				t.Errorf("%q was sent %d times; sent are %q", subject, n, got)
			}
		}
		pass(23 * time.Hour)
		if n := w.post.sent(); n != 5 {
			t.Errorf("%d mails before the next morning, want 5: %s", n, w.post.subjects())
		}
		pass(time.Hour)
		if n := w.post.sent(); n != 6 {
			t.Errorf("%d mails the next morning, want 6: %s", n, w.post.subjects())
		}
		w.closing.Store(true)
		pass(48 * time.Hour)
		if n := w.post.sent(); n != 6 {
			t.Errorf("%d mails while the account was closing, want 6: %s", n, w.post.subjects())
		}
		w.closing.Store(false)
		pass(time.Hour)
		if n := w.post.sent(); n != 7 {
			t.Errorf("%d mails once it was kept, want that of the last day alone: %s", n, w.post.subjects())
		}
		if err := w.hooks.Unsubscribe(t.Context(), w.post.token(t, "unsubscribe")); err != nil {
			t.Fatal(err)
		}
		pass(24 * time.Hour)
		if n := w.post.sent(); n != 7 {
			t.Errorf("mails went on: %s", w.post.subjects())
		}
	})
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func TestMail_Alerts(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.post.email = "ann@example.com"
		on, threshold := true, int64(1000)
		set(t, w, func(n *notify.Notifications) { n.ExpansionAlertThreshold, n.NotifyFailedPayment = &threshold, &on })
		pass(time.Hour)
		confirm := w.post.token(t, "confirm")
		if err := w.hooks.Confirm(t.Context(), confirm); err != nil {
			t.Fatal(err)
		}
		w.push(t, "customers", `[{"id":"bob","name":"Bob\r\nBcc: evil@example.com"},{"id":"cy","name":"Cy"}]`)
		w.push(t, "invoices", invoice("i1", "bob", "2000-01-01", 1000))
		w.push(t, "invoices", invoice("i2", "cy", "2000-01-01", 999))
		pass(time.Hour)
		if n := w.post.sent(); n != 2 || !strings.Contains(w.post.subjects(), "New: Bob") {
			t.Fatalf("sent %s", w.post.subjects())
		}
		w.post.mu.Lock()
		w.post.email = "ann@elsewhere.example" // the new address is not confirmed
		w.post.mu.Unlock()
		w.push(t, "invoices", invoice("i1", "bob", "2000-01-01", 5000))
		pass(time.Hour)
		if n := w.post.sent(); n != 2 {
			t.Errorf("sent to an address that nobody confirmed: %s", w.post.subjects())
		}
		if err := w.hooks.Confirm(t.Context(), confirm); !errors.Is(err, notify.ErrLink) {
			t.Errorf("an old address's link: %v", err)
		}
		if err := w.hooks.Unsubscribe(t.Context(), confirm); !errors.Is(err, notify.ErrLink) {
			t.Errorf("a link of the other kind: %v", err)
		}
	})
}

func TestMail_AServerThatComesBack(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.post.email, w.post.fail = "ann@example.com", errors.New("connection refused")
		on := true
		set(t, w, func(n *notify.Notifications) { n.DailyReport = &on })
		pass(time.Hour)
		w.post.mu.Lock()
		w.post.fail = nil
		w.post.mu.Unlock()
		pass(6 * time.Hour)
		if got := w.post.subjects(); got != "Confirm notifications about Acme" {
			t.Errorf("sent %q", got)
		}
	})
}

// A user of two accounts hears of one while the other is about to be deleted.
func TestMail_OfAnAccountThatRestsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.stop()
		w.post.email = "ann@example.com"
		for _, about := range []string{account, "beta"} {
			if _, err := w.hooks.SetNotifications(t.Context(), about, "ann", func(n *notify.Notifications) { n.DailyReport = new(true) }); err != nil {
				t.Fatal(err)
			}
		}
		runner := jobs.NewRunner(jobs.Config{
			Store: w.store.Jobs(), Handlers: w.hooks.Handlers(), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			Suspended: func(_ context.Context, of string) (bool, error) { return of == account, nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { runner.Run(ctx) })
		w.stop = func() { cancel(); running.Wait() }
		pass(time.Minute)
		if n := w.post.sent(); n != 1 {
			t.Errorf("%d mails were sent, want the one about the account that is open: %s", n, w.post.subjects())
		}
	})
}

// smtpServer takes mails as RFC 5321 has it, as far as a client needs it.
type smtpServer struct {
	net.Listener
	mu     sync.Mutex
	got    []string // recipients and messages
	refuse bool
}

func newSMTPServer(t *testing.T) *smtpServer {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &smtpServer{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return s
}

func (s *smtpServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewScanner(conn)
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
	say("220 test")
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), ":")
		switch {
		case strings.HasPrefix(verb, "EHLO"):
			say("250 test")
		case verb == "RCPT TO" && s.refuse:
			say("550 no such user")
		case verb == "RCPT TO":
			s.mu.Lock()
			s.got = append(s.got, rest)
			s.mu.Unlock()
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			var message strings.Builder
			for lines.Scan() && lines.Text() != "." {
				message.WriteString(strings.TrimPrefix(lines.Text(), ".") + "\r\n")
			}
			s.mu.Lock()
			s.got = append(s.got, message.String())
			s.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestSMTP_Send(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t)
	host, port, err := net.SplitHostPort(server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	sender := &notify.SMTP{Host: host, Port: port, From: mail.Address{Name: "Grow Panel", Address: "reports@example.com"}, Now: time.Now}
	m := notify.Mail{
		ID: "report_1", To: mail.Address{Name: "Änn", Address: "ann@example.com"}, Subject: "Acme: +1\r\nBcc: evil@example.com ü",
		Text: "Hello\n.\nBye ü " + strings.Repeat("x", 2000), HTML: "<p>Hello</p>", Unsubscribe: "https://api.example/mail/unsubscribe?token=x",
	}
	if err := sender.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if len(server.got) != 2 || server.got[0] != "<ann@example.com>" {
		t.Fatalf("the server got %q", server.got)
	}
	message, err := mail.ReadMessage(strings.NewReader(server.got[1]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || subject != "Acme: +1 Bcc: evil@example.com ü" || message.Header.Get("Bcc") != "" {
		t.Errorf("subject %q, %v, headers %v", subject, err, message.Header)
	}
	for name, want := range map[string]string{
		"Message-Id": "<report_1@example.com>", "List-Unsubscribe": "<" + m.Unsubscribe + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"From": `"Grow Panel" <reports@example.com>`, "Auto-Submitted": "auto-generated",
	} {
		if got := message.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for _, want := range []string{m.Text, m.HTML} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || got != want {
			t.Errorf("part %q, %v, want %q", got, err, want)
		}
	}
	server.refuse = true
	if err := sender.Send(t.Context(), m); !jobs.IsPermanent(err) {
		t.Errorf("a refused recipient: %v, want a permanent error", err)
	}
	_ = server.Close()
	if err := sender.Send(t.Context(), m); err == nil || jobs.IsPermanent(err) {
		t.Errorf("a server that is down: %v, want an error to try again", err)
	}
}
