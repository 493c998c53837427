// Command contractgen turns openapi/growpanel.yaml into the files that the
// product embeds: the document as JSON, and the table of operations with the
// unit of each response field. The product itself then needs no YAML parser.
//
// Usage: contractgen DIR, where DIR holds growpanel.yaml.
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
	if len(args) != 1 {
		return errors.New("usage: contractgen DIR")
	}
	dir := args[0]
	text, err := os.ReadFile(filepath.Join(dir, "growpanel.yaml"))
	if err != nil {
		return err
	}
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
	var c contract
	if err := yaml.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("read growpanel.yaml: %w", err)
	}
	table, err := c.table()
	if err != nil {
		return fmt.Errorf("write unit table: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "units.gen.go"), table, 0o644)
}
