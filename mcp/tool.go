package mcp

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
)

// tool is one tool of the catalog: what it says about itself and which
// requests it makes. Everything about a tool is data, so that laws over all
// tools can be tested.
type tool struct {
	name  string
	title string
	// description begins with a sentence that stands alone.
	description string
	// props are the arguments beside "action".
	props args.Set
	// actions are what the tool can do. One action without a name needs no
	// argument to choose it.
	actions []action
	// output is the JSON Schema of the structured result.
	output json.RawMessage
	// options adds to how an answer is shaped.
	options func(c *toolCall, o *answer.Options)
	// route corrects the request that the action's path and query give.
	route func(c *toolCall) error
	// check refuses calls whose arguments do not go together, and fills in
	// arguments that have a default.
	check func(c *toolCall) error
}

// action is one request that a tool can make.
type action struct {
	name   string
	method string
	// path is the route; {name} stands for an argument and is escaped.
	path string
	// only limits the action to some values of the argument "resource".
	only []string
	// query lists the arguments that are sent in the query, if given.
	query []string
	// local lists the arguments that the tool itself uses.
	local []string
	// needs lists the arguments that must be given beside those in path.
	needs []string
	// body says whether the argument "body" is sent.
	body bodyRule
	// irreversible is the question to ask before; {name} stands for an
	// argument. Empty for what can be undone.
	irreversible string
	// repeatable says that doing it twice is the same as once, for POST.
	repeatable bool
}

// bodyRule says what an action does with the argument "body".
type bodyRule uint8

const (
	noBody bodyRule = iota
	mayBody
	mustBody
)

func (a action) reads() bool { return a.method == http.MethodGet }

// placeholders returns the arguments in the path.
func (a action) placeholders() []string {
	var names []string
	for segment := range strings.SplitSeq(a.path, "/") {
		if name, ok := placeholder(segment); ok {
			names = append(names, name)
		}
	}
	return names
}

// placeholder returns the argument that a segment such as {id} or {type}.csv
// stands for.
func placeholder(segment string) (string, bool) {
	rest, ok := strings.CutPrefix(segment, "{")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "}")
	return name, ok
}

// uses reports whether the action does something with an argument.
func (a action) uses(name string) bool {
	switch name {
	case "action", "resource", "method", "max_tokens":
		return true
	case "body":
		return a.body != noBody
	case "confirm":
		return a.irreversible != ""
	}
	return slices.Contains(a.placeholders(), name) || slices.Contains(a.query, name) || slices.Contains(a.local, name)
}

// readOnly returns the tool with nothing but its reads, or false if it has
// none.
func (t tool) readOnly() (tool, bool) {
	all := len(t.actions)
	t.actions = slices.DeleteFunc(slices.Clone(t.actions), func(a action) bool { return !a.reads() })
	switch len(t.actions) {
	case 0:
		return t, false
	case all:
		return t, true
	}
	t.description += " This server only reads."
	t.props = slices.DeleteFunc(slices.Clone(t.props), func(p args.Property) bool {
		return !slices.ContainsFunc(t.actions, func(a action) bool { return a.uses(p.Name) })
	})
	for i, p := range t.props {
		if p.Name == "method" {
			t.props[i].Enum = []string{http.MethodGet}
		}
	}
	return t, true
}

// set returns the arguments of the tool, "action" among them.
func (t tool) set() args.Set {
	names := t.actionNames()
	if len(names) == 0 {
		return t.props
	}
	choice := args.Property{
		Name: "action", Required: true, Enum: names, Words: actionWords(names),
		Description: "What to do, e.g. " + names[0],
	}
	return append(args.Set{choice}, t.props...)
}

// actionNames returns the names of the actions, each once.
func (t tool) actionNames() []string {
	var names []string
	for _, a := range t.actions {
		if a.name != "" && !slices.Contains(names, a.name) {
			names = append(names, a.name)
		}
	}
	return names
}

// actionWords are other words that models use for the actions in names.
func actionWords(names []string) map[string]string {
	words := map[string]string{}
	for word, name := range map[string]string{
		"show": "get", "read": "get", "fetch": "get", "view": "get", "remove": "delete",
		"add": "create", "new": "create", "upsert": "create", "edit": "update", "set": "update",
		"ls": "list", "all": "list",
	} {
		if slices.Contains(names, name) && !slices.Contains(names, word) {
			words[word] = name
		}
	}
	return words
}

// definition returns the tool as clients see it.
func (t tool) definition() mcpgo.Tool {
	reads, destroys, repeatable := true, false, true
	for _, a := range t.actions {
		reads = reads && a.reads()
		destroys = destroys || a.irreversible != ""
		repeatable = repeatable && (a.method != http.MethodPost || a.repeatable)
	}
	closed := false
	return mcpgo.Tool{
		Name:            t.name,
		Title:           t.title,
		Description:     t.description,
		RawInputSchema:  t.set().Schema(),
		RawOutputSchema: t.output,
		Annotations: mcpgo.ToolAnnotation{
			Title:           t.title,
			ReadOnlyHint:    &reads,
			DestructiveHint: &destroys,
			IdempotentHint:  &repeatable,
			OpenWorldHint:   &closed,
		},
	}
}
