package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document renders a YAML tree as compact JSON with the keys in the order they
// were written. Keys that begin with x-go- concern the Go code alone and are
// not published.
func document(n *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	if err := writeJSON(&out, n); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(out, n.Content[0])
	case yaml.AliasNode:
		return writeJSON(out, n.Alias)
	case yaml.MappingNode:
		return writeObject(out, n.Content)
	case yaml.SequenceNode:
		return writeArray(out, n.Content)
	default:
		return writeScalar(out, n)
	}
}

// writeObject takes keys and values by turns.
func writeObject(out *bytes.Buffer, pairs []*yaml.Node) error {
	out.WriteByte('{')
	first := true
	for i := 0; i < len(pairs); i += 2 {
		if strings.HasPrefix(pairs[i].Value, "x-go-") {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		if err := writeValue(out, pairs[i].Value); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := writeJSON(out, pairs[i+1]); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func writeArray(out *bytes.Buffer, items []*yaml.Node) error {
	out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeJSON(out, item); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

func writeScalar(out *bytes.Buffer, n *yaml.Node) error {
	// A bare date is a string to JSON, whatever YAML takes it for.
	if n.Tag == "!!timestamp" {
		return writeValue(out, n.Value)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return writeValue(out, v)
}

func writeValue(out *bytes.Buffer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the newline that Encode adds
	return nil
}
