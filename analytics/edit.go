package analytics

import (
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// edit is a change of one account that is not committed yet. Customers are
// changed in copies (work), plans, sources and settings in clones; the indexes
// are changed in place, and undo knows how to take that back. So a failed
// commit leaves the account as it was.
type edit struct {
	a        *account
	touched  []*work
	plans    *planTable      // nil: unchanged
	sources  []source        // nil: unchanged
	segments []segment       // nil: unchanged
	settings *settingsState  // nil: unchanged
	asked    **settingsState // nil: unchanged
	held     **planTable     // nil: unchanged
	log      [tables]tableLog
	cleared  []int64 // seqs of the data sources whose rows all go
	undo     undo
	asOf     calendar.Day // today in the new zone, when settings changed
}

// work is what an edit has made of one customer.
type work struct {
	index    uint32
	record   *report.Customer // a copy that the edit may change
	history  history
	doc      uint64
	seq      int64
	places   map[uint32]int // index of each row's event; nil until place needs it
	owned    bool           // history shares nothing with the committed one
	unsorted bool
	replay   bool
	deleted  bool
}

// undo is what the indexes were before the edit.
type undo struct {
	nextSeq   [tables]int64
	customers int // how many there were
	invoices  int // how many rows there were
	keys      []savedKey
	removed   []savedCustomer
}

// savedKey is the key of an invoice before the edit changed or removed it.
type savedKey struct {
	row     uint32
	key     invoiceKey
	removed uint64 // hash to put back into the index; 0 when it is still there
}

type savedCustomer struct {
	key   customerKey
	index uint32
}

func newEdit(a *account) *edit {
	e := &edit{a: a}
	e.undo.nextSeq = a.nextSeq
	e.undo.customers, e.undo.invoices = len(a.customers), len(a.invoices.keys)
	return e
}

func (e *edit) plansView() *planTable {
	if e.plans != nil {
		return e.plans
	}
	return e.a.plans
}

func (e *edit) sourcesView() []source {
	if e.sources != nil {
		return e.sources
	}
	return e.a.sources
}

func (e *edit) settingsView() *settingsState {
	if e.settings != nil {
		return e.settings
	}
	return &e.a.settings
}

func (e *edit) today() calendar.Day {
	if e.settings != nil {
		return e.asOf
	}
	return e.a.today
}

// touch returns the edit's copy of a customer.
func (e *edit) touch(i uint32) *work {
	c := &e.a.customers[i]
	if c.work != nil {
		return c.work
	}
	record := *e.a.records[i]
	w := &work{index: i, record: &record, history: c.history, doc: c.doc, seq: c.seq}
	c.work = w
	e.touched = append(e.touched, w)
	return w
}

// historyOf returns the invoices of a customer as the edit sees them.
func (e *edit) historyOf(i int) *history {
	c := &e.a.customers[i]
	if c.work != nil {
		return &c.work.history
	}
	return &c.history
}

// own makes the history of w private to the edit, so that it may be changed.
func (w *work) own() {
	if !w.owned {
		w.history, w.owned = w.history.clone(), true
	}
}

// addEvent adds an invoice to a customer.
func (w *work) addEvent(p packed, extra *ledger.Extra) {
	w.replay = true
	if n := len(w.history.events); n > 0 && p.date < w.history.events[n-1].date {
		w.own()
		w.unsorted = true
	}
	w.history.add(p, extra)
	if w.places != nil {
		w.places[p.row] = len(w.history.events) - 1
	}
}

// replaceEvent puts the new form of an invoice in the place of the old one.
func (w *work) replaceEvent(p packed, extra *ledger.Extra) {
	w.own()
	w.replay = true
	i := w.place(p.row)
	w.unsorted = w.unsorted || w.history.events[i].date != p.date
	w.history.set(i, p, extra)
}

// removeEvent takes an invoice away from a customer.
func (w *work) removeEvent(row uint32) {
	w.own()
	w.replay = true
	i := w.place(row)
	w.history.events = slices.Delete(w.history.events, i, i+1)
	w.places = nil
}

// manyEvents is the size from which looking for an event one by one costs more
// than a map: an import may send every invoice of a large customer again.
const manyEvents = 64

// place returns the index of a row's event.
func (w *work) place(row uint32) int {
	events := w.history.events
	if len(events) < manyEvents {
		return w.history.find(row)
	}
	if w.places == nil {
		w.places = make(map[uint32]int, len(events))
		for i := range events {
			w.places[events[i].row] = i
		}
	}
	return w.places[row]
}

// takeSeq returns the next row number of a table.
func (e *edit) takeSeq(t Table) int64 {
	seq := e.a.nextSeq[t]
	e.a.nextSeq[t]++
	return seq
}

// saveKey notes an invoice's key before it changes. Rows that the edit itself
// inserted need no note.
func (e *edit) saveKey(row uint32, removed uint64) {
	if int(row) < e.undo.invoices {
		e.undo.keys = append(e.undo.keys, savedKey{row: row, key: e.a.invoices.keys[row], removed: removed})
	}
}

// rollback takes the edit back.
func (e *edit) rollback() {
	a := e.a
	t := &a.invoices
	for row := e.undo.invoices; row < len(t.keys); row++ {
		if k := &t.keys[row]; k.id != 0 {
			t.index.remove(keyHash(a.seed, a.sourceOf(k.owner), t.ids.at(k.id)), uint32(row))
		}
	}
	t.keys = t.keys[:e.undo.invoices]
	for _, s := range slices.Backward(e.undo.keys) {
		t.keys[s.row] = s.key
		if s.removed != 0 {
			t.index.insert(s.removed, s.row)
		}
	}
	for _, w := range e.touched {
		if int(w.index) >= e.undo.customers && !w.deleted {
			delete(a.byID, customerKey{w.record.Source, w.record.ID})
		}
	}
	for _, s := range e.undo.removed {
		if int(s.index) < e.undo.customers {
			a.byID[s.key] = s.index
		}
	}
	for _, w := range e.touched {
		a.customers[w.index].work = nil
	}
	clear(a.customers[e.undo.customers:])
	a.customers = a.customers[:e.undo.customers]
	a.nextSeq = e.undo.nextSeq
}

// install makes the edit the account's state.
func (e *edit) install() {
	a := e.a
	if len(e.touched) > 0 {
		e.installCustomers()
	}
	if e.plans != nil {
		e.plans.regroup()
		a.plans = e.plans
	}
	if e.held != nil {
		a.held = *e.held
	}
	if e.sources != nil {
		a.sources = e.sources
	}
	if e.segments != nil {
		a.segments = e.segments
	}
	if e.asked != nil {
		a.asked = *e.asked
	}
	if e.settings != nil {
		a.settings, a.today = *e.settings, e.asOf
	}
	if e.plans != nil || e.settings != nil {
		a.players = nil
	}
}

// installCustomers replaces the records that readers will see by a new list:
// older snapshots keep theirs. Customers that the edit did not touch keep their
// records, so that equal pointers mean that nothing changed.
func (e *edit) installCustomers() {
	a := e.a
	records := make([]*report.Customer, len(a.customers))
	copy(records, a.records)
	for len(a.days) < len(records) {
		a.days = append(a.days, customerDays{})
	}
	for _, w := range e.touched {
		if w.deleted {
			a.customers[w.index] = customer{}
			records[w.index] = nil
			a.days[w.index] = customerDays{wake: calendar.Never, first: calendar.NoDay}
			continue
		}
		a.customers[w.index] = customer{history: w.history, doc: w.doc, seq: w.seq}
		records[w.index] = w.record
		a.days[w.index] = customerDays{wake: w.record.Ledger.Wake, first: w.record.Ledger.FirstPaid}
	}
	a.records = records
}

// tableLog collects what an edit writes to one table, so that a row appears in
// the changeset at most once.
type tableLog struct {
	insert []Row
	first  int64 // number of insert[0]
	update []Row
	place  map[int64]int // of an updated row in update
	remove []Key
}

// inserted notes a new row. Rows of one table are inserted in order of Seq
// without gaps.
func (l *tableLog) inserted(r Row) {
	if len(l.insert) == 0 {
		l.first = r.Seq
	}
	l.insert = append(l.insert, r)
}

// updated notes the new form of a row. What an insert alone writes stays.
func (l *tableLog) updated(r Row) {
	if i, ok := l.position(r.Seq); ok {
		r.Received = l.insert[i].Received
		l.insert[i] = r
		return
	}
	if i, ok := l.place[r.Seq]; ok {
		l.update[i] = r
		return
	}
	if l.place == nil {
		l.place = map[int64]int{}
	}
	l.place[r.Seq] = len(l.update)
	l.update = append(l.update, r)
}

// removed notes that a row goes away. The zero Row marks the places of rows
// that must not be written after all.
func (l *tableLog) removed(t Table, seq int64) {
	if i, ok := l.position(seq); ok {
		l.insert[i] = Row{}
		return
	}
	if i, ok := l.place[seq]; ok {
		l.update[i] = Row{}
		delete(l.place, seq)
	}
	l.remove = append(l.remove, Key{Table: t, Seq: seq})
}

// position finds a row among those that the edit inserts.
func (l *tableLog) position(seq int64) (int, bool) {
	i := seq - l.first
	return int(i), len(l.insert) > 0 && 0 <= i && i < int64(len(l.insert))
}

// changeset returns what the edit writes and whether that is anything.
func (e *edit) changeset() (Changeset, bool) {
	c := Changeset{Version: e.a.version + 1, Clear: e.cleared}
	dropped := func(r Row) bool { return r.Table == 0 }
	for t := range e.log {
		l := &e.log[t]
		c.Insert = join(c.Insert, slices.DeleteFunc(l.insert, dropped))
		c.Update = join(c.Update, slices.DeleteFunc(l.update, dropped))
		c.Delete = append(c.Delete, l.remove...)
	}
	return c, len(c.Insert)+len(c.Update)+len(c.Delete)+len(c.Clear) > 0
}

// join appends without copying in the usual case that one side is empty.
func join(dst, rows []Row) []Row {
	if len(dst) == 0 {
		return rows
	}
	return append(dst, rows...)
}
