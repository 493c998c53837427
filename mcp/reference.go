package mcp

import (
	"fmt"
	"io"
	"strings"

	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

//go:generate go run ./internal/toolsdoc ../docs/tools.md

// WriteReference writes docs/tools.md: every tool with its arguments and the
// requests that it makes.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, t := range tools() {
		writeTool(&b, t)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const referenceHead = `# MCP tools

Generated from the catalog in package mcp by ` + "`make generate`" + `; edit that instead.

Every tool refuses arguments that it does not know or would not use, names the nearest one that it does know, and takes common other spellings: ` + "`\"50\"`" + ` for 50, a list where one value is expected and the other way round, ` + "`monthly`" + ` for ` + "`month`" + `, ` + "`baseCurrency`" + ` for ` + "`base_currency`" + `.

**Dates** are written as people do: ` + "`2026`, `2026-Q1`, `2026-H1`, `2026-03`, `March 2026`, `2026-03-15`, `2026-01-01..2026-03-31`, `last-12-months`, `last 30 days`, `last-quarter`, `this-year`, `ytd`, `yesterday`, `all`" + `. Words that depend on today are resolved by the API in the account's time zone; the answer says the days.

**Answers** come twice: as text with tables of tab-separated values, complete on its own, and as a structured object with ` + "`rows`" + ` (the list) and ` + "`data`" + ` (everything else). Both say the range of days, the time zone, the currency and the arguments that took effect, and for lists how many rows there are in all (` + "`total`" + `), whether this is all of it (` + "`complete`" + `), and the ` + "`offset`" + ` of the rest (` + "`next`" + `). Answers are cut at about 4,000 tokens of text, or ` + "`max_tokens`" + ` up to 20,000, and say so.

**Amounts** in answers are JSON numbers in display units, written with exactly the decimals of their currency (none for JPY and 17 others, three for KWD and 6 others, two for the rest) and never computed in floating point. ` + "`units`" + ` in the structured object names the fields that hold money or percent; money of a row in its own currency is marked. Amounts in a request body, and in CSV files, are minor units as in the API. A field that neither the contract nor the documentation of the API describes is left as it came, and the answer names it.

**Read-only mode** (` + "`--read-only`" + `) offers the actions marked as reads alone. Actions that cannot be undone ask the user where the client can be asked and otherwise need ` + "`confirm: true`" + `.

`

func writeTool(b *strings.Builder, t tool) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", t.name, escapeMarkdown(t.description))
	if len(t.set()) > 0 {
		b.WriteString("| Argument | Type | |\n|---|---|---|\n")
	}
	for _, p := range t.set() {
		fmt.Fprintf(b, "| `%s`%s | %s | %s |\n", p.Name, map[bool]string{true: " *"}[p.Required], typeWord(p), propertyText(p))
	}
	b.WriteString("\n| Action | Request | |\n|---|---|---|\n")
	for _, a := range t.actions {
		path := a.path
		if path == "" {
			path = "{path}"
		}
		fmt.Fprintf(b, "| %s | `%s /%s` | %s |\n", a.name, a.method, path, strings.Join(actionMarks(a), ", "))
	}
	b.WriteString("\n")
}

func typeWord(p args.Property) string {
	switch p.Type {
	case args.Integer:
		return "integer"
	case args.Boolean:
		return "boolean"
	case args.Object:
		return "object"
	case args.Map:
		return "object of strings"
	case args.List:
		return "one or several"
	case args.String:
	}
	return "string"
}

func propertyText(p args.Property) string {
	text := escapeMarkdown(p.Description)
	if len(p.Enum) > 0 {
		text += "; `" + strings.Join(p.Enum, "`, `") + "`"
	}
	return text
}

// actionMarks says what is special about an action.
func actionMarks(a action) []string {
	marks := []string{}
	if a.reads() {
		marks = append(marks, "reads")
	}
	if a.body == mustBody {
		marks = append(marks, "needs `body`")
	}
	if a.irreversible != "" {
		marks = append(marks, "cannot be undone")
	}
	if len(a.only) > 0 {
		marks = append(marks, "for "+strings.Join(a.only, ", "))
	}
	return marks
}

// escapeMarkdown keeps text from being taken for markup or the end of a cell.
func escapeMarkdown(text string) string {
	return strings.NewReplacer("|", `\|`, "~", `\~`, "<", `\<`, "_", `\_`).Replace(text)
}
