package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// forwardBody is what the account's own webhook gets of an event, and whether it
// gets any.
func forwardBody(doc *analytics.Envelope, threshold int64) (body []byte, send bool) {
	shape := struct {
		ID        string          `json:"id"`
		Event     string          `json:"event"`
		CreatedAt string          `json:"created_at"`
		AccountID string          `json:"account_id"`
		Customer  json.RawMessage `json:"customer"`
		Movements []any           `json:"movements,omitempty"`
		Payment   json.RawMessage `json:"payment,omitempty"`
		Scheduled json.RawMessage `json:"cancellation,omitempty"`
	}{ID: doc.ID, Event: doc.Event, CreatedAt: doc.CreatedAt.Format("2006-01-02T15:04:05.000Z"), AccountID: doc.AccountID}
	var inner struct {
		Customer json.RawMessage `json:"customer"`
	}
	if err := json.Unmarshal(doc.Data, &inner); err != nil {
		return nil, false
	}
	shape.Customer = inner.Customer
	switch {
	case strings.HasPrefix(doc.Event, "movement."):
		var m analytics.MovementData
		if err := json.Unmarshal(doc.Data, &m); err != nil || worth(&m) < threshold {
			return nil, false
		}
		shape.Event = "mrr_movement"
		shape.Movements = []any{withoutCustomer(doc.Data)}
	case doc.Event == analytics.ScheduledCancellation:
		shape.Scheduled = doc.Data
	default:
		shape.Payment = doc.Data
	}
	body, err := json.Marshal(shape)
	return body, err == nil
}

// withoutCustomer is a movement as it stands beside its customer.
func withoutCustomer(data json.RawMessage) any {
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil
	}
	delete(fields, "customer")
	return fields
}

// worth is the size of a movement in minor units of the base currency, or of its
// own while no rate is known.
func worth(m *analytics.MovementData) int64 {
	change := m.MRRChange
	if m.MRRChangeBaseCurrency != nil {
		change = *m.MRRChangeBaseCurrency
	}
	return max(change, -change)
}

// postText is an event in one line for people, and whether it is to be posted.
func postText(doc *analytics.Envelope, threshold int64) (text string, send bool) {
	switch {
	case strings.HasPrefix(doc.Event, "movement."):
		var m analytics.MovementData
		if err := json.Unmarshal(doc.Data, &m); err != nil || worth(&m) < threshold {
			return "", false
		}
		return fmt.Sprintf("%s: %s, MRR %s (%s → %s)", title(m.Type), who(m.Customer), signed(m.MRRChange, m.Currency), amount(m.OldMRR, m.Currency), amount(m.NewMRR, m.Currency)), true
	case doc.Event == analytics.FailedPayment:
		var p analytics.PaymentData
		if err := json.Unmarshal(doc.Data, &p); err != nil {
			return "", false
		}
		return fmt.Sprintf("Failed payment: %s, %s", who(p.Customer), amount(p.Amount, p.Currency)), true
	case doc.Event == analytics.ScheduledCancellation:
		var c analytics.CancellationData
		if err := json.Unmarshal(doc.Data, &c); err != nil {
			return "", false
		}
		return fmt.Sprintf("Scheduled cancellation: %s leaves on %s, MRR %s", who(c.Customer), c.EffectiveDate, signed(c.MRRChange, c.Currency)), true
	default:
		return "", false
	}
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func who(c analytics.CustomerData) string {
	for _, name := range []string{c.Name, c.Email} {
		if name != "" {
			return name
		}
	}
	return c.ID
}

func signed(minor int64, currency string) string {
	if minor > 0 {
		return "+" + amount(minor, currency)
	}
	return amount(minor, currency)
}

// amount writes minor units with their currency: -12.50 USD.
func amount(minor int64, currency string) string {
	c, err := money.Parse(currency)
	if err != nil {
		return fmt.Sprintf("%d %s", minor, currency)
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := strconv.FormatInt(minor, 10)
	if n := c.Exponent(); n > 0 {
		digits = strings.Repeat("0", max(n+1-len(digits), 0)) + digits
		digits = digits[:len(digits)-n] + "." + digits[len(digits)-n:]
	}
	return sign + digits + " " + strings.ToUpper(currency)
}

// post sends a line to Slack or Teams. Neither may take it for markup: customers
// choose their names.
func (s *Service) post(ctx context.Context, h Hook, text string) error {
	client, shape := s.slack, any(map[string]any{"text": slackPlain(text), "mrkdwn": false, "unfurl_links": false})
	if h.Channel == Teams {
		client, shape = s.teams, map[string]any{
			"type": "message",
			"attachments": []any{map[string]any{
				"contentType": "application/vnd.microsoft.card.adaptive",
				"content": map[string]any{
					"type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
					"body": []any{map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": text}}}},
				},
			}},
		}
	}
	body, err := json.Marshal(shape)
	if err != nil {
		return jobs.Permanent(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return jobs.Permanent(fmt.Errorf("the URL of %s cannot be called", h.Channel))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", s.agent)
	return s.exchange(ctx, client, r, h)
}

// slackPlain escapes the three characters that begin Slack's markup.
func slackPlain(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
