package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/oauth/doctor"
)

// errUnhealthy ends a command whose output has said what is wrong.
var errUnhealthy = errors.New("not everything is well: see above")

// doctor examines a data folder or, given a URL, a server.
func (p process) doctor() *cobra.Command {
	var key string
	var register bool
	cmd := &cobra.Command{
		Use:   "doctor [URL]",
		Short: "Find out what is wrong with a data folder or, given its URL, with a server",
		Long: "With the URL of an MCP endpoint, sends what Claude, ChatGPT, Cursor, VS Code and mcp-remote\n" +
			"send before a person sees the first page, and says what would fail and how to mend it. Works\n" +
			"on any deployment, with whatever stands before it, and needs nothing but its URL.\n\n" +
			"Without a URL, checks the data folder: every page of its data files, who uses it, its modes,\n" +
			"the exchange rates. A running server is not disturbed.",
		Example: "  growpanel admin doctor https://mcp.example.com/mcp\n  growpanel admin doctor --data ./growpanel-data",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.examineFolder(cmd)
			}
			transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second}
			defer transport.CloseIdleConnections()
			report, err := doctor.Run(cmd.Context(), doctor.Config{
				URL: args[0], HTTP: &http.Client{Transport: transport, Timeout: 20 * time.Second}, Register: register, Now: p.now, Key: key,
			})
			if err != nil {
				return err
			}
			return writeReport(p.out, report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&key, "api-key", "", "also check that this `KEY` is good as a bearer token")
	flags.BoolVar(&register, "register", true, "register clients as they do; the server forgets them when nobody uses them")
	addSettings(flags, config.Admin)
	return cmd
}

// writeReport tells the checks one by one, then what it means for each client.
func writeReport(w io.Writer, r *doctor.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.URL)
	for _, f := range r.Findings {
		switch {
		case f.Problem == "":
			fmt.Fprintf(&b, "  ok    %s\n", f.Check)
			continue
		case len(f.Fails) > 0:
			fmt.Fprintf(&b, "  FAIL  %s: %s\n", f.Check, f.Problem)
		default:
			fmt.Fprintf(&b, "  note  %s: %s\n", f.Check, f.Problem)
		}
		if f.Mend != "" {
			fmt.Fprintf(&b, "        To mend it: %s.\n", f.Mend)
		}
	}
	b.WriteString("\n")
	for _, client := range doctor.Clients {
		verdict := "connects"
		for _, f := range r.Findings {
			if slices.Contains(f.Fails, client) {
				verdict = "fails at " + f.Check
				break
			}
		}
		fmt.Fprintf(&b, "  %-10s  %s\n", client, verdict)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if !r.Healthy() {
		return errUnhealthy
	}
	return nil
}
