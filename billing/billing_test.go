package billing

import (
	"errors"
	"strings"
	"testing"
)

// valid are numbers in public use, or published as examples by registers.
var valid = []string{
	"ATU13585627", "BE0428759497", "BG175074752", "CY10259033P", "CZ25123891", "DE136695976", "DK13585628", "EE100931558", "EL094259216",
	"ES54362315K", "ESX5253868R", "ESJ99216582", "FI20774740", "FR40303265045", "GB980780684", "HR33392005961", "HU12892312",
	"IE6433435F", "IE6433435OA", "IE8D79739I", "IT00743110157", "LT119511515", "LT100001919017", "LU15027442", "LV40003521600",
	"MT11679112", "NL004495445B01", "PL8567346215", "PT501964843", "RO18547290", "SE123456789701", "SI50223054", "SK2022749619",
	"XI980780684", "de 136 695 976", "nl 0044.95.445-B01",
}

func TestCheckVAT_AcceptsRealNumbers(t *testing.T) {
	t.Parallel()
	for _, number := range valid {
		if got := CheckVAT(number); !got.Valid {
			t.Errorf("CheckVAT(%q) = %+v", number, got)
		}
	}
	if got := CheckVAT("el 094259216"); got.Country != "gr" || got.Number != "EL094259216" {
		t.Errorf("Greece: %+v", got)
	}
}

// TestCheckVAT_FindsEveryWrongDigit changes each digit of each number to each
// other one. Few countries' check digits miss any such mistake; none misses
// more than one in five.
func TestCheckVAT_FindsEveryWrongDigit(t *testing.T) {
	t.Parallel()
	for _, number := range valid[:34] {
		missed, changed := 0, 0
		for i := 2; i < len(number); i++ {
			if number[i] < '0' || number[i] > '9' {
				continue
			}
			for d := byte('0'); d <= '9'; d++ {
				if d == number[i] {
					continue
				}
				changed++
				if CheckVAT(number[:i] + string(d) + number[i+1:]).Valid {
					missed++
				}
			}
		}
		if missed*5 > changed {
			t.Errorf("%s: %d of %d wrong digits pass", number, missed, changed)
		}
	}
}

func TestCheckVAT_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"": "must be a country", "DE": "must be a country", "US123456789": "must begin with", "DE13669597": "form", "DE136695977": "check digits",
		strings.Repeat("DE136695976", 100): "must be a country", "DE１３６６９５９７６": "must be a country", "ИЕ6433435": "must begin with",
	} {
		if got := CheckVAT(number); got.Valid || !strings.Contains(got.Reason, want) {
			t.Errorf("CheckVAT(%q) = %+v, want a reason with %q", number, got, want)
		}
	}
}

func FuzzCheckVAT(f *testing.F) {
	for _, number := range valid {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		got := CheckVAT(number)
		if got.Valid == (got.Reason != "") {
			t.Fatalf("CheckVAT(%q) = %+v", number, got)
		}
		if again := CheckVAT(got.Number); got.Valid && again != got {
			t.Fatalf("CheckVAT(%q) = %+v, but of its own number %+v", number, got, again)
		}
	})
}

func TestRecord(t *testing.T) {
	t.Parallel()
	var r Record
	var wrong *FieldError
	if err := r.Choose("not a plan", ""); !errors.As(err, &wrong) || wrong.Field != "plan" {
		t.Errorf("a plan with spaces: %v", err)
	}
	if err := r.Choose("growth", "weekly"); !errors.As(err, &wrong) || wrong.Field != "period" {
		t.Errorf("a period of a week: %v", err)
	}
	if r != (Record{}) {
		t.Errorf("refused choices changed the record to %+v", r)
	}
	if err := r.Choose("growth", ""); err != nil || r.Status != Active || r.Cycle != Monthly {
		t.Errorf("%+v, %v", r, err)
	}
	r.Status, r.CancelAt = Cancelled, "2026-12-31"
	if r.KeepPlan(); r.Status != Active || r.CancelAt != "" {
		t.Errorf("a plan that is kept: %+v", r)
	}
	good := Address{Line1: "1 Harbor Street", City: "Dublin", Country: " IE "}
	for field, spoil := range map[string]func(a *Address) (vat string){
		"line1":       func(a *Address) string { a.Line1 = " "; return "" },
		"city":        func(a *Address) string { a.City = "Dub\nlin"; return "" },
		"postal_code": func(a *Address) string { a.PostalCode = strings.Repeat("1", 21); return "" },
		"country":     func(a *Address) string { a.Country = "Ireland"; return "" },
		"vat_number":  func(*Address) string { return "IE6433435X" },
	} {
		a := good
		if err := r.SetAddress(a, ""); err != nil {
			t.Fatal(err)
		}
		before := *r.Address
		vat := spoil(&a)
		if err := r.SetAddress(a, vat); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if *r.Address != before {
			t.Errorf("%s: a refused address was noted", field)
		}
	}
	if err := r.SetAddress(good, "ie 6433435f"); err != nil || r.VATNumber != "IE6433435F" || r.Address.Country != "ie" {
		t.Errorf("%+v, %v", r, err)
	}
}
