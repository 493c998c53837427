package report

import (
	"strings"
)

// Filter keeps what has one of some values in a dimension.
type Filter struct {
	Dimension Dimension
	raw       string   // as given
	in, out   []string // alternatives, and values that are excluded
	set       bool     // `*`: any value is an alternative
	unset     bool     // `~`: no value is an alternative
	notSet    bool     // `~*`: excluded are all values
	ofSegment bool     // not given but from the query's segment
}

// parseFilter reads the values of one filter parameter (api-contract section
// 2.2). ok is false when they are empty.
func parseFilter(d Dimension, values []string) (f Filter, ok bool) {
	f = Filter{Dimension: d, raw: strings.TrimSpace(strings.Join(values, "~~"))}
	for _, value := range values {
		for _, token := range tokens(d, value) {
			f.add(token)
			ok = true
		}
	}
	return f, ok
}

// tokens splits a value on ~~, else on spaces and commas. The values of custom
// variables may contain both, so for them only ~~ separates.
func tokens(d Dimension, value string) []string {
	var parts []string
	switch {
	case d.kind == customDimension || strings.Contains(value, "~~"):
		parts = strings.Split(value, "~~")
	case d.kind == planDimension, d.kind == customerDimension, d.kind == dataSourceDimension:
		// Ids and names may contain spaces: the whole value is a candidate too.
		parts = strings.FieldsFunc(value, isSeparator)
		if len(parts) > 1 && !strings.HasPrefix(parts[0], "~") {
			parts = append(parts, value)
		}
	default:
		parts = strings.FieldsFunc(value, isSeparator)
	}
	out := parts[:0]
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func isSeparator(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' || r == '\r' }

func (f *Filter) add(token string) {
	switch {
	case token == "~":
		f.unset = true
	case token == "*":
		f.set = true
	case token == "~*":
		f.notSet = true
	case strings.HasPrefix(token, "~"):
		f.out = append(f.out, f.Dimension.normal(token[1:]))
	default:
		f.in = append(f.in, f.Dimension.normal(token))
	}
}

// normal is the form in which values of the dimension are compared: ids and
// custom variables as they are, words in lower case.
func (d Dimension) normal(value string) string {
	switch d.kind {
	case customerDimension, customDimension, planDimension, dataSourceDimension:
		return value
	case billingFreqDimension:
		value = strings.ToLower(value)
		switch value {
		case "annual", "annually":
			return "year"
		case "daily":
			return "day"
		}
		return strings.TrimSuffix(value, "ly")
	default:
		return strings.ToLower(value)
	}
}

// keeps reports whether something with these values passes; several values are
// several names of one thing, "" is none.
func (f *Filter) keeps(values ...string) bool {
	has := func(list []string) bool {
		for _, v := range values {
			for _, want := range list {
				if v != "" && v == want {
					return true
				}
			}
		}
		return false
	}
	set := false
	for _, v := range values {
		set = set || v != ""
	}
	if has(f.out) || f.notSet && set {
		return false
	}
	if len(f.in) == 0 && !f.set && !f.unset {
		return true
	}
	return f.set && set || f.unset && !set || has(f.in)
}
