// Package docs draws the API's contract as a page for people: every operation
// with its parameters, bodies and answers, and a form to try it out against the
// server that serves the page. It needs nothing from anywhere else.
package docs

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed assets
var assets embed.FS

// policy lets the page load its own files and call its own server, nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page is the drawn contract.
type Page struct{ html []byte }

// New draws an OpenAPI 3.1 document given as JSON.
func New(contract []byte) (*Page, error) {
	d, err := parse(contract)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	tmpl, err := template.New("page").Funcs(template.FuncMap{"prose": prose, "blocks": blocks}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	var html bytes.Buffer
	if err := tmpl.Execute(&html, d.view()); err != nil {
		return nil, fmt.Errorf("draw the contract: %w", err)
	}
	return &Page{html: html.Bytes()}, nil
}

// Document serves the page.
func (p *Page) Document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(p.html) // the client may have left
}

// Asset serves a file that the page needs; its name is the path value "name".
func (p *Page) Asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := map[string]string{"docs.css": "text/css; charset=utf-8", "docs.js": "text/javascript; charset=utf-8"}[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(text) //nolint:gosec // G705: a file of the program; the client may have left
}

// view is what the template draws.
type view struct {
	Title, Description string
	Groups             []group
}

type group struct {
	Name, Description, Anchor string
	Operations                []operationView
}

type operationView struct {
	Anchor, Method, Path, Summary, Description string
	Public                                     bool
	Parameters                                 []parameterView
	Body                                       *bodyView
	Answers                                    []answerView
}

type parameterView struct {
	Name, In, Type, Description, Example string
	Required                             bool
	Values                               []string
}

type bodyView struct {
	Description, Example string
	Fields               []fieldView
}

type answerView struct {
	Status, Description string
	Fields              []fieldView
}

// fieldView is one field of a body, Depth deep.
type fieldView struct {
	Name, Type, Unit, Description string
	Depth                         int
	Required                      bool
}

func (d *document) view() view {
	v := view{Title: d.Info.Title, Description: d.Info.Description}
	for _, tag := range d.Tags {
		v.Groups = append(v.Groups, group{Name: tag.Name, Description: tag.Description, Anchor: "group-" + strings.ToLower(tag.Name)})
	}
	for _, p := range d.Paths {
		for _, method := range [...]string{"get", "post", "put", "delete"} {
			op, ok := p.value[method]
			if !ok || len(op.Tags) == 0 {
				continue
			}
			i := slices.IndexFunc(v.Groups, func(g group) bool { return g.Name == op.Tags[0] })
			if i >= 0 {
				v.Groups[i].Operations = append(v.Groups[i].Operations, d.operation(method, p.name, op))
			}
		}
	}
	v.Groups = slices.DeleteFunc(v.Groups, func(g group) bool { return len(g.Operations) == 0 })
	return v
}

func (d *document) operation(method, at string, op operation) operationView {
	v := operationView{
		Anchor: op.OperationID, Method: strings.ToUpper(method), Path: at, Summary: op.Summary, Description: op.Description,
		Public: op.Security != nil && len(*op.Security) == 0,
	}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[path.Base(p.Ref)]
		}
		v.Parameters = append(v.Parameters, d.parameter(p))
	}
	if op.RequestBody != nil {
		v.Body = d.body(*op.RequestBody)
	}
	for _, r := range op.Responses {
		status, answer := r.name, r.value
		if answer.Ref != "" {
			answer = d.Components.Responses[path.Base(answer.Ref)]
		}
		a := answerView{Status: status, Description: answer.Description}
		if status[0] == '2' {
			a.Fields = d.fields(answer.Content["application/json"].Schema, 0)
		}
		v.Answers = append(v.Answers, a)
	}
	return v
}

func (d *document) parameter(p parameter) parameterView {
	s := d.resolve(p.Schema)
	v := parameterView{Name: p.Name, In: p.In, Type: s.word(), Description: p.Description, Required: p.Required}
	for _, value := range s.Enum {
		v.Values = append(v.Values, text(value))
	}
	for _, example := range append([]json.RawMessage{p.Example}, s.Examples...) {
		if len(example) > 0 {
			v.Example = text(example)
			break
		}
	}
	return v
}

func (d *document) body(b body) *bodyView {
	if b.Ref != "" {
		b = d.Components.RequestBodies[path.Base(b.Ref)]
	}
	s := d.resolve(b.Content["application/json"].Schema)
	for len(s.Properties) == 0 && len(s.OneOf) > 0 {
		s = d.resolve(s.OneOf[0])
	}
	v := &bodyView{Description: b.Description, Fields: d.fields(s, 0)}
	if len(s.Example) > 0 {
		var indented bytes.Buffer
		if json.Indent(&indented, s.Example, "", "  ") == nil {
			v.Example = indented.String()
		}
	}
	return v
}

// deepest is how far fields are listed: deeper ones are told by their parent.
const deepest = 4

// fields lists the fields of a schema and, below each, its own.
func (d *document) fields(s schema, depth int) []fieldView {
	s = d.resolve(s)
	if depth > deepest {
		return nil
	}
	var list []fieldView
	for _, part := range s.AllOf {
		list = append(list, d.fields(part, depth)...)
	}
	if s.Items != nil {
		return append(list, d.fields(*s.Items, depth)...)
	}
	for _, m := range s.Properties {
		inner := d.resolve(m.value)
		list = append(list, fieldView{
			Name: m.name, Type: inner.word(), Unit: inner.Unit, Depth: depth, Required: slices.Contains(s.Required, m.name),
			Description: cmp.Or(m.value.Description, inner.Description),
		})
		list = append(list, d.fields(inner, depth+1)...)
	}
	return list
}

// text is a JSON value as a person writes it.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
