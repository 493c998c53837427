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
	sheet    sheet
	asOf     calendar.Day // today in the new zone, when settings changed
}

// work is what an edit has made of one customer.
type work struct {
	index   uint32
	record  *report.Customer // a copy that the edit may change
	history history
	changes []change // of the history, which does not have them yet
	doc     uint64
	seq     int64
	replay  bool
	deleted bool
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
	owner   uint32
	doc     uint64
	removed uint64 // hash to put back into the index; 0 when it is still there
}

type savedCustomer struct {
	key   customerKey
	index uint32
}

func newEdit(a *account) *edit {
	e := &edit{a: a}
	e.undo.nextSeq = a.nextSeq
	e.undo.customers, e.undo.invoices = len(a.customers), a.invoices.len()
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
	if c.work == nil {
		return &c.history
	}
	if len(c.work.changes) > 0 {
		c.work.apply(&e.sheet)
	}
	return &c.work.history
}

// change notes a change to one of the customer's invoices. They are made when
// the customer is replayed, beside the others.
func (w *work) change(how how, ev ledger.Event) {
	w.replay = true
	w.changes = append(w.changes, change{how, ev})
}

// apply makes the changes, and leaves the events on the sheet.
func (w *work) apply(s *sheet) {
	if len(w.changes) == 0 {
		s.load(&w.history)
		return
	}
	w.history, w.changes = s.apply(&w.history, w.changes), nil
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
	if t := &e.a.invoices; int(row) < e.undo.invoices {
		e.undo.keys = append(e.undo.keys, savedKey{row: row, owner: t.owners[row], doc: t.docs[row], removed: removed})
	}
}

// rollback takes the edit back.
func (e *edit) rollback() {
	a := e.a
	t := &a.invoices
	for row := e.undo.invoices; row < t.len(); row++ {
		if owner := t.owners[row]; owner != nobody {
			t.index.remove(keyHash(a.seed, a.sourceOf(owner), t.id(uint32(row))), uint32(row))
		}
	}
	t.truncate(e.undo.invoices)
	for _, s := range slices.Backward(e.undo.keys) {
		t.docs[s.row], t.owners[s.row] = s.doc, s.owner
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
