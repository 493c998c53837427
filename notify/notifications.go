package notify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// Notifications are the e-mails that a user gets about an account. Nil is off.
type Notifications struct {
	DailyReport               *bool  `json:"daily_report"`
	WeeklyReport              *bool  `json:"weekly_report"`
	MonthlyReport             *bool  `json:"monthly_report"`
	ExpansionAlertThreshold   *int64 `json:"expansion_alert_threshold"` // minor units of the base currency
	ContractionAlertThreshold *int64 `json:"contraction_alert_threshold"`
	NotifyScheduledChurn      *bool  `json:"notify_scheduled_churn"`
	NotifyFailedPayment       *bool  `json:"notify_failed_payment"`
}

// any reports whether any mail is asked for.
func (n *Notifications) any() bool {
	return isOn(n.DailyReport) || isOn(n.WeeklyReport) || isOn(n.MonthlyReport) || n.ExpansionAlertThreshold != nil ||
		n.ContractionAlertThreshold != nil || isOn(n.NotifyScheduledChurn) || isOn(n.NotifyFailedPayment)
}

func isOn(b *bool) bool { return b != nil && *b }

// report returns whether reports of a period are on.
func (n *Notifications) report(p Period) *bool {
	switch p {
	case Weekly:
		return n.WeeklyReport
	case Monthly:
		return n.MonthlyReport
	case Daily:
	}
	return n.DailyReport
}

// Recipient is a user as mails know them.
type Recipient struct {
	Address mail.Address
	Account string // its name
}

// Directory knows the users of accounts.
type Directory interface {
	// Recipient returns an enabled user who is a member of the account now, or
	// ErrNoRecipient.
	Recipient(ctx context.Context, account, user string) (Recipient, error)
}

// Sealer encrypts what links carry. *sealed.Box is one.
type Sealer interface {
	Seal(text []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}

// Errors of notifications.
var (
	ErrNoMail      = errors.New("this server sends no e-mail: its operator has configured no mail server")
	ErrNoRecipient = errors.New("there is no such member")
	ErrLink        = errors.New("the link is not valid any more; open the newest one, or change your notifications in the settings")
)

// subscriber is what the store keeps of a user's notifications.
type subscriber struct {
	Notifications
	// Confirmed is the address whose owner has confirmed to want mail.
	Confirmed string `json:"confirmed,omitempty"`
}

const notificationsPrefix = "notifications/"

// mailChannel is the channel of the hooks that mail a user.
func mailChannel(user string) Channel { return Channel("mail/" + user) }

func (s *Service) subscriber(ctx context.Context, account, user string) (sub subscriber, err error) {
	set, err := s.store.Integration(ctx, account, notificationsPrefix+user)
	if err != nil || set.Text == nil {
		return sub, err
	}
	if err := json.Unmarshal(set.Text, &sub); err != nil {
		return sub, fmt.Errorf("read the notifications of user %s: %w", user, err)
	}
	return sub, nil
}

// Notifications returns what a user gets about an account.
func (s *Service) Notifications(ctx context.Context, account, user string) (Notifications, error) {
	sub, err := s.subscriber(ctx, account, user)
	return sub.Notifications, err
}

// SetNotifications changes what a user gets. What is switched on begins once the
// owner of the address has confirmed; a mail that asks for that is sent if need
// be. ErrNoMail when something is to be on and no mail can be sent.
func (s *Service) SetNotifications(ctx context.Context, account, user string, change func(*Notifications)) (Notifications, error) {
	sub, err := s.subscriber(ctx, account, user)
	if err != nil {
		return Notifications{}, err
	}
	change(&sub.Notifications)
	if err := checkThresholds(&sub.Notifications); err != nil {
		return Notifications{}, err
	}
	if !sub.any() {
		return sub.Notifications, s.saveSubscriber(ctx, account, user, sub)
	}
	if s.mailer == nil {
		return Notifications{}, ErrNoMail
	}
	to, err := s.people.Recipient(ctx, account, user)
	if err != nil {
		return Notifications{}, err
	}
	if err := s.saveSubscriber(ctx, account, user, sub); err != nil {
		return Notifications{}, err
	}
	if sub.Confirmed == to.Address.Address {
		return sub.Notifications, nil
	}
	return sub.Notifications, s.askToConfirm(ctx, account, user, to)
}

func checkThresholds(n *Notifications) error {
	for name, t := range map[string]**int64{"expansion_alert_threshold": &n.ExpansionAlertThreshold, "contraction_alert_threshold": &n.ContractionAlertThreshold} {
		switch {
		case *t == nil:
		case **t == -1: // how older clients say off
			*t = nil
		case **t < 0:
			return &FieldError{name, "must be 0 or more minor units of the base currency, or null for off"}
		}
	}
	return nil
}

// saveSubscriber stores a user's notifications with the hooks that they ask for.
func (s *Service) saveSubscriber(ctx context.Context, account, user string, sub subscriber) error {
	text, err := json.Marshal(sub)
	if err != nil {
		return fmt.Errorf("encode notifications: %w", err)
	}
	today, err := s.engine.Today(ctx, account)
	if err != nil {
		return err
	}
	return s.store.SetIntegration(ctx, account, notificationsPrefix+user, Settings{Text: text}, mailChannel(user), s.alerts(account, user, &sub), today)
}

// alerts are the hooks of a user's notifications.
func (s *Service) alerts(account, user string, sub *subscriber) []Hook {
	if sub.Confirmed == "" {
		return nil
	}
	var hooks []Hook
	add := func(threshold int64, events ...string) {
		for _, event := range events {
			id := sha256.Sum256([]byte(account + "\x00" + user + "\x00" + event))
			hooks = append(hooks, Hook{
				ID: "ml_" + hex.EncodeToString(id[:12]), Account: account, Channel: mailChannel(user), Event: event, Threshold: threshold,
				Created: s.now().UTC().Truncate(time.Millisecond),
			})
		}
	}
	if t := sub.ExpansionAlertThreshold; t != nil {
		add(*t, analytics.MovementNew, analytics.MovementExpansion, analytics.MovementReactivation)
	}
	if t := sub.ContractionAlertThreshold; t != nil {
		add(*t, analytics.MovementContraction, analytics.MovementChurn)
	}
	if isOn(sub.NotifyScheduledChurn) {
		add(0, analytics.ScheduledCancellation)
	}
	if isOn(sub.NotifyFailedPayment) {
		add(0, analytics.FailedPayment)
	}
	return hooks
}

// link is what the URL in a mail carries, sealed.
type link struct {
	Account string `json:"a"`
	User    string `json:"u"`
	Email   string `json:"e"`
}

// The two links of mails.
const (
	confirmPlace     = "confirm"
	unsubscribePlace = "unsubscribe"
)

func (s *Service) linkURL(place, account, user, email string) (string, error) {
	text, err := json.Marshal(link{account, user, email})
	if err != nil {
		return "", fmt.Errorf("encode the link: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(s.sealer.Seal(text, place))
	return s.publicURL + "/mail/" + place + "?token=" + url.QueryEscape(token), nil
}

func (s *Service) openLink(place, token string) (l link, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || s.sealer == nil {
		return l, ErrLink
	}
	text, err := s.sealer.Open(raw, place)
	if err != nil {
		return l, ErrLink
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, ErrLink
	}
	return l, nil
}

// Confirm notes that the owner of an address wants mail, by the token of the
// link that was sent there. ErrLink.
func (s *Service) Confirm(ctx context.Context, token string) error {
	l, err := s.openLink(confirmPlace, token)
	if err != nil {
		return err
	}
	to, err := s.people.Recipient(ctx, l.Account, l.User)
	if errors.Is(err, ErrNoRecipient) || err == nil && to.Address.Address != l.Email {
		return ErrLink
	}
	if err != nil {
		return err
	}
	sub, err := s.subscriber(ctx, l.Account, l.User)
	if err != nil {
		return err
	}
	sub.Confirmed = l.Email
	return s.saveSubscriber(ctx, l.Account, l.User, sub)
}

// Unsubscribe switches all of a user's mails about an account off, by the token
// of a mail's link. ErrLink.
func (s *Service) Unsubscribe(ctx context.Context, token string) error {
	l, err := s.openLink(unsubscribePlace, token)
	if err != nil {
		return err
	}
	sub, err := s.subscriber(ctx, l.Account, l.User)
	if err != nil {
		return err
	}
	sub.Notifications = Notifications{}
	return s.saveSubscriber(ctx, l.Account, l.User, sub)
}

// mailJob is the payload of a job that mails a user.
type mailJob struct {
	User   string `json:"user"`
	Report Period `json:"report,omitempty"` // "" for the mail that asks to confirm
	Day    string `json:"day,omitempty"`    // last day of the report
	Email  string `json:"email,omitempty"`  // to confirm
}

const mailKind = "mail"

// mailLane keeps the mails to a user about an account apart from those about
// others, of which one may rest.
func mailLane(account, user string) string { return "mail/" + account + "/" + user }

func (s *Service) askToConfirm(ctx context.Context, account, user string, to Recipient) error {
	body, err := json.Marshal(mailJob{User: user, Email: to.Address.Address})
	if err != nil {
		return fmt.Errorf("encode the mail: %w", err)
	}
	// At most one an hour, however often the settings are saved.
	id := fmt.Sprintf("confirm_%s_%s_%s_%d", account, user, shortHash(to.Address.Address), s.now().Unix()/3600)
	return s.enqueueMail(ctx, jobs.Job{ID: id, Account: account, Lane: mailLane(account, user), Payload: body})
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// enqueueMail adds a mail unless one with its id was added before.
func (s *Service) enqueueMail(ctx context.Context, j jobs.Job) error {
	j.Kind, j.Created = mailKind, s.now().UTC().Truncate(time.Millisecond)
	j.RunAt = j.Created
	err := s.queue.Enqueue(ctx, j, false)
	if errors.Is(err, jobs.ErrExists) {
		return nil
	}
	return err
}

// sendMail is one attempt at one mail. Whoever has changed their mind or address
// since is left alone.
func (s *Service) sendMail(ctx context.Context, t *jobs.Task) error {
	var m mailJob
	if err := json.Unmarshal(t.Payload, &m); err != nil {
		return jobs.Permanent(fmt.Errorf("read the mail: %w", err))
	}
	if s.mailer == nil {
		return jobs.Permanent(ErrNoMail)
	}
	to, err := s.people.Recipient(ctx, t.Account, m.User)
	if errors.Is(err, ErrNoRecipient) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.Report == "" {
		return s.sendConfirmation(ctx, t, m, to)
	}
	sub, err := s.subscriber(ctx, t.Account, m.User)
	if err != nil || !isOn(sub.report(m.Report)) || sub.Confirmed != to.Address.Address {
		return err
	}
	stop, err := s.linkURL(unsubscribePlace, t.Account, m.User, to.Address.Address)
	if err != nil {
		return err
	}
	composed, err := s.reportMail(ctx, t.Account, to, m.Report, m.Day, stop)
	if err != nil {
		return err
	}
	composed.ID = t.ID
	return s.mailer.Send(ctx, composed)
}

func (s *Service) sendConfirmation(ctx context.Context, t *jobs.Task, m mailJob, to Recipient) error {
	if to.Address.Address != m.Email {
		return nil
	}
	where, err := s.linkURL(confirmPlace, t.Account, m.User, m.Email)
	if err != nil {
		return err
	}
	text, html, err := render("confirm", map[string]string{"Account": to.Account, "Link": where})
	if err != nil {
		return jobs.Permanent(err)
	}
	return s.mailer.Send(ctx, Mail{ID: t.ID, To: to.Address, Subject: "Confirm notifications about " + to.Account, Text: text, HTML: html})
}

// mailAlert mails one event to a user.
func (s *Service) mailAlert(ctx context.Context, t *jobs.Task, h Hook, line string) error {
	user := strings.TrimPrefix(string(h.Channel), "mail/")
	if s.mailer == nil {
		return jobs.Permanent(ErrNoMail)
	}
	to, err := s.people.Recipient(ctx, t.Account, user)
	if errors.Is(err, ErrNoRecipient) {
		return nil
	}
	if err != nil {
		return err
	}
	sub, err := s.subscriber(ctx, t.Account, user)
	if err != nil || sub.Confirmed != to.Address.Address {
		return err
	}
	stop, err := s.linkURL(unsubscribePlace, t.Account, user, to.Address.Address)
	if err != nil {
		return err
	}
	text, html, err := render("alert", map[string]string{"Account": to.Account, "Line": line, "Unsubscribe": stop})
	if err != nil {
		return jobs.Permanent(err)
	}
	return s.mailer.Send(ctx, Mail{ID: t.ID, To: to.Address, Subject: to.Account + ": " + line, Text: text, HTML: html, Unsubscribe: stop})
}

// reportHour is the hour of the day, in the account's zone, from which reports
// are sent; reportLate is for how many days after the end of its period one is.
const (
	reportHour = 7
	reportLate = 3
	mailPage   = 500
)

// enqueueReports adds the reports that are due. A report that was added before is
// not added again.
func (s *Service) enqueueReports(ctx context.Context, _ *jobs.Task) error {
	if s.mailer == nil {
		return nil
	}
	var failed []error
	account, name := "", ""
	for {
		page, err := s.store.Integrations(ctx, notificationsPrefix, account, name, mailPage)
		if err != nil {
			return err
		}
		for _, i := range page {
			account, name = i.Account, i.Name
			if err := s.enqueueReportsOf(ctx, i); err != nil {
				failed = append(failed, fmt.Errorf("account %s: %w", i.Account, err))
			}
		}
		if len(page) < mailPage {
			return errors.Join(failed...)
		}
	}
}

func (s *Service) enqueueReportsOf(ctx context.Context, i StoredIntegration) error {
	var sub subscriber
	if err := json.Unmarshal(i.Settings, &sub); err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	periods := slices.DeleteFunc([]Period{Daily, Weekly, Monthly}, func(p Period) bool { return !isOn(sub.report(p)) })
	if len(periods) == 0 || sub.Confirmed == "" {
		return nil
	}
	if s.suspended != nil {
		if suspended, err := s.suspended(ctx, i.Account); err != nil || suspended {
			return err
		}
	}
	snapshot, err := s.engine.Snapshot(ctx, i.Account)
	if err != nil {
		return err
	}
	if s.now().In(snapshot.Settings.Zone).Hour() < reportHour {
		return nil
	}
	user := strings.TrimPrefix(i.Name, notificationsPrefix)
	for _, p := range periods {
		last := p.before(snapshot).To
		if snapshot.Today-last > reportLate {
			continue
		}
		body, err := json.Marshal(mailJob{User: user, Report: p, Day: last.String()})
		if err != nil {
			return fmt.Errorf("encode the mail: %w", err)
		}
		id := fmt.Sprintf("report_%s_%s_%s_%s", p, i.Account, user, last)
		if err := s.enqueueMail(ctx, jobs.Job{ID: id, Account: i.Account, Lane: mailLane(i.Account, user), Payload: body}); err != nil {
			return err
		}
	}
	return nil
}
