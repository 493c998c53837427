package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// GroupSuggestion is a plan group that could be made.
type GroupSuggestion struct {
	Name   string
	Plans  []string // external ids, at least two
	Reason string
}

// SuggestPlanGroups proposes groups of plans whose names differ in nothing but
// interval, currency, price and version. It looks at the plans with the ids, or
// without any at all that are in no group; ids that no plan has are an
// *InvalidError.
func (e *Engine) SuggestPlanGroups(ctx context.Context, account string, ids []string) ([]GroupSuggestion, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	var plans []*ledger.Plan
	known := map[string]bool{}
	for i := range v.plans.list {
		p := &v.plans.list[i]
		if i == 0 || p.Missing || known[p.ID] {
			continue
		}
		known[p.ID] = true
		if slices.Contains(ids, p.ID) || len(ids) == 0 && len(p.Groups) == 0 {
			plans = append(plans, p)
		}
	}
	for _, id := range ids {
		if !known[id] {
			return nil, invalid("plans", fmt.Sprintf("must be ids of plans; no plan has the id %q", id))
		}
	}
	return suggestGroups(plans), nil
}

func suggestGroups(plans []*ledger.Plan) []GroupSuggestion {
	slices.SortFunc(plans, func(a, b *ledger.Plan) int { return strings.Compare(a.ID, b.ID) })
	byKey := map[string]*GroupSuggestion{}
	for _, p := range plans {
		name := essence(p.Name)
		if name == "" {
			name = essence(p.Product)
		}
		if name == "" {
			continue
		}
		key := strings.ToLower(name)
		if byKey[key] == nil {
			byKey[key] = &GroupSuggestion{Name: name}
		}
		byKey[key].Plans = append(byKey[key].Plans, p.ID)
	}
	var out []GroupSuggestion
	for _, s := range byKey {
		if len(s.Plans) < 2 {
			continue
		}
		s.Reason = fmt.Sprintf("the names of %d plans are %s apart from interval, currency, price or version", len(s.Plans), s.Name)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b GroupSuggestion) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Plans[0], b.Plans[0]))
	})
	return out
}

// essence is what is left of a plan's name without the words that tell the
// variants of one plan apart.
func essence(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '&' && r != '+'
	})
	kept := slices.DeleteFunc(words, func(word string) bool { return isVariant(strings.ToLower(word)) })
	return strings.Join(kept, " ")
}

// isVariant reports whether a word in lower case names an interval, a currency,
// a price or a version.
func isVariant(word string) bool {
	switch word {
	case "monthly", "month", "months", "mo", "mth", "yearly", "year", "years", "yr", "annual", "annually", "quarterly", "quarter", "quarters", "qtr",
		"weekly", "week", "weeks", "wk", "daily", "day", "days", "biannual", "semiannual",
		"plan", "subscription", "billing", "billed", "per", "every", "price", "tax", "incl", "excl", "legacy", "old", "version",
		"m", "y", "q", "w", "d":
		return true
	}
	if _, err := money.Parse(word); err == nil {
		return true
	}
	digits := strings.TrimLeft(word, "v")
	if len(word)-len(digits) > 1 {
		return false
	}
	digits = strings.TrimRight(digits, "mydwqx")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}
