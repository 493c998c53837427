package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/growpanel/growpanel-mcp/internal/demo"
)

// announce prints how to reach the demo, and what to paste into AI clients. The
// MCP endpoint's address is empty when only the API is served.
func announce(w io.Writer, company *demo.Company, api, mcp string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s: %d customers and %d invoices since %s\n\n",
		demo.Name, len(company.Customers), len(company.Invoices), company.Invoices[0].Date)
	if mcp != "" {
		fmt.Fprintf(&text, "  MCP endpoint  %s/mcp\n", mcp)
	}
	fmt.Fprintf(&text, "  REST API      %s\n  API key       %s\n  Sign in       %s with the password %s\n\n", api, demoKey, demoUser, demoPassword)
	if mcp != "" {
		text.WriteString("Clients that connect by URL (Cursor and others):\n\n")
		if err := writeConfig(&text, clientEntry{
			URL: mcp + "/mcp", Headers: map[string]string{"Authorization": "Bearer " + demoKey},
		}); err != nil {
			return err
		}
	}
	text.WriteString("Clients that start a program (Claude Desktop and others):\n\n")
	if err := writeConfig(&text, clientEntry{
		Command: executable(), Args: []string{"mcp"},
		Env: map[string]string{"GROWPANEL_API_URL": api, "GROWPANEL_API_KEY": demoKey},
	}); err != nil {
		return err
	}
	text.WriteString("Then ask: What is our MRR, and how did it change over the last 12 months?\n\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// clientEntry is one server in an AI client's configuration.
type clientEntry struct {
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

func writeConfig(text *strings.Builder, entry clientEntry) error {
	block, err := json.MarshalIndent(map[string]map[string]clientEntry{"mcpServers": {"growpanel": entry}}, "  ", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(text, "  %s\n\n", block)
	return nil
}

func executable() string {
	path, err := os.Executable()
	if err != nil {
		return "growpanel" // found by PATH
	}
	return path
}
