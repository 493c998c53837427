package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// ChurnReasonRow is the subscriptions that were given up for one reason.
type ChurnReasonRow struct {
	Reason string // Unset when none was stated
	Label  string
	EndingMetrics
	Breakdown []EndingMetrics // per value of ChurnReasonReport.Values; nil without a breakdown
}

// ChurnReasonReport is the reasons, the most frequent first.
type ChurnReasonReport struct {
	Values []Value
	Rows   []ChurnReasonRow
}

// ChurnReasons computes the report churn-reasons: the subscriptions whose end
// was asked for in the range, or who ended in it without that, by reason. Its
// errors are *ParamError and *fx.MissingRateError.
func ChurnReasons(s *Snapshot, q *Query) (*ChurnReasonReport, error) {
	es := newEndingScan(s, q, 1, true)
	sheet := newEndingSheet(es)
	if err := es.each(func(x *lost) error { return sheet.count(x.reason, x) }); err != nil {
		return nil, err
	}
	order, values := sheet.valueList()
	r := &ChurnReasonReport{Values: values}
	for reason := range sheet.total {
		row := ChurnReasonRow{Reason: cmp.Or(reason, Unset), Label: reasonLabel(reason)}
		row.EndingMetrics, row.Breakdown = sheet.row(reason, order)
		r.Rows = append(r.Rows, row)
	}
	slices.SortFunc(r.Rows, func(a, b ChurnReasonRow) int {
		return cmp.Or(cmp.Compare(b.Cancellations, a.Cancellations), strings.Compare(a.Reason, b.Reason))
	})
	return r, nil
}

// ChurnComments is what customers say about why they leave.
type ChurnComments struct {
	Summary       string // "" without any comment
	Comments      int
	Cancellations int64
}

const (
	quotedReasons  = 3
	quotedComments = 5
	quotedRunes    = 200
)

// ChurnReasonsSummary computes the report churn-reasons-summary: the most
// frequent reasons of ChurnReasons and the latest comments, in words. Equal
// ledgers give equal words. Its errors are *ParamError and *fx.MissingRateError.
func ChurnReasonsSummary(s *Snapshot, q *Query) (*ChurnComments, error) {
	type quote struct {
		day            calendar.Day
		customer, text string
	}
	var quotes []quote
	out, reasons := &ChurnComments{}, map[string]int{}
	plain := *q
	plain.Breakdown = Dimension{}
	err := newEndingScan(s, &plain, 1, true).each(func(x *lost) error {
		out.Cancellations++
		reasons[x.reason]++
		if _, comment := x.customer.Ledger.Stated(x.ending); strings.TrimSpace(comment) != "" {
			out.Comments++
			quotes = append(quotes, quote{x.ending.Request, cmp.Or(x.customer.Name, x.customer.ID), strings.TrimSpace(comment)})
		}
		return nil
	})
	if err != nil || out.Comments == 0 {
		return out, err
	}
	slices.SortFunc(quotes, func(a, b quote) int {
		return cmp.Or(cmp.Compare(b.day, a.day), strings.Compare(a.customer, b.customer), strings.Compare(a.text, b.text))
	})
	top := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), strings.Compare(a, b))
	})
	var words []string
	for _, reason := range top[:min(quotedReasons, len(top))] {
		words = append(words, fmt.Sprintf("%s (%d)", reasonLabel(reason), reasons[reason]))
	}
	said := make([]string, 0, quotedComments)
	for _, c := range quotes[:min(quotedComments, len(quotes))] {
		said = append(said, fmt.Sprintf("“%s” – %s", shortened(c.text, quotedRunes), c.customer))
	}
	out.Summary = fmt.Sprintf("%s, %d of them with a comment. Most frequent reasons: %s. Latest comments: %s.",
		counted(out.Cancellations, "cancellation"), out.Comments, strings.Join(words, ", "), strings.Join(said, "; "))
	return out, nil
}

func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// shortened is the beginning of a text in one line.
func shortened(text string, runes int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= runes {
		return text
	}
	return string([]rune(text)[:runes]) + "…"
}
