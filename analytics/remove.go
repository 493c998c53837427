package analytics

import (
	"context"
	"fmt"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// DeleteCustomer deletes a customer and its invoices. sourceID may be empty
// when only one data source has the id; otherwise the error is an
// *AmbiguousError.
func (e *Engine) DeleteCustomer(ctx context.Context, account, sourceID, id string) error {
	return e.change(ctx, account, func(ed *edit) error {
		source, err := ed.locate("customer", sourceID, id, func(source uint32) bool {
			_, ok := ed.a.byID[customerKey{source, id}]
			return ok
		})
		if err != nil {
			return err
		}
		ed.removeCustomer(customerKey{source, id})
		return nil
	})
}

// DeletePlan deletes a plan. While invoices name it the error is an
// *InUseError.
func (e *Engine) DeletePlan(ctx context.Context, account, sourceID, id string) error {
	return e.change(ctx, account, func(ed *edit) error {
		source, err := ed.locate("plan", sourceID, id, func(source uint32) bool {
			_, ok := ed.plansView().byID[customerKey{source, id}]
			return ok
		})
		if err != nil {
			return err
		}
		return ed.removePlan(customerKey{source, id})
	})
}

// DeleteInvoice deletes an invoice.
func (e *Engine) DeleteInvoice(ctx context.Context, account, sourceID, id string) error {
	return e.change(ctx, account, func(ed *edit) error {
		source, err := ed.locate("invoice", sourceID, id, func(source uint32) bool {
			_, ok := ed.a.find(source, id)
			return ok
		})
		if err != nil {
			return err
		}
		row, _ := ed.a.find(source, id)
		ed.touch(ed.a.invoices.owners[row]).change(removed, ledger.Event{Ref: row})
		ed.removeInvoice(source, row)
		return nil
	})
}

// change runs a write that has no rows to fail one by one.
func (e *Engine) change(ctx context.Context, account string, apply func(*edit) error) error {
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) { return nil, apply(ed) })
	return err
}

// locate finds the data source that has an id.
func (e *edit) locate(kind, sourceID, id string, has func(source uint32) bool) (uint32, error) {
	missing := fmt.Errorf("%s %q: %w", kind, id, ErrNotFound)
	if sourceID != "" {
		source, err := sourceIndex(e.sourcesView(), sourceID)
		if err == nil && !has(source) {
			err = missing
		}
		return source, err
	}
	var found []uint32
	for i := range e.sourcesView() {
		if has(uint32(i)) {
			found = append(found, uint32(i))
		}
	}
	switch len(found) {
	case 0:
		return 0, missing
	case 1:
		return found[0], nil
	}
	ambiguous := &AmbiguousError{ID: id}
	for _, source := range found {
		ambiguous.Sources = append(ambiguous.Sources, e.sourcesView()[source].ID)
	}
	return 0, ambiguous
}

func (e *edit) removeCustomer(key customerKey) {
	i := e.a.byID[key]
	for r := e.historyOf(int(i)).read(); r.next(); {
		e.log[TableInvoice].removed(TableInvoice, int64(r.event.Ref))
	}
	e.log[TableCustomer].removed(TableCustomer, e.dropCustomer(key, i).seq)
}

// dropCustomer takes a customer and its invoices out of memory; the store's rows
// are the caller's to remove.
func (e *edit) dropCustomer(key customerKey, i uint32) *work {
	w := e.touch(i)
	for r := e.historyOf(int(i)).read(); r.next(); {
		e.dropInvoice(key.source, r.event.Ref)
	}
	w.deleted, w.history = true, history{}
	delete(e.a.byID, key)
	e.undo.removed = append(e.undo.removed, savedCustomer{key: key, index: i})
	return w
}

// removeInvoice takes an invoice out of the index and the store; its event is
// the caller's to remove.
func (e *edit) removeInvoice(source, row uint32) {
	e.dropInvoice(source, row)
	e.log[TableInvoice].removed(TableInvoice, int64(row))
}

func (e *edit) dropInvoice(source, row uint32) {
	t := &e.a.invoices
	h := keyHash(e.a.seed, source, t.id(row))
	e.saveKey(row, h)
	t.index.remove(h, row)
	t.docs[row], t.owners[row] = 0, nobody
}

func (e *edit) removePlan(key customerKey) error {
	ref := e.plansView().byID[key]
	if n := e.users(ref); n > 0 {
		return &InUseError{ID: key.id, Invoices: n}
	}
	e.ownPlans()
	e.log[TablePlan].removed(TablePlan, e.plans.meta[ref].seq)
	e.plans.remove(ref)
	return e.leaveGroups(key)
}

// users counts the invoices that name a plan.
func (e *edit) users(ref ledger.PlanRef) int {
	n := 0
	for i := range e.a.customers {
		n += e.historyOf(i).uses(ref)
	}
	return n
}
