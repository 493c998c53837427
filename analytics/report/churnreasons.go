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
	sheet := endingSheet{es: es}
	if err := es.each(func(x *lost) error { return sheet.count(int(x.reason), x) }); err != nil {
		return nil, err
	}
	order, values := sheet.valueList()
	r := &ChurnReasonReport{Values: values}
	for n := range sheet.total {
		if sheet.total[n].Cancellations == 0 {
			continue
		}
		name := es.reasons[n].name
		row := ChurnReasonRow{Reason: cmp.Or(name, Unset), Label: reasonLabel(name)}
		row.EndingMetrics, row.Breakdown = sheet.row(n, order)
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
	var said []lost
	out := &ChurnComments{}
	plain := *q
	plain.Breakdown = Dimension{}
	es := newEndingScan(s, &plain, 1, true)
	counts := map[int32]int{} // by number of the reason
	err := es.each(func(x *lost) error {
		out.Cancellations++
		counts[x.reason]++
		if x.said {
			out.Comments++
			said = append(said, *x)
		}
		return nil
	})
	if err != nil || out.Comments == 0 {
		return out, err
	}
	top := slices.SortedFunc(maps.Keys(counts), func(a, b int32) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(es.reasons[a].name, es.reasons[b].name))
	})
	var words []string
	for _, reason := range top[:min(quotedReasons, len(top))] {
		words = append(words, fmt.Sprintf("%s (%d)", reasonLabel(es.reasons[reason].name), counts[reason]))
	}
	var quotes []string
	for _, c := range latestQuotes(said, quotedComments) {
		quotes = append(quotes, fmt.Sprintf("“%s” – %s", shortened(c.text, quotedRunes), c.customer))
	}
	out.Summary = fmt.Sprintf("%s, %d of them with a comment. Most frequent reasons: %s. Latest comments: %s.",
		counted(out.Cancellations, "cancellation"), out.Comments, strings.Join(words, ", "), strings.Join(quotes, "; "))
	return out, nil
}

// quote is what a customer says about why it leaves.
type quote struct {
	day            calendar.Day
	customer, text string
}

// latestQuotes returns the last comments, so many at most. Only what may be among
// them is read.
func latestQuotes(said []lost, most int) []quote {
	var days []calendar.Day // of the last comments, the latest first
	for i := range said {
		at, _ := slices.BinarySearchFunc(days, said[i].request, func(a, b calendar.Day) int { return cmp.Compare(b, a) })
		if at < most {
			days = slices.Insert(days, at, said[i].request)
			days = days[:min(most, len(days))]
		}
	}
	var quotes []quote
	for i := range said {
		if x := &said[i]; x.request >= days[len(days)-1] {
			quotes = append(quotes, quote{x.request, cmp.Or(x.customer().Name, x.customer().ID), strings.TrimSpace(x.comment())})
		}
	}
	slices.SortFunc(quotes, func(a, b quote) int {
		return cmp.Or(cmp.Compare(b.day, a.day), strings.Compare(a.customer, b.customer), strings.Compare(a.text, b.text))
	})
	return quotes[:min(most, len(quotes))]
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
