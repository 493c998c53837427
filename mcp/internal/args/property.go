// Package args describes, checks and corrects the arguments that a model gives
// to a tool. It is strict about what is not understood, because an argument
// that is silently dropped changes the meaning of the answer, and lenient about
// how the rest is written.
package args

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Type is the JSON type of an argument.
type Type uint8

// The types.
const (
	// String is text. A number is taken as its digits.
	String Type = iota
	// List is text with one or several values separated by ~~. An array is
	// joined.
	List
	// Integer is a whole number. Digits in quotes are taken as well.
	Integer
	// Boolean is true or false. The words in quotes are taken as well.
	Boolean
	// Object is a JSON object, or array, that is passed on. JSON in quotes is
	// taken as well.
	Object
	// Map is an object of strings. Its values may be lists.
	Map
)

// Property is one argument of a tool.
type Property struct {
	Name string
	Type Type
	// Description says what it is, with its unit and an example.
	Description string
	// Enum lists the only values that are valid, if they are a closed set.
	Enum []string
	// Open keeps Enum out of the schema: a newer API may know more values than
	// are worth listing.
	Open bool
	// Words are other spellings of the values in Enum, or of anything else.
	Words map[string]string
	// Min and Max bound an Integer; Max 0 leaves it open. With Clamp any number
	// is taken, and one beyond a bound counts as the bound.
	Min, Max int
	Clamp    bool
	// Required says that every call needs it.
	Required bool
	// Convert turns what was given into what is sent, or says what is wrong
	// with it.
	Convert func(string) (string, error)
}

// Set is the arguments of a tool, in the order to show them.
type Set []Property

// Find returns the property called name, or nil.
func (s Set) Find(name string) *Property {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Names returns the names of the properties.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i := range s {
		names[i] = s[i].Name
	}
	return names
}

// Schema returns the set as a strict JSON Schema with an object at its root
// and no references or combinations, which some clients refuse.
func (s Set) Schema() json.RawMessage {
	var b strings.Builder
	b.WriteString(`{"type":"object","properties":{`)
	var required []string
	for i, p := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(p.Name) + `:{"type":` + p.jsonType())
		if p.Description != "" {
			b.WriteString(`,"description":` + quote(p.Description))
		}
		if len(p.Enum) > 0 && !p.Open {
			b.WriteString(`,"enum":` + quoteAll(p.Enum))
		}
		if p.Type == Integer {
			if p.Min > 0 && !p.Clamp {
				b.WriteString(`,"minimum":` + strconv.Itoa(p.Min))
			}
			if p.Max > 0 && !p.Clamp {
				b.WriteString(`,"maximum":` + strconv.Itoa(p.Max))
			}
		}
		if p.Type == Map {
			b.WriteString(`,"additionalProperties":{"type":"string"}`)
		}
		b.WriteByte('}')
		if p.Required {
			required = append(required, p.Name)
		}
	}
	b.WriteByte('}')
	if len(required) > 0 {
		b.WriteString(`,"required":` + quoteAll(required))
	}
	b.WriteString(`,"additionalProperties":false}`)
	return json.RawMessage(b.String())
}

func (p Property) jsonType() string {
	switch p.Type {
	case Integer:
		return `"integer"`
	case Boolean:
		return `"boolean"`
	case Object, Map:
		return `"object"`
	case String, List:
	}
	return `"string"`
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// quote returns s as a JSON string, with no more escapes than JSON needs.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
