// Package metrics holds the definitions of all reports: one page each, with a
// formula, what counts, edge cases, units and a worked example that a test
// executes.
package metrics

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:generate go run ./refdoc reference.md

//go:embed definitions/*.md
var files embed.FS

// Definition is the page of one report.
type Definition struct {
	Name    string // of the report
	Summary string // what it says, in one sentence of plain text
	Text    string // the page, in Markdown
	Example string // the script in it, in the language of package reporttest
}

const (
	fence    = "```"
	language = fence + "report\n"
)

// Definitions returns all pages in the order of their names. It panics when one
// is malformed: they are part of the program.
func Definitions() []Definition {
	names, err := fs.Glob(files, "definitions/*.md")
	if err != nil {
		panic(err)
	}
	all := make([]Definition, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		d, err := parse(strings.TrimSuffix(path.Base(name), ".md"), string(text))
		if err != nil {
			panic(fmt.Sprintf("definition %s: %v", name, err))
		}
		all = append(all, d)
	}
	return all
}

// sections are what every page has, in this order.
var sections = [...]string{"Formula", "Counts", "Edge cases", "Units", "Example"}

func parse(name, text string) (Definition, error) {
	d := Definition{Name: name, Text: text}
	rest, ok := strings.CutPrefix(text, "# "+name+"\n\n")
	if !ok {
		return d, errors.New("it does not begin with its name")
	}
	summary, rest, _ := strings.Cut(rest, "\n\n")
	d.Summary = strings.ReplaceAll(summary, "\n", " ")
	for _, section := range sections {
		if _, rest, ok = strings.Cut(rest, "**"+section+".**"); !ok {
			return d, fmt.Errorf("%q is missing, or in another place", section)
		}
	}
	_, script, ok := strings.Cut(rest, language)
	if !ok {
		return d, errors.New("the example has no script")
	}
	d.Example, _, ok = strings.Cut(script, fence)
	if !ok {
		return d, errors.New("the script does not end")
	}
	return d, nil
}
