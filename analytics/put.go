package analytics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// PutCustomers creates or updates customers of a data source by id. When it
// returns, the rows are durable and in the next snapshot. sourceID may be empty
// if the account has exactly one data source of type api. A row whose document
// did not change is not written; of several rows with one id the last wins.
func (e *Engine) PutCustomers(ctx context.Context, account, sourceID string, rows []CustomerRow) ([]FieldError, error) {
	return e.write(ctx, account, len(rows), func(ed *edit) ([]FieldError, error) {
		source, err := sourceIndex(ed.sourcesView(), sourceID)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			ed.putCustomer(source, &rows[i])
		}
		return nil, nil
	})
}

// PutPlans is PutCustomers for plans. Customers on a plan whose interval,
// currency or pricing changed are recomputed.
func (e *Engine) PutPlans(ctx context.Context, account, sourceID string, rows []PlanRow) ([]FieldError, error) {
	return e.write(ctx, account, len(rows), func(ed *edit) ([]FieldError, error) {
		source, err := sourceIndex(ed.sourcesView(), sourceID)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if err := ed.putPlan(source, &rows[i]); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// PutInvoices is PutCustomers for invoices. Rows that name a customer or a plan
// which the data source does not have are left out and come back as
// FieldErrors; the others are written.
func (e *Engine) PutInvoices(ctx context.Context, account, sourceID string, rows []InvoiceRow) ([]FieldError, error) {
	return e.write(ctx, account, len(rows), func(ed *edit) ([]FieldError, error) {
		source, err := sourceIndex(ed.sourcesView(), sourceID)
		if err != nil {
			return nil, err
		}
		var failures []FieldError
		for i := range rows {
			if field, message := ed.putInvoice(source, &rows[i]); message != "" {
				failures = append(failures, FieldError{Index: i, ID: rows[i].ID, Field: field, Message: message})
			}
		}
		return failures, nil
	})
}

func (e *edit) putCustomer(source uint32, row *CustomerRow) {
	a := e.a
	doc := a.hash(row.Doc)
	i, known := a.byID[customerKey{source, row.ID}]
	if !known {
		e.addCustomer(source, row, doc)
		return
	}
	if c := &a.customers[i]; c.work == nil && c.doc == doc || c.work != nil && c.work.doc == doc {
		return
	}
	w := e.touch(i)
	record := a.newRecord(source, row)
	record.Ledger, record.Received = w.record.Ledger, w.record.Received
	w.replay = w.replay || record.TrialStarted != w.record.TrialStarted
	w.record, w.doc = record, doc
	e.log[TableCustomer].updated(Row{Table: TableCustomer, Seq: w.seq, Source: e.sourcesView()[source].seq, ID: row.ID, Doc: row.Doc})
}

func (e *edit) addCustomer(source uint32, row *CustomerRow, doc uint64) {
	a := e.a
	received := a.engine.now().UTC().Truncate(time.Millisecond)
	w := &work{
		index: uint32(len(a.customers)),
		seq:   e.takeSeq(TableCustomer), record: a.newRecord(source, row), doc: doc, replay: true,
	}
	w.record.Received = calendar.Moment(received)
	a.customers = append(a.customers, customer{work: w})
	a.byID[customerKey{source, w.record.ID}] = w.index
	e.touched = append(e.touched, w)
	e.log[TableCustomer].inserted(Row{
		Table: TableCustomer, Seq: w.seq, Source: e.sourcesView()[source].seq, ID: row.ID, Doc: row.Doc, Received: received,
	})
}

func (e *edit) putPlan(source uint32, row *PlanRow) error {
	doc := e.a.hash(row.Doc)
	ref, known := e.plansView().byID[customerKey{source, row.ID}]
	if known && e.plansView().meta[ref].doc == doc {
		return nil
	}
	e.ownPlans()
	key, before := customerKey{source, strings.Clone(row.ID)}, ""
	if known {
		before = e.plans.meta[ref].group
	}
	stored := Row{Table: TablePlan, Source: e.sourcesView()[source].seq, ID: row.ID, Doc: row.Doc}
	if !known {
		stored.Seq = e.takeSeq(TablePlan)
		e.plans.set(ledger.PlanRef(len(e.plans.list)), source, row, planMeta{seq: stored.Seq, doc: doc})
		e.log[TablePlan].inserted(stored)
		return e.regroupPlan(key, before, row.Group)
	}
	stored.Seq = e.plans.meta[ref].seq
	e.plans.set(ref, source, row, planMeta{seq: stored.Seq, doc: doc})
	e.log[TablePlan].updated(stored)
	return e.regroupPlan(key, before, row.Group)
}

// putInvoice writes one invoice, or says which field cannot be resolved.
func (e *edit) putInvoice(source uint32, row *InvoiceRow) (field, message string) {
	a := e.a
	t := &a.invoices
	doc := a.hash(row.Doc)
	n, known := a.find(source, row.ID)
	if known && t.docs[n] == doc {
		return "", ""
	}
	owner, ok := a.byID[customerKey{source, row.CustomerID}]
	if !ok {
		return "customer_id", fmt.Sprintf("Customer not found: push customer %q to this data source before its invoices", row.CustomerID)
	}
	ev, field, message := e.resolve(source, row, &ledger.Event{})
	if message != "" {
		return field, message
	}
	w := e.touch(owner)
	if known {
		ev.Ref = n
		e.putKnown(w, &ev, doc)
	} else {
		n = uint32(e.takeSeq(TableInvoice))
		ev.Ref = n
		t.add(n, row.ID, doc, owner)
		t.index.insert(keyHash(a.seed, source, row.ID), n)
		w.change(added, ev)
	}
	stored := Row{Table: TableInvoice, Seq: int64(n), Source: e.sourcesView()[source].seq, Owner: w.seq, ID: row.ID, Doc: row.Doc}
	if known {
		e.log[TableInvoice].updated(stored)
	} else {
		e.log[TableInvoice].inserted(stored)
	}
	return "", ""
}

// putKnown writes an invoice that is there, perhaps under another customer.
func (e *edit) putKnown(w *work, ev *ledger.Event, doc uint64) {
	t, row := &e.a.invoices, ev.Ref
	if owner := t.owners[row]; owner == w.index {
		w.change(replaced, *ev)
	} else {
		e.touch(owner).change(removed, ledger.Event{Ref: row})
		w.change(added, *ev)
	}
	e.saveKey(row, 0)
	t.docs[row], t.owners[row] = doc, w.index
}

// resolve turns the references of an invoice into those of the account. last is
// another of the customer's, which has probably the same: to compare costs less
// than to look up. The event comes without its id, which the row keeps.
func (e *edit) resolve(source uint32, row *InvoiceRow, last *ledger.Event) (ev ledger.Event, field, message string) {
	a := e.a
	ev = row.Event
	ev.ID = ""
	if ev.Plan, message = e.planRef(source, row.PlanID, last.Plan); message != "" {
		return ev, "plan_id", message
	}
	ev.Subscription = a.symbols.like(last.Subscription, row.SubscriptionID)
	ev.Method = a.symbols.like(last.Method, row.Method)
	if row.Event.Extra == nil {
		return ev, "", ""
	}
	x := *row.Event.Extra
	x.CancelReason = a.symbols.of(row.CancelReason)
	x.RefundOf, x.CancelComment = strings.Clone(x.RefundOf), strings.Clone(x.CancelComment)
	x.Number, x.Description = strings.Clone(x.Number), strings.Clone(x.Description)
	x.Lines = nil
	for i := range row.Lines {
		l := row.Lines[i].Line
		l.Description = strings.Clone(l.Description)
		if l.Plan, message = e.planRef(source, row.Lines[i].PlanID, ev.Plan); message != "" {
			return ev, fmt.Sprintf("lines[%d].plan_id", i), message
		}
		x.Lines = append(x.Lines, l)
	}
	ev.Extra = &x
	return ev, "", ""
}

// planRef finds a plan, at once if it is the one that is guessed.
func (e *edit) planRef(source uint32, id string, guess ledger.PlanRef) (ref ledger.PlanRef, message string) {
	if id == "" {
		return 0, ""
	}
	t := e.plansView()
	if p := &t.list[guess]; guess != 0 && p.ID == id && p.Source == source && !p.Missing {
		return guess, ""
	}
	ref, ok := t.byID[customerKey{source, id}]
	if !ok {
		return 0, fmt.Sprintf("Plan not found: push plan %q to this data source before the invoices that name it", id)
	}
	return ref, ""
}
