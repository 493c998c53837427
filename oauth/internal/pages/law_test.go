package pages

import (
	"html/template"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// everyPage runs a law over all samples.
func everyPage(t *testing.T, law func(t *testing.T, all []*element)) {
	t.Helper()
	for name, view := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			law(t, parse(t, render(t, view).Body.String()))
		})
	}
}

func TestPages_HaveOneHeadingOneMainAndATitle(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*element) {
		for _, name := range []string{"h1", "main", "header", "footer", "title"} {
			found := named(all, name)
			if name == "header" {
				found = slices.DeleteFunc(found, func(e *element) bool { return e.inside("main") })
			}
			if len(found) != 1 || strings.TrimSpace(found[0].text) == "" {
				t.Errorf("the page has %d of %s, want one that says something", len(found), name)
			}
		}
		if all[0].name != "html" || all[0].attrs["lang"] != "en" {
			t.Errorf("the page does not say its language: %v", all[0].attrs)
		}
		level := 1
		for _, h := range named(all, "h1", "h2", "h3", "h4") {
			next := int(h.name[1] - '0')
			if next > level+1 {
				t.Errorf("%q is an %s after an h%d", h.text, h.name, level)
			}
			level = next
		}
	})
}

func TestPages_ControlsHaveNames(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*element) {
		labels := map[string]bool{}
		for _, label := range named(all, "label") {
			labels[label.attrs["for"]] = true
		}
		for _, input := range named(all, "input") {
			if input.attrs["type"] == "" || input.attrs["name"] == "" {
				t.Errorf("an input lacks its type or name: %v", input.attrs)
			}
			if input.attrs["type"] != "hidden" && !input.inside("label") && !labels[input.attrs["id"]] {
				t.Errorf("the input %s has no label", input.attrs["name"])
			}
		}
		for _, control := range named(all, "button", "a", "summary", "legend") {
			if strings.TrimSpace(control.text) == "" {
				t.Errorf("%s %v says nothing", control.name, control.attrs)
			}
		}
		for _, button := range named(all, "button") {
			if button.attrs["type"] == "" {
				t.Errorf("the button %q has no type", button.text)
			}
		}
		for _, image := range named(all, "svg") {
			if image.attrs["aria-hidden"] != "true" {
				t.Error("a picture is announced, though the text beside it says the same")
			}
		}
		for _, group := range named(all, "fieldset") {
			if !slices.ContainsFunc(all, func(e *element) bool { return e.name == "legend" && e.up == group }) {
				t.Error("a group of controls has no legend")
			}
		}
	})
}

func TestPages_IDsAreUniqueAndFound(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*element) {
		seen := map[string]bool{}
		for _, e := range all {
			id := e.attrs["id"]
			if id != "" && seen[id] {
				t.Errorf("the id %q is used twice", id)
			}
			seen[id] = true
		}
		for _, e := range all {
			for _, reference := range []string{"for", "aria-describedby", "data-copy"} {
				for id := range strings.FieldsSeq(e.attrs[reference]) {
					if !seen[id] {
						t.Errorf("%s=%q of %s names nothing", reference, id, e.name)
					}
				}
			}
		}
	})
}

// A page must work under its policy, ask nothing of other hosts and send
// nothing without its token.
func TestPages_AskNothingOfOthers(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*element) {
		for _, e := range all {
			for attr, value := range e.attrs {
				if strings.HasPrefix(attr, "on") || attr == "style" || attr == "src" || attr == "srcset" || attr == "formaction" {
					t.Errorf("%s has the attribute %s", e.name, attr)
				}
				local := strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//")
				if attr == "action" && !local {
					t.Errorf("a form posts to %q", value)
				}
				if attr == "href" && e.name == "link" && !strings.HasPrefix(value, "data:image/svg+xml,") {
					t.Errorf("the page loads %q", value)
				}
				if attr == "href" && e.name == "a" && !local && !strings.HasPrefix(value, "#") && !leadsOut(value) {
					t.Errorf("a link leads to %q", value)
				}
			}
		}
		for _, form := range named(all, "form") {
			if form.attrs["method"] != "post" {
				t.Errorf("the form %s is sent with %q", form.attrs["action"], form.attrs["method"])
			}
			if !slices.ContainsFunc(all, func(e *element) bool {
				return e.attrs["name"] == "csrf" && e.attrs["value"] != "" && e.up == form
			}) {
				t.Errorf("the form %s has no token", form.attrs["action"])
			}
		}
	})
}

// leadsOut lists where samples link to on purpose.
func leadsOut(href string) bool {
	return slices.ContainsFunc([]string{"cursor://", "vscode:mcp/install?", "https://dash.example.net/oauth/cb?error="},
		func(prefix string) bool { return strings.HasPrefix(href, prefix) })
}

// Whatever text gets into a page, the page keeps its elements and attributes.
func TestPages_TextStaysText(t *testing.T) {
	t.Parallel()
	const hostile = `'"></title></style></textarea><script>alert(1)</script><img src=x onerror=alert(1)><!--{{.}} javascript:alert(1)`
	for name, view := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, attacked := skeleton(t, fill(view, "harmless")), skeleton(t, fill(view, hostile))
			if !slices.Equal(plain, attacked) {
				t.Errorf("hostile text changes the page\n from %v\n to   %v", plain, attacked)
			}
		})
	}
}

// fill returns a copy of v with every text in it replaced, except for addresses
// that a constructor has checked.
func fill(v View, text string) View {
	deep := reflect.New(reflect.TypeOf(v)).Elem()
	copyInto(deep, reflect.ValueOf(v), text)
	filled, _ := reflect.TypeAssert[View](deep)
	return filled
}

func copyInto(to, from reflect.Value, text string) {
	to.Set(from)
	switch from.Kind() {
	case reflect.String:
		if from.Type() != reflect.TypeFor[template.URL]() && from.Len() > 0 {
			to.SetString(text)
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyInto(to.Field(i), from.Field(i), text)
			}
		}
	case reflect.Slice:
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			copyInto(to.Index(i), from.Index(i), text)
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			copyInto(to.Elem(), from.Elem(), text)
		}
	default:
	}
}

// skeleton is a page without its texts.
func skeleton(t *testing.T, v View) []string {
	t.Helper()
	var names []string
	for _, e := range parse(t, render(t, v).Body.String()) {
		names = append(names, e.name+"("+strings.Join(slices.Sorted(maps.Keys(e.attrs)), " ")+")")
	}
	return names
}
