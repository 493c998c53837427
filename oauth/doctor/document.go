package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// document is a metadata document.
type document map[string]any

func (d document) text(name string) string {
	text, _ := d[name].(string)
	return text
}

func (d document) yes(name string) bool {
	yes, _ := d[name].(bool)
	return yes
}

func (d document) list(name string) []string {
	values, _ := d[name].([]any)
	var list []string
	for _, v := range values {
		if text, ok := v.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

// empty lists the members that are null or "", which several clients cannot
// decode: what does not apply must be left out.
func (d document) empty() []string {
	var names []string
	for name, value := range d {
		if value == nil || value == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fetch reads a document as clients do, or says what is wrong.
func (e *examination) fetch(ctx context.Context, at string) (d document, problem, mend string) {
	a, err := e.send(ctx, http.MethodGet, at, nil, "Accept", "application/json", "MCP-Protocol-Version", testVersion)
	if err != nil {
		problem, mend = unreachable(err)
		return nil, at + ": " + problem, mend
	}
	const pass = "let everything below /.well-known/ reach the server, without sign-in, cache or rewriting"
	switch {
	case a.status != http.StatusOK:
		return nil, fmt.Sprintf("%s is answered with %d (%s)", at, a.status, a.says()), pass
	case !a.isJSON():
		return nil, fmt.Sprintf("%s is %s, not JSON (%s)", at, a.header.Get("Content-Type"), a.says()), pass
	}
	if err := json.Unmarshal(a.body, &d); err != nil {
		return nil, at + " is not a JSON object", pass
	}
	if a.took > slow {
		return d, fmt.Sprintf("%s took %s; hosted clients give up after 10 s", at, a.took), "find out what is slow"
	}
	return d, "", ""
}
