package args

import (
	"encoding/json"
	"strconv"
)

// Values are the arguments of one call after checking: text, numbers and
// truth values as text, objects as JSON. An argument that is null or empty
// counts as not given.
type Values struct {
	text []entry // few enough to look through
	json map[string]json.RawMessage
	maps map[string]map[string]string
}

type entry struct{ name, text string }

// Has reports whether the argument was given.
func (v *Values) Has(name string) bool {
	_, object := v.json[name]
	_, pairs := v.maps[name]
	return v.Get(name) != "" || object || pairs
}

// Get returns the text of an argument, empty if it was not given.
func (v *Values) Get(name string) string {
	for i := range v.text {
		if v.text[i].name == name {
			return v.text[i].text
		}
	}
	return ""
}

// Default sets an argument that was not given.
func (v *Values) Default(name, text string) {
	if !v.Has(name) {
		v.text = append(v.text, entry{name, text})
	}
}

// Int returns an Integer argument, or fallback if it was not given.
func (v *Values) Int(name string, fallback int) int {
	if n, err := strconv.Atoi(v.Get(name)); err == nil {
		return n
	}
	return fallback
}

// True reports whether a Boolean argument is true.
func (v *Values) True(name string) bool { return v.Get(name) == "true" }

// JSON returns an Object argument, nil if it was not given.
func (v *Values) JSON(name string) json.RawMessage { return v.json[name] }

// Map returns a Map argument.
func (v *Values) Map(name string) map[string]string { return v.maps[name] }
