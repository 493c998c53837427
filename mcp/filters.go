package mcp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

// filters are the arguments that narrow every report and the customer list. A
// value that matches nothing gives figures of 0, so what can only be a slip is
// refused.
func filters() args.Set {
	return args.Set{
		{Name: "plan", Type: args.List, Description: "Or group, e.g. pro~~team"},
		{Name: "currency", Type: args.List, Convert: each(currencyCode), Description: "e.g. usd"},
		{Name: "country", Type: args.List, Convert: each(countryCode), Description: "e.g. us~~de"},
		{Name: "region", Type: args.List, Convert: each(region), Description: "e.g. eu"},
		{Name: "market", Type: args.List, Convert: each(market), Description: "e.g. dach"},
		{Name: "state", Type: args.List, Description: "e.g. ny"},
		{Name: "billing_freq", Type: args.List, Convert: each(frequency), Description: "e.g. month"},
		{Name: "status", Type: args.List, Convert: each(status), Description: "e.g. active, past_due"},
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
}

// each applies value to every value of a list: those between ~~, or between
// commas or spaces where the whole is none. The prefix ~ of an exclusion stays,
// and so do the values ~ and *.
func each(value func(string) (string, error)) func(string) (string, error) {
	one := func(text string) (string, error) {
		text = strings.TrimSpace(text)
		not := ""
		if strings.HasPrefix(text, "~") {
			not, text = "~", text[1:]
		}
		if text == "" || text == "*" {
			return not + text, nil
		}
		word, err := value(text)
		return not + word, err
	}
	return func(text string) (string, error) {
		if word, err := one(text); err == nil && !strings.Contains(text, "~~") {
			return word, nil
		}
		parts := strings.Split(text, "~~")
		if len(parts) == 1 {
			parts = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		}
		for i, part := range parts {
			word, err := one(part)
			if err != nil {
				return "", err
			}
			parts[i] = word
		}
		return strings.Join(parts, "~~"), nil
	}
}

func currencyCode(text string) (string, error) {
	if code := strings.ToLower(text); isCode(code, 3) {
		return code, nil
	}
	return "", fmt.Errorf("%q is not an ISO 4217 code such as usd", text)
}

func countryCode(text string) (string, error) {
	code := strings.ToLower(text)
	switch {
	case code == "uk":
		return "gb", nil
	case isCode(code, 2):
		return code, nil
	}
	return "", fmt.Errorf("%q is not an ISO 3166 code of two letters such as us or de; named regions such as eu go into region", text)
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
	return "", fmt.Errorf("%q is neither an ISO 3166 code of two letters nor one of: %s", text, strings.Join(named, ", "))
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
	text := fmt.Sprintf("%q is not valid; use one of: %s", word, strings.Join(valid, ", "))
	if near := args.Nearest(word, valid); near != "" {
		text = fmt.Sprintf("%q is not valid, did you mean %q? Valid: %s", word, near, strings.Join(valid, ", "))
	}
	return "", errors.New(text)
}
