package analytics

import (
	"context"
	"fmt"
	"slices"
)

// UpdateCustomer replaces a stored customer by what change makes of it, and
// recomputes. sourceID may be empty when only one data source has the id;
// otherwise the error is an *AmbiguousError. change may run twice and must not
// change the id; its error is returned and nothing is written.
func (e *Engine) UpdateCustomer(ctx context.Context, account, sourceID, id string, change func(StoredRow) (CustomerRow, error)) error {
	return e.change(ctx, account, func(ed *edit) error {
		old, source, err := ed.stored(ctx, TableCustomer, sourceID, id)
		if err != nil {
			return err
		}
		row, err := change(old)
		if err != nil {
			return err
		}
		ed.putCustomer(source, &row)
		return nil
	})
}

// UpdatePlan is UpdateCustomer for plans.
func (e *Engine) UpdatePlan(ctx context.Context, account, sourceID, id string, change func(StoredRow) (PlanRow, error)) error {
	return e.change(ctx, account, func(ed *edit) error {
		old, source, err := ed.stored(ctx, TablePlan, sourceID, id)
		if err != nil {
			return err
		}
		row, err := change(old)
		if err != nil {
			return err
		}
		return ed.putPlan(source, &row)
	})
}

// UpdateInvoice is UpdateCustomer for invoices. When the row names a customer or
// a plan that the data source does not have, the error is an *InvalidError.
func (e *Engine) UpdateInvoice(ctx context.Context, account, sourceID, id string, change func(StoredRow) (InvoiceRow, error)) error {
	return e.change(ctx, account, func(ed *edit) error {
		old, source, err := ed.stored(ctx, TableInvoice, sourceID, id)
		if err != nil {
			return err
		}
		row, err := change(old)
		if err != nil {
			return err
		}
		if field, message := ed.putInvoice(source, &row); message != "" {
			return &InvalidError{Fields: []FieldError{{ID: id, Field: field, Message: message}}}
		}
		return nil
	})
}

// stored returns a row as the edit sees it: another request of the same commit
// may have written it just before.
func (e *edit) stored(ctx context.Context, t Table, sourceID, id string) (StoredRow, uint32, error) {
	ref, err := e.locateRow(t, sourceID, id)
	if err != nil {
		return StoredRow{}, 0, err
	}
	row := StoredRow{Source: e.sourcesView()[ref.source].ID}
	if pending, ok := e.log[t].pending(ref.seq); ok {
		row.Doc = pending.Doc
		return row, ref.source, nil
	}
	err = e.a.engine.store.Rows(ctx, e.a.id, t, []int64{ref.seq}, func(r Row) error {
		row.Doc = slices.Clone(r.Doc)
		return nil
	})
	switch {
	case err != nil:
		return StoredRow{}, 0, fmt.Errorf("read %s %q of account %s: %w", rowKinds[t], id, e.a.id, err)
	case row.Doc == nil:
		return StoredRow{}, 0, fmt.Errorf("%s %q of account %s is in memory and not in the store", rowKinds[t], id, e.a.id)
	}
	return row, ref.source, nil
}

// pending returns a row that the edit inserts or updates.
func (l *tableLog) pending(seq int64) (Row, bool) {
	if i, ok := l.position(seq); ok {
		return l.insert[i], true
	}
	i, ok := l.place[seq]
	if !ok {
		return Row{}, false
	}
	return l.update[i], true
}
