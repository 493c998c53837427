package pages

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// element is one element of a page, in the order of the document.
type element struct {
	name  string
	attrs map[string]string
	text  string // of itself and all inside
	up    *element
}

func (e *element) inside(name string) bool {
	for up := e.up; up != nil; up = up.up {
		if up.name == name {
			return true
		}
	}
	return false
}

// render returns a page as it is sent.
func render(t *testing.T, v View) *httptest.ResponseRecorder {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := r.Write(w, 200, v); err != nil {
		t.Fatal(err)
	}
	return w
}

// parse reads a page. The templates close all their elements, so that this
// needs no HTML parser; what does not nest fails.
func parse(t *testing.T, page string) []*element {
	t.Helper()
	page = cutElement(cutElement(page, "style"), "script")
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Entity = xml.HTMLEntity
	var all []*element
	var at *element
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}, up: at}
			for _, attr := range token.Attr {
				e.attrs[attr.Name.Local] = attr.Value
			}
			all, at = append(all, e), e
		case xml.EndElement:
			at = at.up
		case xml.CharData:
			for e := at; e != nil; e = e.up {
				e.text += string(token)
			}
		}
	}
}

// cutElement removes what is between the tags of an element that occurs once.
func cutElement(page, name string) string {
	before, rest, found := strings.Cut(page, "<"+name+">")
	_, after, closed := strings.Cut(rest, "</"+name+">")
	if !found || !closed {
		return page
	}
	return before + "<" + name + "></" + name + ">" + after
}

// contentOf is what cutElement removes.
func contentOf(page, name string) string {
	_, rest, _ := strings.Cut(page, "<"+name+">")
	content, _, _ := strings.Cut(rest, "</"+name+">")
	return content
}

func named(all []*element, names ...string) []*element {
	var found []*element
	for _, e := range all {
		if slices.Contains(names, e.name) {
			found = append(found, e)
		}
	}
	return found
}
