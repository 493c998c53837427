package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// daysKind is the job that looks every hour whose days have passed.
const (
	daysKind   = "event-days"
	mailsKind  = "mail-reports"
	mailsEvery = 15 * time.Minute
	daysEvery  = time.Hour
	daysPage   = 500
)

// Handlers are the jobs of this package, for the runner.
func (s *Service) Handlers() map[string]jobs.Handler {
	waits := retryWaits()
	return map[string]jobs.Handler{
		jobKind: {
			Run: s.deliver, Workers: 16, LaneWidth: 4, Timeout: 2 * callTimeout, Keep: 14 * 24 * time.Hour, Attempts: len(waits) + 1,
			Backoff: func(attempt int) time.Duration {
				wait := waits[min(attempt, len(waits))-1]
				return wait + jobs.Jitter(wait/10)
			},
		},
		daysKind:  {Run: s.tellDays, Timeout: 30 * time.Minute},
		mailKind:  {Run: s.sendMail, Workers: 4, Attempts: 8, Backoff: jobs.Exponential(time.Minute, 6*time.Hour), Timeout: 2 * mailTimeout},
		mailsKind: {Run: s.enqueueReports, Timeout: 30 * time.Minute},
	}
}

// retryWaits are the times between attempts that Standard Webhooks recommends:
// ten attempts in a little over three days.
func retryWaits() []time.Duration {
	const h = time.Hour
	return []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h}
}

// Start sets the schedules of what happens by the passing of days, and of mails.
func (s *Service) Start(ctx context.Context, runner *jobs.Runner) error {
	if err := runner.Repeat(ctx, jobs.New{Kind: mailsKind, Lane: mailsKind}, mailsEvery, s.now()); err != nil {
		return err
	}
	return runner.Repeat(ctx, jobs.New{Kind: daysKind, Lane: daysKind}, daysEvery, s.now())
}

// tellDays tells the subscribers of all accounts what days have brought.
func (s *Service) tellDays(ctx context.Context, _ *jobs.Task) error {
	var failed []error
	after := ""
	for {
		accounts, err := s.store.Watching(ctx, after, daysPage)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			if err := s.engine.TellDays(ctx, account); err != nil {
				failed = append(failed, fmt.Errorf("account %s: %w", account, err))
			}
			after = account
		}
		if len(accounts) < daysPage {
			return errors.Join(failed...)
		}
	}
}

// deliver is one attempt at one delivery.
func (s *Service) deliver(ctx context.Context, t *jobs.Task) error {
	h, err := s.store.Hook(ctx, t.Account, strings.TrimPrefix(t.Lane, lanePart))
	if errors.Is(err, ErrNotFound) {
		return jobs.Permanent(err)
	}
	if err != nil {
		return err
	}
	if h.Unreadable {
		return ErrUnreadable // tried again: the operator may put the secret back
	}
	var doc analytics.Envelope
	if err := json.Unmarshal(t.Payload, &doc); err != nil {
		return jobs.Permanent(fmt.Errorf("read the event: %w", err))
	}
	switch h.Channel {
	case Webhook:
		return s.call(ctx, s.calls, h, doc.ID, t.Payload)
	case Forward:
		body, send := forwardBody(&doc, h.Threshold)
		if !send {
			return nil
		}
		return s.call(ctx, s.calls, h, doc.ID, body)
	case Slack, Teams:
		text, send := postText(&doc, h.Threshold)
		if !send {
			return nil
		}
		return s.post(ctx, h, text)
	default:
		line, send := postText(&doc, h.Threshold)
		if !send {
			return nil
		}
		return s.mailAlert(ctx, t, h, line)
	}
}

// call posts a signed document.
func (s *Service) call(ctx context.Context, client *http.Client, h Hook, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return jobs.Permanent(errors.New("the URL cannot be called"))
	}
	now := s.now()
	keys := h.Keys
	if len(keys) > 1 && now.Sub(h.Rotated) > KeysOverlap {
		keys = keys[:1]
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", s.agent)
	if len(keys) > 0 {
		r.Header.Set("Webhook-Id", id)
		r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
		r.Header.Set("Webhook-Signature", Sign(keys, id, now, body))
	}
	return s.exchange(ctx, client, r, h)
}

// exchange sends a request and judges the answer by its status.
func (s *Service) exchange(ctx context.Context, client *http.Client, r *http.Request, h Hook) error {
	answer, err := client.Do(r)
	if err != nil {
		return withoutURL(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection can be used again
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusGone:
		reason := "the receiver answered 410 Gone"
		if err := s.store.Pause(ctx, h.Account, h.ID, reason); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return jobs.Permanent(errors.New(reason))
	default:
		return fmt.Errorf("the receiver answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
}

// withoutURL takes the URL out of an error of net/http: it is a secret.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return errors.New("the receiver did not answer in time")
		}
		return fmt.Errorf("call the receiver: %w", wrapped.Err)
	}
	return err
}
