package notify

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strconv"
	"strings"
	"text/template"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// Period is how often a report is mailed.
type Period string

// The periods of reports.
const (
	Daily   Period = "daily"
	Weekly  Period = "weekly"
	Monthly Period = "monthly"
)

func (p Period) unit() calendar.Unit {
	switch p {
	case Weekly:
		return calendar.UnitWeek
	case Monthly:
		return calendar.UnitMonth
	case Daily:
	}
	return calendar.UnitDay
}

// before returns the last whole period before today.
func (p Period) before(s *report.Snapshot) calendar.Range {
	this := calendar.PeriodOf(s.Today, p.unit(), s.WeekStart)
	return calendar.PeriodOf(this.From-1, p.unit(), s.WeekStart)
}

//go:embed mail/*.txt mail/*.html
var mailFiles embed.FS

// render writes a mail as text and as HTML.
func render(name string, data any) (text, html string, err error) {
	plain, err := template.ParseFS(mailFiles, "mail/"+name+".txt")
	if err != nil {
		return "", "", fmt.Errorf("read the mail's text: %w", err)
	}
	rich, err := htmltemplate.ParseFS(mailFiles, "mail/"+name+".html")
	if err != nil {
		return "", "", fmt.Errorf("read the mail's page: %w", err)
	}
	var a, b bytes.Buffer
	if err := plain.Execute(&a, data); err != nil {
		return "", "", fmt.Errorf("write the mail's text: %w", err)
	}
	if err := rich.Execute(&b, data); err != nil {
		return "", "", fmt.Errorf("write the mail's page: %w", err)
	}
	return a.String(), b.String(), nil
}

// figures are what the mail of a report shows.
type figures struct {
	Account, Title, Days string
	Rows                 []figure
	Moves                []string
	More                 int // movements that are not listed
	Unsubscribe          string
}

type figure struct{ Name, Value, Note string }

const mailMoves = 20

// reportMail composes the report of the period that ends on a day, with the URL
// that ends such mails. Errors are those of report.MRR.
func (s *Service) reportMail(ctx context.Context, account string, to Recipient, p Period, day, unsubscribe string) (Mail, error) {
	snapshot, err := s.engine.Snapshot(ctx, account)
	if err != nil {
		return Mail{}, err
	}
	last, err := calendar.ParseDay(day)
	if err != nil {
		return Mail{}, fmt.Errorf("the report's day: %w", err)
	}
	days := calendar.PeriodOf(last, p.unit(), snapshot.WeekStart)
	q := &report.Query{Base: snapshot.Settings.Base, Unit: p.unit(), UnitGiven: true, Range: days, DateGiven: true}
	mrr, err := report.MRR(snapshot, q)
	if err != nil {
		return Mail{}, err
	}
	moves, err := report.MovementTable(snapshot, &report.Query{
		Base: q.Base, Unit: p.unit(), Range: days, DateGiven: true, SelectedDate: calendar.NoDay, Limit: mailMoves, Sort: report.ByAmountBase,
	})
	if err != nil {
		return Mail{}, err
	}
	f := figures{Account: to.Account, Title: title(string(p)) + " report", Days: spell(days), Unsubscribe: unsubscribe}
	row := mrr.Rows[len(mrr.Rows)-1]
	currency := q.Base.Code()
	f.Rows = rowsOf(&row.MRRMetrics, currency)
	for i := range moves.Rows {
		m := &moves.Rows[i]
		f.Moves = append(f.Moves, fmt.Sprintf("%s: %s, %s", title(m.Type.String()), nameOf(m.Customer), signed(m.Change, m.Currency.Code())))
	}
	f.More = moves.Count - len(moves.Rows)
	text, html, err := render("report", f)
	if err != nil {
		return Mail{}, err
	}
	return Mail{
		To: to.Address, Text: text, HTML: html, Unsubscribe: f.Unsubscribe,
		Subject: fmt.Sprintf("%s: MRR %s, %s (%s)", to.Account, amount(row.TotalMRR, currency), signed(row.MRRDiff, currency), f.Days),
	}, nil
}

func nameOf(c *report.Customer) string {
	for _, name := range []string{c.Name, c.Email} {
		if strings.TrimSpace(name) != "" {
			return name
		}
	}
	return c.ID
}

// spell writes days as a person would.
func spell(r calendar.Range) string {
	if r.From == r.To {
		return r.From.String()
	}
	return r.From.String() + " to " + r.To.String()
}

func rowsOf(m *report.MRRMetrics, currency string) []figure {
	moved := func(name string, worth, customers int64) figure {
		f := figure{Name: name, Value: signed(worth, currency), Note: strconv.FormatInt(customers, 10) + " customers"}
		if customers == 1 {
			f.Note = "1 customer"
		}
		return f
	}
	rows := []figure{
		{Name: "MRR", Value: amount(m.TotalMRR, currency), Note: signed(m.MRRDiff, currency)},
		{Name: "ARR", Value: amount(m.TotalARR, currency)},
		{Name: "Customers", Value: strconv.FormatInt(m.TotalCustomers, 10), Note: fmt.Sprintf("%+d", m.CustomersDiff)},
		moved("New", m.New, m.NewCustomers),
		moved("Expansion", m.Expansion, m.ExpansionCustomers),
		moved("Contraction", m.Contraction, m.ContractionCustomers),
		moved("Churn", m.Churn, m.ChurnCustomers),
		moved("Reactivation", m.Reactivation, m.ReactivationCustomers),
	}
	if m.FXAdjustment != 0 {
		rows = append(rows, figure{Name: "Exchange rates", Value: signed(m.FXAdjustment, currency)})
	}
	return rows
}

// Preview composes the report that a user would be mailed now; its link to
// unsubscribe does nothing. ErrNoRecipient, and the errors of report.MRR.
func (s *Service) Preview(ctx context.Context, account, user string, p Period) (Mail, error) {
	to, err := s.people.Recipient(ctx, account, user)
	if err != nil {
		return Mail{}, err
	}
	snapshot, err := s.engine.Snapshot(ctx, account)
	if err != nil {
		return Mail{}, err
	}
	return s.reportMail(ctx, account, to, p, p.before(snapshot).To.String(), s.publicURL+"/mail/"+unsubscribePlace)
}
