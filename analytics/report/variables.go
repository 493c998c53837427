package report

import (
	"cmp"
	"slices"
	"strings"
)

// VariableValue is how many customers have a value of a custom variable.
type VariableValue struct {
	Value string
	Count int64
}

// VariableReport is a page of the values of one variable, the most frequent
// first.
type VariableReport struct {
	Page
	Key    string
	Values []VariableValue
}

const (
	usualVariables = 20
	mostVariables  = 1000
)

// CustomVariables computes the report custom-variables: the values of a variable
// among the customers that the filters select. The search keeps values that
// contain it, in any case. A filter on subscriptions keeps who ever had such a
// one. Its errors are *ParamError.
func CustomVariables(s *Snapshot, q *Query) (*VariableReport, error) {
	key := strings.TrimPrefix(q.Own.Key, customPrefix)
	if key == "" {
		return nil, &ParamError{"key", "is missing: name the custom variable, for example key=industry"}
	}
	counts := map[string]int64{}
	err := newLeadScan(s, q.untilToday(), 1).each(func(x *subject, _ lead) error {
		if value := x.customer.Custom.Get(key); value != "" && (q.Search == "" || strings.Contains(strings.ToLower(value), q.Search)) {
			counts[value]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	values := make([]VariableValue, 0, len(counts))
	for value, n := range counts {
		values = append(values, VariableValue{value, n})
	}
	slices.SortFunc(values, func(a, b VariableValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	page, from, to, err := q.page(len(values), usualVariables, mostVariables)
	if err != nil {
		return nil, err
	}
	return &VariableReport{Page: page, Key: key, Values: values[from:to]}, nil
}
