package ledger

import (
	"reflect"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
)

// TestExtra_TaxedSaysAllOnlyOfTaxAndDiscount sets every field alone, so that
// one that is added later is not forgotten.
func TestExtra_TaxedSaysAllOnlyOfTaxAndDiscount(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[Extra]().NumField() {
		var x Extra
		field := reflect.ValueOf(&x).Elem().Field(i)
		switch field.Kind() {
		case reflect.Int64, reflect.Int32:
			field.SetInt(1)
		case reflect.Uint32:
			field.SetUint(1)
		case reflect.Bool:
			field.SetBool(true)
		case reflect.String:
			field.SetString("x")
		default:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		}
		name := reflect.TypeFor[Extra]().Field(i).Name
		if _, all := x.Taxed(); all != (name == "Tax" || name == "Discount") {
			t.Errorf("an Extra with %s alone: all = %t", name, all)
		}
	}
}

// TestReplay_KeepsNoMemoryOfTheEvents uses the memory of an Extra again, as the
// engine does for all that have only tax and discount.
func TestReplay_KeepsNoMemoryOfTheEvents(t *testing.T) {
	t.Parallel()
	x := &Extra{Tax: 5, Discount: 7}
	events := []Event{{ID: "a", Date: calendar.DayStamp(calendar.Date(2024, 1, 1)), Amount: 100, Kind: OneTime, Extra: x}}
	l := NewReplayer(DefaultSettings(), []Plan{{}}).Replay(events, 0, calendar.Date(2024, 2, 1))
	*x = Extra{}
	if got, more := l.Rare(&l.Invoices[0]); got != (Taxed{Tax: 5, Discount: 7}) || more != nil {
		t.Errorf("tax and discount %+v and %+v, want 5 and 7 and nothing", got, more)
	}
}
