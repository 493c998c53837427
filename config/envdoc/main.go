// Command envdoc writes the reference page of all settings to the file that its
// argument names.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/growpanel/growpanel-mcp/config"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "envdoc:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want one argument, the file to write")
	}
	var page bytes.Buffer
	if err := config.WritePage(&page); err != nil {
		return err
	}
	return os.WriteFile(args[0], page.Bytes(), 0o644) //nolint:gosec // G306: a page for everybody
}
