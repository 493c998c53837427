package report

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Query is a report request with every default filled in.
type Query struct {
	Range     calendar.Range // days asked for; periods are whole and may reach further
	DateGiven bool           // false when Range is the default
	Unit      calendar.Unit  // length of a period
	UnitGiven bool           // false when Unit is the default
	Base      money.Currency // currency of the figures
	FixFX     bool           // convert everything at the rates of Range.From
	Committed bool           // include movements that are scheduled for the future
	Breakdown Dimension      // zero: none
	Groups    []string       // if any, the breakdown's values are these words of a filter
	Filters   []Filter       // in order of parameter name; those of the segment as well
	Segment   string         // id; "" for none
	Subtypes  *Filter        // of lists of movements; nil: all
	Compare   Comparison
	AgeDay    calendar.Day  // on which customers have their age, whatever the row
	RateDay   *calendar.Day // with FixFX, if not Range.From

	TrailingMonths int // retention; 0 is the unit's default

	SelectedDate   calendar.Day // detail reports; NoDay: not given
	Selected       string       // lower case; what of a detail report is asked for, "" for all
	BreakdownValue *string      // detail reports; nil: all
	Sort           Sort         // detail reports
	Ascending      bool         // detail reports

	Own OwnParams // what only single reports look at

	Search string // lower case; customer list and concentration
	Limit  int    // 0: the report's default
	Offset int
}

// OwnParams are parameters of single reports as given, trimmed and "" when
// missing. The reports that use them read them: to others they mean nothing.
type OwnParams struct {
	Type         string // lower case; one movement type
	Types        string // lower case; several movement types
	CompareMonth string

	Key                             string // of a custom variable
	Days                            string
	IncludeFailed, IncludeScheduled string
}

// ParamError says what is wrong with one parameter and what would be right.
type ParamError struct {
	Name    string // the contract's name of the parameter
	Message string
}

// Error is "name: message".
func (e *ParamError) Error() string { return e.Name + ": " + e.Message }

// Sort is what a detail report is sorted by.
type Sort uint8

// The sort keys.
const (
	ByDate   Sort = iota
	ByAmount      // in the row's own currency
	ByAmountBase
	ByCustomerName
	ByType
)

// parseSort reads a sort key. The two amounts go by other names in movements
// than in invoices and payments.
func parseSort(word string) (Sort, error) {
	switch word {
	case "", "date":
		return ByDate, nil
	case "mrr_change", "amount":
		return ByAmount, nil
	case "mrr_change_base_currency", "amount_base_currency":
		return ByAmountBase, nil
	case "customer_name":
		return ByCustomerName, nil
	case "type":
		return ByType, nil
	default:
		return 0, &ParamError{"sort", fmt.Sprintf("%q is not one of date, mrr_change, mrr_change_base_currency, amount, amount_base_currency, customer_name, type", word)}
	}
}

// maxLimit bounds the rows of any page.
const maxLimit = 10000

// ParseQuery reads the parameters of any report or list. values is shaped like
// url.Values; names that no report knows are ignored. Errors are *ParamError.
func ParseQuery(values map[string][]string, s *Snapshot) (Query, error) {
	p := parser{values: values, s: s}
	q := Query{Base: s.Settings.Base, Unit: calendar.UnitMonth, SelectedDate: calendar.NoDay}
	for _, read := range []func(*Query) error{
		p.committed, p.fixFX, p.dates, p.unit, p.base, p.breakdown, p.filters, p.compare, p.trailing, p.selected, p.sorting, p.page, p.own,
	} {
		if err := read(&q); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// FilterValues returns the filters in force as parameter name and value; those
// of the segment are told by its id.
func (q *Query) FilterValues() map[string]string {
	m := make(map[string]string, len(q.Filters))
	for i := range q.Filters {
		if f := &q.Filters[i]; !f.ofSegment {
			m[f.Dimension.Name()] = f.raw
		}
	}
	if q.Segment != "" {
		m["segment"] = q.Segment
	}
	return m
}

// SubtypeFilter returns the filter on subtypes of movements, which lists of
// movements alone look at.
func (q *Query) SubtypeFilter() (name, value string, ok bool) {
	if q.Subtypes == nil {
		return "", "", false
	}
	return q.Subtypes.Dimension.Name(), q.Subtypes.raw, true
}

// fixedDay is the day whose rates count for everything, NoDay for none.
func (q *Query) fixedDay() calendar.Day {
	switch {
	case !q.FixFX:
		return calendar.NoDay
	case q.RateDay != nil:
		return *q.RateDay
	default:
		return q.Range.From
	}
}

type parser struct {
	values map[string][]string
	s      *Snapshot
}

// one returns the last non-empty value of a parameter, trimmed, or "".
func (p *parser) one(name string) string {
	for _, v := range slices.Backward(p.values[name]) {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// either is one for a parameter with a second spelling.
func (p *parser) either(name, alias string) string {
	if v := p.one(name); v != "" {
		return v
	}
	return p.one(alias)
}

func (p *parser) flag(name string) (bool, error) {
	switch strings.ToLower(p.one(name)) {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, &ParamError{name, fmt.Sprintf("%q is not true or false", p.one(name))}
	}
}

func (p *parser) number(name string, least, most, missing int) (int, error) {
	v := p.one(name)
	if v == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, &ParamError{name, fmt.Sprintf("%q is not a whole number from %d to %d", v, least, most)}
	}
	return n, nil
}

func (p *parser) committed(q *Query) (err error) {
	q.Committed, err = p.flag("committed")
	return err
}

func (p *parser) fixFX(q *Query) (err error) {
	q.FixFX, err = p.flag("fix_fx")
	return err
}

func (p *parser) dates(q *Query) error {
	text := p.one("date")
	r, err := calendar.ParseRange(text, calendar.RangeContext{Today: p.s.Today, First: p.s.FirstDay, WeekStart: p.s.WeekStart})
	if err != nil {
		return &ParamError{"date", err.Error()}
	}
	q.Range, q.DateGiven, q.AgeDay = r, text != "", r.To
	return nil
}

func (p *parser) unit(q *Query) error {
	v := strings.ToLower(p.one("interval"))
	if v == "" {
		return nil
	}
	unit, err := calendar.ParseUnit(v)
	if err != nil {
		return &ParamError{"interval", err.Error()}
	}
	q.Unit, q.UnitGiven = unit, true
	return nil
}

func (p *parser) base(q *Query) error {
	v := p.either("baseCurrency", "base_currency")
	if v == "" {
		return nil
	}
	c, err := money.Parse(v)
	if err != nil {
		return &ParamError{"baseCurrency", err.Error()}
	}
	q.Base = c
	return nil
}

func (p *parser) breakdown(q *Query) error {
	v := p.one("breakdown")
	if v == "" {
		return nil
	}
	d, ok := parseDimension(v)
	if !ok {
		return &ParamError{"breakdown", fmt.Sprintf("%q is not one of %s, industry, channel, size or custom_<key>", v, strings.Join(dimensionNames[1:], ", "))}
	}
	q.Breakdown = d
	return nil
}

func (p *parser) filters(q *Query) error {
	for name, values := range p.values {
		d, ok := parseDimension(name)
		if !ok {
			continue
		}
		f, ok := parseFilter(d, values)
		switch {
		case !ok:
		case d.kind == subtypeDimension:
			q.Subtypes = &f
		default:
			q.Filters = append(q.Filters, f)
		}
	}
	if err := p.segment(q); err != nil {
		return err
	}
	slices.SortFunc(q.Filters, func(a, b Filter) int {
		return strings.Compare(a.Dimension.Name(), b.Dimension.Name())
	})
	return nil
}

func (p *parser) trailing(q *Query) (err error) {
	q.TrailingMonths, err = p.number("trailing_months", 1, 120, 0)
	return err
}

func (p *parser) selected(q *Query) error {
	if v := p.either("selected-date", "selected_date"); v != "" {
		day, err := calendar.ParseDay(v)
		if err != nil {
			return &ParamError{"selected-date", err.Error()}
		}
		q.SelectedDate = day
	}
	if v := strings.ToLower(p.either("selected-type", "selected_type")); v != "" {
		q.Selected = v
	}
	if v := p.either("breakdown-value", "breakdown_value"); v != "" {
		if q.Breakdown == (Dimension{}) {
			return &ParamError{"breakdown-value", "needs breakdown, which says what it is a value of"}
		}
		q.BreakdownValue = &v
	}
	return nil
}

func (p *parser) sorting(q *Query) error {
	var err error
	if q.Sort, err = parseSort(strings.ToLower(p.one("sort"))); err != nil {
		return err
	}
	switch v := strings.ToLower(p.one("order")); v {
	case "", "desc":
	case "asc":
		q.Ascending = true
	default:
		return &ParamError{"order", fmt.Sprintf("%q is not asc or desc", v)}
	}
	return nil
}

func (p *parser) page(q *Query) (err error) {
	q.Search = strings.ToLower(p.either("search", "q"))
	if q.Limit, err = p.number("limit", 1, maxLimit, 0); err != nil {
		return err
	}
	q.Offset, err = p.number("offset", 0, 1<<31-1, 0)
	return err
}

// Narrow makes the range the days that an answer is really about, as long as
// there are any.
func (q *Query) Narrow(days calendar.Range) {
	if days.From <= days.To {
		q.Range = days
	}
}

func (p *parser) own(q *Query) error {
	q.Own = OwnParams{
		Type: strings.ToLower(p.one("type")), Types: strings.ToLower(p.either("types", "category")),
		CompareMonth: p.either("compareMonth", "compare_month"),
		Key:          p.one("key"), Days: p.one("days"), IncludeFailed: p.one("include_failed"), IncludeScheduled: p.one("include_scheduled"),
	}
	return nil
}

// Whole makes the query one without a breakdown.
func (q *Query) Whole() { q.Breakdown, q.Groups, q.BreakdownValue = Dimension{}, nil, nil }

// periods returns the rows of a report: the whole periods that intersect the
// range, without those that begin after today unless committed movements count.
func (q *Query) periods(s *Snapshot) ([]calendar.Range, error) {
	r := q.Range
	if !q.Committed {
		r.To = min(r.To, s.Today)
	}
	periods, err := calendar.Periods(r, q.Unit, s.WeekStart)
	if errors.Is(err, calendar.ErrTooManyPeriods) {
		return nil, &ParamError{"date", err.Error()}
	}
	return periods, err
}

// Page says which rows of a list an answer holds.
type Page struct {
	Count   int // rows in all
	Limit   int
	Offset  int
	HasMore bool
}

// page cuts a list of count rows: rows[from:to] is the page.
func (q *Query) page(count, usual, most int) (p Page, from, to int, err error) {
	if q.Limit > most {
		return Page{}, 0, 0, &ParamError{"limit", fmt.Sprintf("%d is not a whole number from 1 to %d", q.Limit, most)}
	}
	p = Page{Count: count, Limit: q.Limit, Offset: q.Offset}
	if p.Limit == 0 {
		p.Limit = usual
	}
	from = min(p.Offset, count)
	to = min(from+p.Limit, count)
	p.HasMore = to < count
	return p, from, to, nil
}

// selected finds what of a detail report is asked for among its kinds; all
// says that none of them is singled out.
func selected[T interface {
	comparable
	String() string
}](q *Query, kinds []T) (kind T, all bool, err error) {
	if q.Selected == "" {
		return kind, true, nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		if names[i] = k.String(); names[i] == q.Selected {
			return k, false, nil
		}
	}
	return kind, false, &ParamError{"selected-type", fmt.Sprintf("%q is not one of %s", q.Selected, strings.Join(names, ", "))}
}
