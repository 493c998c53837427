package openapi

// Unit says what a value of the API means, so that nobody has to guess it from
// a field's name.
type Unit uint8

// The units that a number can have, and the marks of the strings that name a
// currency.
const (
	// None marks what is not a number, or a number that the contract does not know.
	None Unit = iota

	// MoneyBase is an integer in minor units of the reporting currency: the value of
	// the CurrencyBase field of the same body. A body without such a field is in the
	// account's base currency.
	MoneyBase
	// MoneyRow is an integer in minor units of the CurrencyRow field of the nearest
	// enclosing object that has one.
	MoneyRow
	// MoneyCustomer is an integer in minor units of the CurrencyCustomer field of the
	// nearest enclosing object that has one.
	MoneyCustomer

	// Percent is a share from 0 to 100, or a change of any sign and size.
	Percent
	// Count is a number of things.
	Count
	// Quantity is a number of seats or units, or its change.
	Quantity
	// Days is a length of time.
	Days
	// Months is a length of time.
	Months
	// Ratio is a plain quotient.
	Ratio
	// Score is a grade without a unit.
	Score
	// Rank is a place in an order, from 1.
	Rank
	// Index is a place in a list, from 0.
	Index
	// Offset is a number of rows skipped.
	Offset
	// Weekday is a day of the week, 0 for Sunday.
	Weekday

	// CurrencyBase marks the string that names the reporting currency.
	CurrencyBase
	// CurrencyRow marks the string that names the currency of a row.
	CurrencyRow
	// CurrencyCustomer marks the string that names a customer's currency.
	CurrencyCustomer
)

// String returns the word that the contract uses: the value of x-unit, or that
// of x-currency after "currency-".
func (u Unit) String() string {
	names := [...]string{
		None: "none", MoneyBase: "money-base", MoneyRow: "money-row",
		MoneyCustomer: "money-customer", Percent: "percent", Count: "count",
		Quantity: "quantity", Days: "days", Months: "months", Ratio: "ratio",
		Score: "score", Rank: "rank", Index: "index", Offset: "offset",
		Weekday: "weekday", CurrencyBase: "currency-base", CurrencyRow: "currency-row",
		CurrencyCustomer: "currency-customer",
	}
	if int(u) >= len(names) {
		return "unknown"
	}
	return names[u]
}

// IsMoney reports whether the number is an amount in minor units.
func (u Unit) IsMoney() bool { return u >= MoneyBase && u <= MoneyCustomer }

// IsCurrency reports whether the value is a string that names a currency.
func (u Unit) IsCurrency() bool { return u >= CurrencyBase }

// Schema is what the contract knows about one place in a JSON body. A reader
// that walks the body token by token walks the schema beside it:
//
//   - at a key of an object, go on with Child;
//   - at an array, stay: its elements have the schema of the array;
//   - at a value, Unit says what it is.
//
// A nil Schema knows nothing and stays nil, so that unknown parts of a body
// need no special care. Schemas are shared and read-only.
type Schema struct {
	name   string
	unit   Unit
	fields []Schema // by name
	rest   *Schema  // of keys that are not in fields, such as breakdown values
}

// UnitsFor returns the schema of the body that a method and an escaped path
// answer with on success, with or without a version prefix, or nil when the
// contract does not have the operation. It does not allocate.
func UnitsFor(method, path string) *Schema {
	op := Find(method, path)
	if op == nil {
		return nil
	}
	return &op.body
}

// Unit returns what a value in this place means.
func (s *Schema) Unit() Unit {
	if s == nil {
		return None
	}
	return s.unit
}

// Child returns the schema of the value of a key, or nil when it is unknown.
func (s *Schema) Child(key []byte) *Schema {
	child, _ := s.Next(0, key)
	return child
}

// Next is Child for keys that come in the order of their names, as the API
// sends them: pass 0 at the beginning of an object and then what the last call
// returned. Any other order is right as well, but slower.
func (s *Schema) Next(hint int, key []byte) (child *Schema, next int) {
	if s == nil {
		return nil, 0
	}
	if hint < len(s.fields) && s.fields[hint].name == string(key) {
		return &s.fields[hint], hint + 1
	}
	low, high := 0, len(s.fields)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if s.fields[mid].name < string(key) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(s.fields) && s.fields[low].name == string(key) {
		return &s.fields[low], low + 1
	}
	return s.rest, low
}
