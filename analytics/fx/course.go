package fx

import (
	"sync/atomic"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Course is the conversion from one currency to another day by day. A day's is
// worked out once for all who ask, of whom there may be several at a time.
type Course struct {
	table    *Table
	from, to money.Currency
	first    calendar.Day // of the first page
	pages    []atomic.Pointer[page]
}

// coursesKept is how many courses a table remembers at most. One of 25 years takes
// 300 kB, and an account may have invoices in all currencies and ask in all.
const coursesKept = 128

// page is the conversions of some days, not valid where no rate is known.
type page [64]Converter

// Course returns the course between two currencies. Whoever asks for many days
// keeps it: the table may have enough others to remember.
func (t *Table) Course(from, to money.Currency) *Course {
	if t == nil {
		return &Course{from: from, to: to}
	}
	if known, ok := t.courses.Load(pair{from, to}); ok {
		c, _ := known.(*Course)
		return c
	}
	c := &Course{table: t, from: from, to: to, first: t.first}
	if t.last >= t.first {
		c.pages = make([]atomic.Pointer[page], (int(t.last)+MaxAge-int(t.first))/len(page{})+1)
	}
	if t.kept.Add(1) > coursesKept {
		t.kept.Add(-1)
		return c
	}
	if known, ok := t.courses.LoadOrStore(pair{from, to}, c); ok {
		t.kept.Add(-1)
		c, _ = known.(*Course)
	}
	return c
}

// On returns the conversion at the rates of a day, which must not be changed.
// The error is a *MissingRateError.
func (c *Course) On(day calendar.Day) (*Converter, error) {
	if i := int(day) - int(c.first); i >= 0 && i < len(c.pages)*len(page{}) {
		p := c.pages[i/len(page{})].Load()
		if p == nil {
			p = c.fill(i / len(page{}))
		}
		if known := &p[i%len(page{})]; known.Valid() {
			return known, nil
		}
	}
	found, err := c.table.Converter(c.from, c.to, day)
	return &found, err
}

// fill works out a page.
func (c *Course) fill(number int) *page {
	p := new(page)
	for i := range p {
		if found, err := c.table.Converter(c.from, c.to, c.first+calendar.Day(number*len(p)+i)); err == nil {
			p[i] = found
		}
	}
	c.pages[number].Store(p)
	return p
}
