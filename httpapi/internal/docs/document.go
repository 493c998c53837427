package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// document is what the page needs of an OpenAPI document.
type document struct {
	Info  struct{ Title, Description string }
	Tags  []struct{ Name, Description string }
	Paths ordered[map[string]operation] // by method in lower case

	Components struct {
		Parameters    map[string]parameter
		RequestBodies map[string]body
		Responses     map[string]response
		Schemas       map[string]schema
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Tags        []string
	Summary     string
	Description string
	Security    *[]json.RawMessage
	Parameters  []parameter
	RequestBody *body `json:"requestBody"`
	Responses   ordered[response]
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name, In    string
	Description string
	Required    bool
	Example     json.RawMessage
	Schema      schema
}

type body struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]media
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]media
}

type media struct{ Schema schema }

type schema struct {
	Ref         string `json:"$ref"`
	Type        words
	Format      string
	Description string
	Unit        string `json:"x-unit"`
	Enum        []json.RawMessage
	Example     json.RawMessage
	Examples    []json.RawMessage
	Required    []string
	Properties  ordered[schema]
	Items       *schema
	AllOf       []schema `json:"allOf"`
	OneOf       []schema `json:"oneOf"`
}

// word is the type of a value in words.
func (s *schema) word() string {
	if s.Items != nil {
		return "list of " + strings.TrimPrefix(s.Items.word(), "list of ")
	}
	word := strings.Join(s.Type, " or ")
	if word == "" {
		word = "object"
	}
	if s.Format == "date" || s.Format == "date-time" {
		word += ", " + s.Format
	}
	return word
}

// words is a type, or a list of them.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(w))
}

// ordered is an object whose members keep the order in which they are written.
type ordered[T any] []entry[T]

type entry[T any] struct {
	name  string
	value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value T
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*o = append(*o, entry[T]{fmt.Sprint(name), value})
	}
	return nil
}

func parse(contract []byte) (*document, error) {
	var d document
	if err := json.Unmarshal(contract, &d); err != nil {
		return nil, err
	}
	return &d, nil
}

// resolve follows references to components.
func (d *document) resolve(s schema) schema {
	for range 10 {
		if s.Ref == "" {
			return s
		}
		s = d.Components.Schemas[path.Base(s.Ref)]
	}
	return s
}
