// Command toolsdoc writes the reference page of the MCP tools to the file
// named by its argument.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/growpanel/growpanel-mcp/mcp"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "toolsdoc:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	if len(files) != 1 {
		return fmt.Errorf("want the file to write, got %d arguments", len(files))
	}
	var page bytes.Buffer
	if err := mcp.WriteReference(&page); err != nil {
		return err
	}
	return os.WriteFile(files[0], page.Bytes(), 0o644) //nolint:gosec // a page of the public documentation
}
