// Command contractgen turns openapi/growpanel.yaml into Go code and into what the
// product embeds, so that the product itself needs no YAML parser:
//
//	contractgen document DIR	the document as JSON, and the table of operations
//					with the unit of each response field
//	contractgen encoders DIR	code that writes the answers of reports as JSON
//
// DIR holds growpanel.yaml. Encoders are written for the models in
// DIR/wire/client.gen.go, which must be generated before.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "contractgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: contractgen document|encoders DIR")
	}
	dir := args[1]
	text, err := os.ReadFile(filepath.Join(dir, "growpanel.yaml"))
	if err != nil {
		return err
	}
	var c contract
	if err := yaml.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("read growpanel.yaml: %w", err)
	}
	switch args[0] {
	case "document":
		return writeDocument(dir, text, &c)
	case "encoders":
		return writeEncoders(filepath.Join(dir, "wire"), &c)
	default:
		return fmt.Errorf("no such command: %s", args[0])
	}
}

func writeDocument(dir string, text []byte, c *contract) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read growpanel.yaml: %w", err)
	}
	published, err := document(&doc)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "growpanel.gen.json"), published, 0o644); err != nil {
		return err
	}
	table, err := c.table()
	if err != nil {
		return fmt.Errorf("write unit table: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "units.gen.go"), table, 0o644)
}

func writeEncoders(dir string, c *contract) error {
	roots, err := c.reportAnswers()
	if err != nil {
		return err
	}
	m, err := readModels(filepath.Join(dir, "client.gen.go"))
	if err != nil {
		return err
	}
	code, err := m.encoders(roots)
	if err != nil {
		return fmt.Errorf("write encoders: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "encode.gen.go"), code, 0o644)
}
