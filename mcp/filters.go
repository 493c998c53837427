package mcp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

// filters are the arguments that narrow every report and the customer list.
func filters() args.Set {
	set := args.Set{
		{Name: "plan", Type: args.List, Description: "Or group, e.g. pro~~team"},
		{Name: "currency", Type: args.List, Description: "e.g. usd"},
		{Name: "country", Type: args.List, Description: "e.g. us~~de"},
		{Name: "region", Type: args.List, Description: "e.g. eu"},
		{Name: "market", Type: args.List, Description: "e.g. dach"},
		{Name: "state", Type: args.List, Description: "e.g. ny"},
		{Name: "billing_freq", Type: args.List, Description: "e.g. month"},
		{Name: "status", Type: args.List, Description: "e.g. active, past_due"},
		{Name: "customer", Type: args.List, Description: "e.g. cus_1"},
		{Name: "data_source", Type: args.List, Description: "e.g. api"},
		{Name: "payment_method", Type: args.List, Description: "e.g. visa"},
		{Name: "pricing_model", Type: args.List, Description: "e.g. metered"},
		{Name: "cancel_reason", Type: args.List, Description: "e.g. too_expensive"},
		{Name: "age", Type: args.List, Description: "Months, e.g. 6-12"},
		{Name: "segment", Description: "e.g. EU"},
		{Name: "has_discount", Type: args.Boolean, Description: "e.g. true"},
		{Name: "custom", Type: args.Map, Description: `e.g. {"tier":"gold"}`},
	}
	for i := range set {
		if word := vocabulary(set[i].Name); word != nil {
			set[i].Convert = word.translate
		}
	}
	return set
}

// A wording returns the API's word for a value of a filter, or says what the
// filter's values are.
type wording func(value string) (string, error)

// vocabulary returns the words of a filter, nil for one that takes any text.
func vocabulary(filter string) wording {
	switch filter {
	case "currency":
		return currencyCode
	case "country":
		return countryCode
	case "region":
		return region
	case "market":
		return market
	case "billing_freq":
		return frequency
	case "status":
		return status
	}
	return nil
}

// translate puts the values of a list into the API's words. What is none stays
// as it is and matches nothing.
func (w wording) translate(list string) (string, error) {
	values := w.split(list)
	for i, value := range values {
		if word, err := w.word(value); err == nil {
			values[i] = word
		}
	}
	return strings.Join(values, "~~"), nil
}

// split returns the values of a list: those between ~~ or commas, or between
// spaces where the whole is no value and each part is.
func (w wording) split(list string) []string {
	if strings.Contains(list, "~~") {
		return strings.Split(list, "~~")
	}
	if strings.Contains(list, ",") {
		values := strings.Split(list, ",")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		return values
	}
	if w.knows(list) {
		return []string{list}
	}
	if parts := strings.Fields(list); len(parts) > 0 && !slices.ContainsFunc(parts, func(part string) bool { return !w.knows(part) }) {
		return parts
	}
	return []string{list}
}

func (w wording) knows(value string) bool {
	_, err := w.word(value)
	return err == nil
}

// word returns the API's word for a value. The prefix ~ of an exclusion stays,
// and so do the values ~ and *.
func (w wording) word(value string) (string, error) {
	value = strings.TrimSpace(value)
	not := ""
	if strings.HasPrefix(value, "~") {
		not, value = "~", value[1:]
	}
	if value == "" || value == "*" {
		return not + value, nil
	}
	word, err := w(value)
	return not + word, err
}

// doubtBytes bounds the notes on values that match nothing: the smallest answer
// must still have room for its rows.
const doubtBytes = 700

// doubts says of each filter value that can match nothing what would, as far as
// there is room: a slip looks like a business without revenue.
func doubts(query []answer.Pair) (notes []string) {
	room := doubtBytes
	for _, p := range query {
		w := vocabulary(p.Name)
		if w == nil {
			continue
		}
		for value := range strings.SplitSeq(p.Value, "~~") {
			_, err := w.word(value)
			if err == nil {
				continue
			}
			note := p.Name + ": " + err.Error() + ". It matches nothing."
			if room -= len(note); room < 0 {
				return notes
			}
			notes = append(notes, note)
		}
	}
	return notes
}

func currencyCode(text string) (string, error) {
	if code := strings.ToLower(text); isCode(code, 3) {
		return code, nil
	}
	return "", fmt.Errorf("%.40q is not an ISO 4217 code such as usd", text)
}

func countryCode(text string) (string, error) {
	code := strings.ToLower(text)
	switch {
	case code == "uk":
		return "gb", nil
	case isCode(code, 2):
		return code, nil
	}
	return "", fmt.Errorf("%.40q is not an ISO 3166 code of two letters such as us or de; named regions such as eu go into region", text)
}

// isCode reports whether text is so many small letters.
func isCode(text string, letters int) bool {
	return len(text) == letters && !strings.ContainsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
}

func region(text string) (string, error) {
	word := underscored(text)
	switch word {
	case "european_union":
		return "eu", nil
	case "latin_america":
		return "latam", nil
	case "asia_pacific":
		return "apac", nil
	}
	named := []string{
		"africa", "apac", "asia", "baltics", "benelux", "dach", "emea", "eu", "europe", "latam",
		"middle_east", "nordics", "north_america", "oceania", "uk",
	}
	if slices.Contains(named, word) || isCode(word, 2) {
		return word, nil
	}
	return "", fmt.Errorf("%.40q is neither an ISO 3166 code of two letters nor one of: %s", text, strings.Join(named, ", "))
}

func market(text string) (string, error) {
	return oneOf(underscored(text), "dach", "nordics", "uk", "eu", "north_america", "latam", "apac", "other")
}

func frequency(text string) (string, error) {
	word := underscored(text)
	if unit, ok := frequencies()[word]; ok {
		word = unit
	}
	return oneOf(word, "day", "week", "month", "quarter", "year")
}

func frequencies() map[string]string {
	return map[string]string{
		"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
		"yearly": "year", "annual": "year", "annually": "year",
	}
}

func status(text string) (string, error) {
	word := underscored(text)
	switch word {
	case "cancelled", "churned":
		word = "canceled"
	case "paying":
		word = "active"
	case "trial":
		word = "trialing"
	}
	return oneOf(word, "lead", "trialing", "trial_ended", "active", "past_due", "canceled")
}

func underscored(text string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(text))
}

// oneOf returns word if it is among valid.
func oneOf(word string, valid ...string) (string, error) {
	if slices.Contains(valid, word) {
		return word, nil
	}
	return "", &unknownWordError{word, valid}
}

// unknownWordError looks for a word that may have been meant only when somebody
// reads it: a list may have a million words.
type unknownWordError struct {
	word  string
	valid []string
}

func (e *unknownWordError) Error() string {
	word := fmt.Sprintf("%.40s", e.word)
	if near := args.Nearest(word, e.valid); near != "" {
		return fmt.Sprintf("%q is not valid, did you mean %q? Valid: %s", word, near, strings.Join(e.valid, ", "))
	}
	return fmt.Sprintf("%q is not valid; use one of: %s", word, strings.Join(e.valid, ", "))
}
