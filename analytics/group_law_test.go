package analytics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// TestLaw_OneCommitIsItsWritesOneByOne lets random writes about few customers,
// plans and invoices share a commit: invoices that change twice, move on, go away
// and come again, and customers with all they have. The account is as after the
// same writes one by one, also when the commit failed and each was tried alone, or
// all failed and came again.
func TestLaw_OneCommitIsItsWritesOneByOne(t *testing.T) {
	seeds(t, func(t *testing.T, r *rand.Rand) {
		for _, refuses := range []int{0, 1, 2} { // no commit, that of the group, all of the group's
			c := newCompany(r, 4)
			writes := anyWrites(r, 25)
			alone := newWorld(t, newMemoryStore())
			alone.push(c)
			alone.put("invoices", firstBill)
			var want []string
			for _, write := range writes {
				want = append(want, write(alone))
			}

			store := newMemoryStore()
			w := newWorld(t, store)
			w.push(c)
			got := together(t, w, store, writes, refuses)
			if refuses == 2 {
				equal(t, "state after refused commits", newWorld(t, store).state(), w.state())
				store.setFailure(t, nil)
				for i, write := range writes {
					got[i] = write(w)
				}
			}
			if !slices.Equal(want, got) {
				t.Errorf("answers %q, want %q", got, want)
			}
			equal(t, "state", alone.state(), w.state())
			w.reopen()
			equal(t, "state, opened again", alone.state(), w.state())
			if t.Failed() {
				t.Fatalf("where %d commits are refused", refuses)
			}
		}
	})
}

// together lets writes share a commit in their order, of which the store refuses
// none, the first try, or all.
func together(t *testing.T, w *world, store *memoryStore, writes []func(*world) string, refuses int) []string {
	t.Helper()
	hook, blocked, release := held()
	store.onCommit = hook
	answers := make([]string, len(writes))
	var wg sync.WaitGroup
	wg.Go(func() { w.put("invoices", firstBill) })
	<-blocked
	for i, write := range writes {
		wg.Go(func() { answers[i] = write(w) })
		w.engine.WaitForWriters(account, i+1)
	}
	commits := 0
	store.setFailure(t, func(analytics.Changeset) error {
		if commits++; commits == 2 && refuses > 0 || commits > 1 && refuses == 2 {
			return errDisk
		}
		return nil
	})
	release()
	wg.Wait()
	return answers
}

// anyWrites returns random writes, which answer with what the caller is told.
func anyWrites(r *rand.Rand, n int) []func(*world) string {
	var writes []func(*world) string
	for range n {
		kind, id := r.IntN(10), r.IntN(4)
		var rows []string
		for range 1 + r.IntN(4) {
			rows = append(rows, anyInvoice(r))
		}
		writes = append(writes, func(w *world) string {
			switch ctx := w.t.Context(); kind {
			case 0:
				return answer(nil, w.engine.DeleteCustomer(ctx, account, "", fmt.Sprint("c", id)))
			case 1:
				return answer(w.tryPut(ctx, w.source, "customers", fmt.Sprintf(`{"id":"c%d","name":"Customer %d"}`, id, id)))
			case 2, 3:
				return answer(nil, w.engine.DeleteInvoice(ctx, account, "", fmt.Sprint("i", id)))
			case 4:
				return answer(nil, w.engine.DeletePlan(ctx, account, "", fmt.Sprint("p", id)))
			case 5:
				return answer(w.tryPut(ctx, w.source, "plans", fmt.Sprintf(`{"id":"p%d","name":"Again","interval":"month","interval_count":1,"currency":"usd"}`, id)))
			default:
				return answer(w.tryPut(ctx, w.source, "invoices", rows...))
			}
		})
	}
	return writes
}

// anyInvoice is one of few invoices of one of few customers.
func anyInvoice(r *rand.Rand) string {
	var f map[string]any
	_ = json.Unmarshal([]byte(newInvoice(r, r.IntN(8), r.IntN(4), calendar.Date(2024, 1, 1+r.IntN(150)))), &f)
	if r.IntN(3) == 0 {
		f["invoice_number"], f["fee"] = fmt.Sprint("N", r.IntN(100)), r.IntN(100)
	}
	doc, _ := json.Marshal(f)
	return string(doc)
}

func answer(failures []analytics.FieldError, err error) string {
	var inUse *analytics.InUseError
	switch {
	case err == nil, errors.Is(err, analytics.ErrNotFound), errors.As(err, &inUse):
		return fmt.Sprint(failures, err)
	default:
		return err.Error()
	}
}

const firstBill = `{"id":"first","customer_id":"c1","type":"subscription","invoice_date":"2024-06-16","amount":1,"plan_id":"p4"}`
