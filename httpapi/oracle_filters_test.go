package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/oracletest"
)

// axis is something that reports can be filtered and split by, as the contract
// words it. It looks at members, or else at items of subscriptions.
type axis struct {
	name   string
	words  []string // to filter with
	also   []string // other forms of them
	reason bool     // cancellations have it as well as members
	spaced bool     // words may hold spaces, so that only ~~ separates them
	member func(word string, m *oracletest.Member) bool
	item   func(word string, i oracletest.Item) bool
	set    func(m *oracletest.Member, i oracletest.Item) bool // nil: always

	values map[string]string // of a breakdown: the word of each key
}

// group is a plan group.
type group struct {
	id, name string
	plans    []string
}

// named are the countries of the regions that random members live in.
var named = map[string]string{
	"eu": "dk de", "europe": "dk de gb", "emea": "dk de gb za", "dach": "de", "nordics": "dk", "uk": "gb", "north_america": "us", "africa": "za",
	"apac": "jp", "asia": "jp", "benelux": "", "latam": "br", "oceania": "",
}

var marketOf = map[string]string{"us": "north_america", "dk": "nordics", "de": "dach", "gb": "uk", "jp": "apac", "br": "latam", "za": "other"}

// attribute is an axis of one text per member.
func attribute(name string, of func(*oracletest.Member) string, words ...string) axis {
	a := axis{name: name, words: words, values: map[string]string{"~": "~"}}
	a.member = func(word string, m *oracletest.Member) bool { return of(m) == word }
	a.set = func(m *oracletest.Member, _ oracletest.Item) bool { return of(m) != "" }
	for _, w := range words {
		a.values[w] = w
	}
	return a
}

// term is an axis of one text per item.
func term(name string, of func(oracletest.Item) string, words ...string) axis {
	a := axis{name: name, words: words, values: map[string]string{"~": "~"}}
	a.item = func(word string, i oracletest.Item) bool { return of(i) == word }
	a.set = func(_ *oracletest.Member, i oracletest.Item) bool { return of(i) != "" }
	for _, w := range words {
		a.values[w] = w
	}
	return a
}

// axes lists what a question may be narrowed by. on is the last day of its range.
func (o *oracled) axes(on oracletest.Day) []axis {
	c := o.company
	variable := func(key string) func(*oracletest.Member) string {
		return func(m *oracletest.Member) string { return m.Variables[key] }
	}
	ids := []string{"nobody"}
	for _, m := range c.Members {
		ids = append(ids, m.ID)
	}
	country := attribute("country", func(m *oracletest.Member) string { return m.Country }, "us", "dk", "de", "gb", "jp", "br", "za")
	region := country
	region.name = "region"
	region.words = []string{"us", "de", "eu", "europe", "emea", "dach", "nordics", "uk", "north_america", "africa", "apac", "asia", "benelux", "latam", "nowhere"}
	region.member = func(word string, m *oracletest.Member) bool {
		return m.Country != "" && (m.Country == word || slices.Contains(strings.Fields(named[word]), m.Country))
	}
	tier := attribute("custom_tier", variable("tier"), "Gold", "gold, large", "Free plan")
	tier.spaced = true
	list := []axis{
		country, region, tier, o.plans(), o.ages(on),
		attribute("market", func(m *oracletest.Member) string { return marketOf[m.Country] }, "north_america", "nordics", "dach", "uk", "apac", "latam", "other", "eu"),
		attribute("state", func(m *oracletest.Member) string { return m.State }, "ca", "ny", "on"),
		attribute("industry", variable("industry"), "Retail", "retail", "Software"),
		attribute("channel", variable("channel"), "ads", "web"),
		attribute("size", variable("size"), "1-10", "11+"),
		attribute("status", c.Status, "lead", "trialing", "trial_ended", "active", "past_due", "canceled"),
		attribute("customer", func(m *oracletest.Member) string { return m.ID }, ids...),
		o.sourced(), o.reasons(),
		term("currency", func(i oracletest.Item) string { return i.Currency }, "usd", "eur", "jpy", "kwd"),
		o.frequencies(),
		term("payment_method", func(i oracletest.Item) string { return i.Method }, "visa", "sepa"),
		term("pricing_model", func(i oracletest.Item) string {
			if i.Metered {
				return "metered"
			}
			return "licensed"
		}, "licensed", "metered"),
		term("has_discount", func(i oracletest.Item) string { return fmt.Sprint(i.Discounted) }, "true", "false"),
	}
	for k := range list {
		if list[k].name == "industry" || list[k].name == "channel" || list[k].name == "size" {
			list[k].spaced = true
		}
	}
	return list
}

// frequencies is the axis of billing intervals, adjectives included.
func (o *oracled) frequencies() axis {
	freq := func(i oracletest.Item) string { return o.company.Plans[i.Plan].BillingFreq() }
	a := term("billing_freq", freq, "day", "week", "month", "quarter", "year")
	adjectives := map[string]string{
		"daily": "day", "weekly": "week", "Monthly": "month", "quarterly": "quarter", "yearly": "year", "annual": "year", "annually": "year", "YEAR": "year",
	}
	a.also = slices.Sorted(maps.Keys(adjectives))
	a.item = func(word string, i oracletest.Item) bool {
		if noun, known := adjectives[word]; known {
			word = noun
		}
		return freq(i) == word
	}
	return a
}

// sourced is the axis of data sources, by id or type.
func (o *oracled) sourced() axis {
	a := attribute("data_source", func(m *oracletest.Member) string { return m.Source }, o.sources[:]...)
	a.words = append(a.words, "api", "csv")
	a.member = func(word string, m *oracletest.Member) bool { return word == m.Source || word == "api" }
	return a
}

// reasons is the axis of reasons for leaving.
func (o *oracled) reasons() axis {
	a := attribute("cancel_reason", func(m *oracletest.Member) string { return m.Reason }, "too_expensive", "unused", "missing_features", "expired", "payment_failed")
	a.reason = true
	return a
}

// because restricts a view to reasons for leaving, worded as a condition on a
// member who has only that.
func because(v oracletest.View, is func(*oracletest.Member) bool) oracletest.View {
	narrowed := v
	narrowed.Reason = func(reason string) bool {
		return (v.Reason == nil || v.Reason(reason)) && is(&oracletest.Member{Reason: reason})
	}
	return narrowed
}

// plans is the axis of plans and their groups.
func (o *oracled) plans() axis {
	a := axis{name: "plan", values: map[string]string{"~": "~"}}
	grouped := map[string]bool{}
	for _, g := range o.groups {
		a.words = append(a.words, g.id, g.name)
		a.values[g.name] = g.id
		for _, id := range g.plans {
			grouped[id] = true
		}
	}
	for id := range o.company.Plans {
		a.words = append(a.words, id)
		if !grouped[id] {
			a.values[planName(id)] = planName(id)
		}
	}
	slices.Sort(a.words)
	a.words = append(a.words, "monthly", "monthly-pro", "monthly", planName("yearly"), "none")
	a.item = func(word string, i oracletest.Item) bool {
		for _, g := range o.groups {
			if g.id == word || g.name == word {
				return slices.Contains(g.plans, i.Plan)
			}
		}
		return i.Plan != "" && (i.Plan == word || planName(i.Plan) == word)
	}
	a.set = func(_ *oracletest.Member, i oracletest.Item) bool { return i.Plan != "" }
	a.spaced = true
	return a
}

func planName(id string) string { return oracletest.Plan{ID: id}.Name() }

// ages is the axis of ages on a day.
func (o *oracled) ages(on oracletest.Day) axis {
	a := axis{name: "age", words: []string{"0-3", "3-6", "6-12", "2-5", "1-2", "4-", "0-1", "12-"}, values: map[string]string{"~": "~"}}
	for _, class := range []string{"0-3", "3-6", "6-12", "12-24", "24-36", "36-"} {
		a.values[class] = class
	}
	known := map[*oracletest.Member]int{}
	of := func(m *oracletest.Member) int {
		if _, ok := known[m]; !ok {
			known[m] = o.company.Age(m, on)
		}
		return known[m]
	}
	a.member = func(word string, m *oracletest.Member) bool {
		from, to := 0, 1<<30
		if n, _ := fmt.Sscanf(word, "%d-%d", &from, &to); n == 0 {
			return false
		}
		return from <= of(m) && of(m) < to
	}
	a.set = func(m *oracletest.Member, _ oracletest.Item) bool { return of(m) >= 0 }
	return a
}

// keeps applies the words of a filter: the positive ones are alternatives,
// negated ones exclude; ~ is who has no value and * who has one.
func (a axis) keeps(words []string, m *oracletest.Member, i oracletest.Item) bool {
	is := func(word string) bool {
		if a.item != nil {
			return a.item(word, i)
		}
		return a.member(word, m)
	}
	set := a.set(m, i)
	positive, found := false, false
	for _, w := range words {
		switch {
		case w == "~":
			positive, found = true, found || !set
		case w == "*":
			positive, found = true, found || set
		case strings.HasPrefix(w, "~"):
			if is(w[1:]) {
				return false
			}
		default:
			positive, found = true, found || is(w)
		}
	}
	return found || !positive
}

// narrowed restricts a view by the words of a filter.
func (a axis) narrowed(v oracletest.View, words []string) oracletest.View {
	if a.item != nil {
		return both(v, func(i oracletest.Item) bool { return a.keeps(words, nil, i) }, nil)
	}
	is := func(m *oracletest.Member) bool { return a.keeps(words, m, oracletest.Item{}) }
	if a.reason {
		return because(v, is)
	}
	return both(v, nil, is)
}

// part restricts a view to a value of a breakdown.
func (a axis) part(v oracletest.View, key string) oracletest.View {
	words := []string{a.values[key]}
	if a.item == nil {
		return a.narrowed(v, words)
	}
	v.Value = func(i oracletest.Item) bool { return a.keeps(words, nil, i) }
	return v
}

// words picks some words of an axis.
func (o *oracled) words(a axis) []string {
	rng := o.rng
	var words []string
	for range 1 + rng.IntN(2)*rng.IntN(3) {
		list := a.words
		if len(a.also) > 0 && rng.IntN(2) == 0 {
			list = a.also
		}
		word := list[rng.IntN(len(list))]
		switch rng.IntN(12) {
		case 0, 1:
			word = "~" + word
		case 2:
			word = "~"
		case 3:
			word = "*"
		}
		words = append(words, word)
	}
	return words
}

// joined writes the words in one of the forms of the contract.
func (o *oracled) joined(a axis, words []string) string {
	if slices.Contains(words, "~") { // which is clear only at the end
		words = append(slices.DeleteFunc(words, func(w string) bool { return w == "~" }), "~")
	}
	separator := "~~"
	if !a.spaced {
		separator = []string{"~~", " ", ","}[o.rng.IntN(3)]
	}
	return strings.Join(words, separator)
}

// narrow adds filters to a question, at times by way of a segment.
func (o *oracled) narrow(q *question) {
	axes := o.axes(q.To)
	filters := map[string]any{}
	for range []int{0, 1, 1, 1, 2, 3}[o.rng.IntN(6)] {
		a := axes[o.rng.IntN(len(axes))]
		words := o.words(a)
		into := o.rng.IntN(4) == 0
		if _, taken := filters[a.name]; taken && into || !into && q.params.Has(a.name) {
			continue
		}
		if text := o.joined(a, words); into {
			filters[a.name] = text
		} else {
			q.params.Set(a.name, text)
		}
		q.View = a.narrowed(q.View, words)
	}
	if len(filters) == 0 {
		return
	}
	q.params.Set("segment", o.segment(filters, "filter"))
	q.notes = fmt.Sprint(" segment ", filters)
}
