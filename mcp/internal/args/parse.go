package args

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// Error lists everything that is wrong with the arguments of a call, for the
// model to correct.
type Error struct{ Problems []string }

// Error joins the problems.
func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// Parse reads the arguments of a call to tool against the set. Its error is an
// *Error.
func (s Set) Parse(tool string, raw json.RawMessage) (*Values, error) {
	v := &Values{text: make([]entry, 0, 8)}
	given, err := members(raw)
	if err != nil {
		return v, &Error{[]string{"arguments: " + err.Error() + "; give a JSON object"}}
	}
	c := &call{tool: tool, set: s, given: given, values: v}
	for i := range given {
		c.argument(&given[i])
	}
	for i := range s {
		if p := &s[i]; p.Required && !v.Has(p.Name) && !c.blamed[p.Name] {
			c.problem("%s needs %q: %s", tool, p.Name, p.hint())
		}
	}
	if len(c.problems) > 0 {
		return v, &Error{c.problems}
	}
	return v, nil
}

// argument is one member of the object of arguments.
type argument struct {
	name string
	kind jsonscan.Kind // of the token that begins the value
	raw  json.RawMessage
	text string // of scalars
}

// members reads the members of an object, in the order of their names; nothing
// at all is an empty one. Some clients send the object as a string of JSON.
func members(raw json.RawMessage) ([]argument, error) {
	s := jsonscan.NewScanner(raw)
	switch s.Next() {
	case jsonscan.ObjectStart:
	case jsonscan.Null: // as some clients send for no arguments
		return nil, nil
	case jsonscan.String:
		if inner := bytes.TrimSpace(s.AppendString(nil)); len(inner) > 0 && inner[0] == '{' {
			return members(inner)
		}
		return nil, errNoObject
	default:
		if len(bytes.TrimSpace(raw)) == 0 {
			return nil, nil
		}
		return nil, errNoObject
	}
	given := make([]argument, 0, 8)
	for {
		switch s.Next() {
		case jsonscan.ObjectEnd:
			if s.Next() != jsonscan.End {
				return nil, errNoObject
			}
			slices.SortFunc(given, func(a, b argument) int { return strings.Compare(a.name, b.name) })
			return given, nil
		case jsonscan.Key:
		default:
			return nil, errNoObject
		}
		a := argument{name: s.String()}
		a.kind = s.Next()
		start := s.Start()
		switch a.kind {
		case jsonscan.String:
			a.text = strings.TrimSpace(s.String())
		case jsonscan.Number, jsonscan.True, jsonscan.False:
			a.text = string(s.Raw())
		default:
			if !s.Skip(a.kind) {
				return nil, errNoObject
			}
		}
		a.raw = raw[start:s.Offset()]
		given = append(given, a)
	}
}

var errNoObject = errors.New("not a JSON object")

// call is the check of one call.
type call struct {
	tool     string
	set      Set
	given    []argument
	values   *Values
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
func (c *call) argument(a *argument) {
	p := c.set.Find(a.name)
	if p == nil {
		p = c.set.Find(snake(a.name))
	}
	if p == nil {
		if key, ok := customKey(a.name); ok && c.set.Find("custom") != nil {
			c.custom(key, a.raw)
			return
		}
		c.unknown(a.name)
		return
	}
	if c.values.Has(p.Name) && p.Type != Map {
		c.problem("%q is given twice", p.Name)
		return
	}
	if err := c.take(p, a); err != nil {
		c.blame(p.Name)
		c.problem("%s: %s", p.Name, err)
	}
}

// customKey returns the custom variable that an argument names: custom_<key>, or
// one of those that the API takes without a prefix.
func customKey(name string) (string, bool) {
	switch name {
	case "industry", "channel", "size":
		return name, true
	}
	key, ok := strings.CutPrefix(name, "custom_")
	return key, ok && key != ""
}

// take stores the value of a known argument.
func (c *call) take(p *Property, a *argument) error {
	switch {
	case a.kind == jsonscan.Null || a.kind == jsonscan.String && a.text == "":
		return nil
	case p.Type == Object:
		return c.takeObject(p, a)
	case p.Type == Map:
		value, err := decode(a.raw)
		if err != nil {
			return err
		}
		return c.takeMap(p, value)
	}
	text := a.text
	if a.kind == jsonscan.ObjectStart || a.kind == jsonscan.ArrayStart {
		value, err := decode(a.raw)
		if err != nil {
			return err
		}
		if text, err = p.scalar(value); err != nil || text == "" {
			return err
		}
	}
	text, err := p.canonical(text)
	if err == nil && text != "" {
		c.values.text = append(c.values.text, entry{p.Name, text})
	}
	return err
}

func (c *call) takeObject(p *Property, a *argument) error {
	raw := a.raw
	if a.kind == jsonscan.String {
		raw = json.RawMessage(a.text) // models often write an object as a string of JSON
	}
	s := jsonscan.NewScanner(raw)
	kind := s.Next()
	if kind != jsonscan.ObjectStart && kind != jsonscan.ArrayStart || !s.Skip(kind) || s.Next() != jsonscan.End {
		return errors.New("give a JSON object, " + p.hint())
	}
	if c.values.json == nil {
		c.values.json = map[string]json.RawMessage{}
	}
	c.values.json[p.Name] = raw
	return nil
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
	if c.values.maps == nil {
		c.values.maps = map[string]map[string]string{}
	}
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
	fixed := map[string]json.RawMessage{}
	for _, a := range c.given {
		fixed[a.name] = a.raw
	}
	wrong := fixed[from]
	delete(fixed, from)
	if _, taken := fixed[to]; !taken {
		fixed[to] = wrong
	}
	out, err := json.Marshal(fixed)
	if err != nil || len(out) > 400 {
		return fmt.Sprintf("{%q: ...}", to)
	}
	return string(out)
}

// canonical returns the text of a scalar argument in its canonical spelling.
func (p *Property) canonical(text string) (string, error) {
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
		return "", fmt.Errorf("%q is not a whole number; %s", text, p.hint())
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
	if slices.Contains(p.Enum, text) {
		return text, nil
	}
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
