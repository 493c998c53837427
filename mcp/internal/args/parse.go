package args

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Values are the arguments of one call after checking: text, numbers and
// truth values as text, objects as JSON. An argument that is null or empty
// counts as not given.
type Values struct {
	text map[string]string
	json map[string]json.RawMessage
	maps map[string]map[string]string
}

// Has reports whether the argument was given.
func (v Values) Has(name string) bool {
	_, text := v.text[name]
	_, object := v.json[name]
	_, pairs := v.maps[name]
	return text || object || pairs
}

// Get returns the text of an argument, empty if it was not given.
func (v Values) Get(name string) string { return v.text[name] }

// Default sets an argument that was not given.
func (v Values) Default(name, text string) {
	if !v.Has(name) {
		v.text[name] = text
	}
}

// Int returns an Integer argument, or fallback if it was not given.
func (v Values) Int(name string, fallback int) int {
	if n, err := strconv.Atoi(v.text[name]); err == nil {
		return n
	}
	return fallback
}

// True reports whether a Boolean argument is true.
func (v Values) True(name string) bool { return v.text[name] == "true" }

// JSON returns an Object argument, nil if it was not given.
func (v Values) JSON(name string) json.RawMessage { return v.json[name] }

// Map returns a Map argument.
func (v Values) Map(name string) map[string]string { return v.maps[name] }

// Error lists everything that is wrong with the arguments of a call, for the
// model to correct.
type Error struct{ Problems []string }

// Error joins the problems.
func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// Parse reads the arguments of a call to tool against the set. Its error is an
// *Error.
func (s Set) Parse(tool string, raw json.RawMessage) (Values, error) {
	v := Values{text: map[string]string{}, json: map[string]json.RawMessage{}, maps: map[string]map[string]string{}}
	given, err := decodeObject(raw)
	if err != nil {
		return v, &Error{[]string{"arguments: " + err.Error() + "; give a JSON object"}}
	}
	c := &call{tool: tool, set: s, given: given, values: v}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		c.argument(name, given[name])
	}
	for _, p := range s {
		if p.Required && !v.Has(p.Name) && !c.blamed[p.Name] {
			c.problem("%s needs %q: %s", tool, p.Name, p.hint())
		}
	}
	if len(c.problems) > 0 {
		return v, &Error{c.problems}
	}
	return v, nil
}

// decodeObject reads a JSON object; nothing at all is an empty one.
func decodeObject(raw json.RawMessage) (map[string]json.RawMessage, error) {
	given := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(raw)) == 0 {
		return given, nil
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, errors.New("not a JSON object")
	}
	return given, nil
}

// call is the check of one call.
type call struct {
	tool     string
	set      Set
	given    map[string]json.RawMessage
	values   Values
	problems []string
	blamed   map[string]bool // properties that a problem names already
}

func (c *call) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *call) blame(name string) {
	if c.blamed == nil {
		c.blamed = map[string]bool{}
	}
	c.blamed[name] = true
}

// argument takes one argument of the call.
func (c *call) argument(name string, raw json.RawMessage) {
	p := c.set.Find(name)
	if p == nil {
		p = c.set.Find(snake(name))
	}
	if p == nil {
		if key, ok := strings.CutPrefix(name, "custom_"); ok && key != "" && c.set.Find("custom") != nil {
			c.custom(key, raw)
			return
		}
		c.unknown(name)
		return
	}
	if c.values.Has(p.Name) && p.Type != Map {
		c.problem("%q is given twice", p.Name)
		return
	}
	if err := c.take(p, raw); err != nil {
		c.blame(p.Name)
		c.problem("%s: %s", p.Name, err)
	}
}

// take stores the value of a known argument.
func (c *call) take(p *Property, raw json.RawMessage) error {
	value, err := decode(raw)
	if err != nil {
		return err
	}
	if value == nil || value == "" {
		return nil
	}
	switch p.Type {
	case Object:
		return c.takeObject(p, raw, value)
	case Map:
		return c.takeMap(p, value)
	default:
		text, err := p.text(value)
		if err == nil && text != "" {
			c.values.text[p.Name] = text
		}
		return err
	}
}

func (c *call) takeObject(p *Property, raw json.RawMessage, value any) error {
	switch v := value.(type) {
	case map[string]any, []any:
		c.values.json[p.Name] = raw
		return nil
	case string:
		// Models often write an object as a string of JSON.
		inner, err := decode(json.RawMessage(v))
		if err == nil {
			switch inner.(type) {
			case map[string]any, []any:
				c.values.json[p.Name] = json.RawMessage(v)
				return nil
			}
		}
	}
	return errors.New("give a JSON object, " + p.hint())
}

func (c *call) takeMap(p *Property, value any) error {
	if text, ok := value.(string); ok {
		if inner, err := decode(json.RawMessage(text)); err == nil {
			value = inner
		}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return errors.New("give a JSON object of strings, " + p.hint())
	}
	for key, v := range object {
		text, err := listText(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if text != "" {
			c.setMap(p.Name, key, text)
		}
	}
	return nil
}

// custom takes a custom_<key> argument as the entry of the map "custom".
func (c *call) custom(key string, raw json.RawMessage) {
	value, err := decode(raw)
	if err == nil {
		var text string
		if text, err = listText(value); err == nil && text != "" {
			c.setMap("custom", key, text)
		}
	}
	if err != nil {
		c.problem("custom_%s: %s", key, err)
	}
}

func (c *call) setMap(name, key, text string) {
	if c.values.maps[name] == nil {
		c.values.maps[name] = map[string]string{}
	}
	c.values.maps[name][key] = text
}

// unknown reports an argument that the tool does not have, with the nearest
// one and the call as it should have been.
func (c *call) unknown(name string) {
	near := Nearest(name, c.set.Names())
	if near == "" {
		c.problem("unknown argument %q; %s takes: %s", name, c.tool, strings.Join(c.set.Names(), ", "))
		return
	}
	c.blame(near)
	c.problem("unknown argument %q, did you mean %q? Corrected call: %s %s", name, near, c.tool, c.renamed(name, near))
}

// renamed returns the arguments with one renamed.
func (c *call) renamed(from, to string) string {
	fixed := maps.Clone(c.given)
	delete(fixed, from)
	if _, taken := fixed[to]; !taken {
		fixed[to] = c.given[from]
	}
	out, err := json.Marshal(fixed)
	if err != nil || len(out) > 400 {
		return fmt.Sprintf("{%q: ...}", to)
	}
	return string(out)
}

// text returns the value of a scalar argument in its canonical spelling.
func (p *Property) text(value any) (string, error) {
	text, err := p.scalar(value)
	if err != nil || text == "" {
		return "", err
	}
	switch {
	case p.Type == Integer:
		return p.integer(text)
	case p.Type == Boolean:
		return boolean(text)
	case p.Convert != nil:
		return p.Convert(text)
	case len(p.Enum) > 0:
		return p.choice(text)
	case p.Type == List && p.Words != nil:
		return p.translate(text), nil
	}
	return text, nil
}

// scalar returns the text of a value that may be an array.
func (p *Property) scalar(value any) (string, error) {
	items, ok := value.([]any)
	switch {
	case !ok, p.Type == List:
		return listText(value)
	case len(items) == 1:
		return listText(items[0])
	default:
		return "", errors.New("give one value, " + p.hint())
	}
}

func (p *Property) integer(text string) (string, error) {
	text = strings.TrimSuffix(strings.TrimSpace(text), ".0")
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is not a whole number, %s", text, p.hint())
	case n < p.Min && p.Clamp:
		n = p.Min
	case n < p.Min:
		return "", fmt.Errorf("%d is too small; the least is %d", n, p.Min)
	case p.Max > 0 && n > p.Max && p.Clamp:
		n = p.Max
	case p.Max > 0 && n > p.Max:
		return "", fmt.Errorf("%d is too large; the most is %d", n, p.Max)
	}
	return strconv.Itoa(n), nil
}

func boolean(text string) (string, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "1":
		return "true", nil
	case "false", "no", "0":
		return "false", nil
	}
	return "", fmt.Errorf("%q is neither true nor false", text)
}

// choice returns the value of a closed set that text stands for.
func (p *Property) choice(text string) (string, error) {
	word := fold(text)
	if other, ok := p.Words[word]; ok {
		return other, nil
	}
	for _, valid := range p.Enum {
		if fold(valid) == word {
			return valid, nil
		}
	}
	if near := Nearest(word, p.Enum); near != "" {
		return "", fmt.Errorf("%q is not valid, did you mean %q? Valid: %s", text, near, strings.Join(p.Enum, ", "))
	}
	return "", fmt.Errorf("%q is not valid; use one of: %s", text, strings.Join(p.Enum, ", "))
}

// translate replaces the values of a list that have another spelling.
func (p *Property) translate(text string) string {
	values := strings.Split(text, "~~")
	for i, value := range values {
		if other, ok := p.Words[fold(value)]; ok {
			values[i] = other
		}
	}
	return strings.Join(values, "~~")
}

// hint says what a property wants.
func (p *Property) hint() string {
	if len(p.Enum) > 0 {
		return "one of " + strings.Join(p.Enum, ", ")
	}
	return strings.TrimSuffix(p.Description, ".")
}

// listText returns a scalar as text, or an array of scalars joined by ~~.
func listText(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			if _, nested := item.([]any); nested {
				return "", errors.New("give text or a list of texts")
			}
			text, err := listText(item)
			if err != nil {
				return "", err
			}
			if text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, "~~"), nil
	default:
		return "", errors.New("give text, not an object")
	}
}

// decode reads one JSON value with its numbers as they are written.
func decode(raw json.RawMessage) (any, error) {
	if len(raw) > 0 && raw[0] == '"' {
		// Most arguments are strings, for which a decoder is not worth its buffer.
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, errors.New("not JSON")
		}
		return text, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON")
	}
	return value, nil
}

// fold makes spellings comparable: case, and what separates words.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(text)))
}

// snake turns the spellings of a name that models borrow from elsewhere, such
// as selected-date and baseCurrency, into the one used here.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '-' || r == ' ':
			b.WriteByte('_')
		case r >= 'A' && r <= 'Z':
			if i > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r + 'a' - 'A')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
