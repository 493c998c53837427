package config

import (
	"fmt"
	"io"
	"strings"
)

// clientSettings documents what LoadClient reads.
func clientSettings() []Setting {
	return []Setting{
		{Env: envAPIKey, Help: "API key of the account; `api_key` in `~/.growpanelrc` otherwise"},
		{Env: envAPIToken, Help: "the same, under the name that some client configurations use"},
		{Env: envAPIURL, Default: DefaultAPI, Help: "origin of the REST API; `api_url` in `~/.growpanelrc` otherwise. `growpanel serve mcp` requires it"},
	}
}

// testSettings documents what only the test suite reads.
func testSettings() []Setting {
	return []Setting{
		{Env: "GROWPANEL_GOLDEN_DIR", Help: "folder of the golden data sets; tests over them are skipped without it"},
		{Env: "GROWPANEL_BENCH_INVOICES", Default: "1000000", Help: "invoices of the company that the benchmarks over HTTP load"},
		{Env: "GROWPANEL_SOAK_COMPANIES", Default: "each law's own", Help: "random companies that the laws are tested over; `make soak` takes 10000"},
		{Env: "GROWPANEL_SOAK_STEPS", Default: "800", Help: "random steps of the model tests of the OAuth stores; `make soak` takes 50000"},
	}
}

// WritePage writes docs/env.md: every setting there is.
func WritePage(w io.Writer) error {
	var page strings.Builder
	page.WriteString(`<!-- Generated from package config by make generate. DO NOT EDIT. -->

# Settings

A flag wins over its variable, a variable over the default. An empty variable counts as unset. A wrong value stops
the program with the name of the setting and what would be right.

## growpanel serve

`)
	table(&page, serveSettings())
	table(&page, secretSettings())
	page.WriteString(`
` + "`growpanel serve api` and `growpanel serve mcp` take the flags that concern them; `growpanel mcp` and `growpanel-mcp`" + `
take the ones marked mcp.

## Clients of the API

Read by ` + "`growpanel mcp`, `growpanel-mcp` and `growpanel serve mcp`" + `.

`)
	table(&page, clientSettings())
	page.WriteString("\n## Tests\n\n")
	table(&page, testSettings())
	_, err := io.WriteString(w, page.String())
	return err
}

func table(page *strings.Builder, settings []Setting) {
	page.WriteString("| flag | variable | default | commands | meaning |\n|---|---|---|---|---|\n")
	for _, s := range settings {
		flag := ""
		if s.Flag != "" {
			flag = strings.TrimRight("`--"+s.Flag+" "+s.Kind, " ") + "`"
		}
		commands := make([]string, len(s.Commands))
		for i, command := range s.Commands {
			commands[i] = string(command)
		}
		fmt.Fprintf(page, "| %s | `%s` | %s | %s | %s |\n", flag, s.Env, s.Default, strings.Join(commands, ", "), s.Help)
	}
}
