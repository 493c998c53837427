package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
)

var recordTests = []test{
	{"a_record_is_added_once", func(t *testing.T, w *world) {
		var added atomic.Int32
		parallel(racers, func(int) {
			err := w.store.Add(t.Context(), oauth.KindAssertion, "jti", []byte("x"), time.Minute)
			switch {
			case err == nil:
				added.Add(1)
			case !errors.Is(err, oauth.ErrExists):
				t.Error(err)
			}
		})
		if added.Load() != 1 {
			t.Errorf("added %d times", added.Load())
		}
		if err := w.store.Add(t.Context(), oauth.KindTransaction, "jti", nil, time.Minute); err != nil {
			t.Errorf("Add of another kind with the same id: %v", err)
		}
	}},
	{"a_record_ends_by_itself", func(t *testing.T, w *world) {
		if err := w.store.Add(t.Context(), oauth.KindTransaction, "tx", []byte("old"), time.Minute); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
		_, err := w.store.Record(t.Context(), oauth.KindTransaction, "tx")
		wantError(t, "Record", err, oauth.ErrNotFound)
		wantError(t, "Swap", w.store.Swap(t.Context(), oauth.KindTransaction, "tx", 1, nil), oauth.ErrNotFound)
		_, err = w.store.Consume(t.Context(), oauth.KindTransaction, "tx")
		wantError(t, "Consume", err, oauth.ErrNotFound)
		if err := w.store.Add(t.Context(), oauth.KindTransaction, "tx", []byte("new"), time.Minute); err != nil {
			t.Errorf("Add after the end of the first: %v", err)
		}
		wantValue(t, w, "tx", "new", 1)
	}},
	{"a_record_is_swapped_by_one", func(t *testing.T, w *world) {
		if err := w.store.Add(t.Context(), oauth.KindTransaction, "tx", []byte("0"), time.Minute); err != nil {
			t.Fatal(err)
		}
		var swapped atomic.Int32
		parallel(racers, func(int) {
			err := w.store.Swap(t.Context(), oauth.KindTransaction, "tx", 1, []byte("1"))
			switch {
			case err == nil:
				swapped.Add(1)
			case !errors.Is(err, oauth.ErrMoved):
				t.Error(err)
			}
		})
		if swapped.Load() != 1 {
			t.Errorf("swapped %d times", swapped.Load())
		}
		wantValue(t, w, "tx", "1", 2)
		w.clock.Advance(time.Minute)
		_, err := w.store.Record(t.Context(), oauth.KindTransaction, "tx")
		wantError(t, "Record: a swap keeps the end", err, oauth.ErrNotFound)
	}},
	{"a_record_is_consumed_by_one", func(t *testing.T, w *world) {
		if err := w.store.Add(t.Context(), oauth.KindSignIn, "state", []byte("x"), time.Minute); err != nil {
			t.Fatal(err)
		}
		var got atomic.Int32
		parallel(racers, func(int) {
			r, err := w.store.Consume(t.Context(), oauth.KindSignIn, "state")
			switch {
			case err == nil && string(r.Value) == "x":
				got.Add(1)
			case !errors.Is(err, oauth.ErrNotFound):
				t.Error(err)
			}
		})
		if got.Load() != 1 {
			t.Errorf("consumed %d times", got.Load())
		}
	}},
	{"a_record_is_put_and_deleted", func(t *testing.T, w *world) {
		for version, value := range []string{"a", "b"} {
			if err := w.store.Put(t.Context(), oauth.KindTransaction, "tx", []byte(value), time.Minute); err != nil {
				t.Fatal(err)
			}
			wantValue(t, w, "tx", value, int64(version)+1)
		}
		for range 2 {
			if err := w.store.Delete(t.Context(), oauth.KindTransaction, "tx"); err != nil {
				t.Fatal(err)
			}
		}
		_, err := w.store.Record(t.Context(), oauth.KindTransaction, "tx")
		wantError(t, "Record", err, oauth.ErrNotFound)
	}},
	{"any_bytes_come_back", func(t *testing.T, w *world) {
		value := make([]byte, 64<<10)
		for i := range value {
			value[i] = byte(i * 7)
		}
		if err := w.store.Put(t.Context(), oauth.KindDocument, "d", value, time.Hour); err != nil {
			t.Fatal(err)
		}
		r, err := w.store.Record(t.Context(), oauth.KindDocument, "d")
		if err != nil || string(r.Value) != string(value) {
			t.Errorf("Record: %d bytes, %v", len(r.Value), err)
		}
		if left := r.ExpiresAt.Sub(w.clock.Now()); left > time.Hour || left < 50*time.Minute {
			t.Errorf("the record ends in %v, want an hour", left)
		}
	}},
}

func wantValue(t *testing.T, w *world, id, value string, version int64) {
	t.Helper()
	r, err := w.store.Record(t.Context(), oauth.KindTransaction, id)
	if err != nil || string(r.Value) != value || r.Version != version {
		t.Errorf("Record = %q version %d, %v, want %q version %d", r.Value, r.Version, err, value, version)
	}
}
