// Package pages renders what people see in a browser: sign-in, consent,
// connections, errors and the landing page.
//
// Every page is one HTML document that requests nothing else: its style, its
// icons and its few lines of script are inside it, named by hash in a Content
// Security Policy that allows nothing besides.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed templates/*.html assets/page.css assets/page.js
var files embed.FS

// View is the content of one page.
type View interface {
	page() page
	// SignedIn is the session that the head of the page shows.
	SignedIn() Session
}

// page is what a view tells about its document.
type page struct {
	template string // file in templates, without .html
	title    string
	wide     bool   // a page to read, rather than a card to act on
	script   bool   // has buttons that need the script
	leaves   bool   // has a form whose answer may lead to another site
	refresh  string // where the browser goes by itself
}

// Session is who is signed in, for the head of a page; the zero Session is
// nobody.
type Session struct {
	User string // e-mail address
	CSRF string // token of the sign-out form
}

// SignedIn makes everything that embeds a Session tell it to its page.
func (s Session) SignedIn() Session { return s }

// Renderer writes pages. It is safe for concurrent use.
type Renderer struct {
	templates map[string]*template.Template
	style     string // CSP source of the style
	script    string // CSP source of the script
}

// New parses the templates that are built into the program.
func New() (*Renderer, error) {
	css, err := files.ReadFile("assets/page.css")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	js, err := files.ReadFile("assets/page.js")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	frame, err := template.New("layout.html").Funcs(template.FuncMap{
		"css": func() template.CSS { return template.CSS(css) }, //nolint:gosec // our own file
		"js":  func() template.JS { return template.JS(js) },    //nolint:gosec // our own file
	}).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	r := &Renderer{templates: map[string]*template.Template{}, style: hashSource(css), script: hashSource(js)}
	for _, v := range views() {
		name := v.page().template
		content, err := template.Must(frame.Clone()).ParseFS(files, "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		r.templates[name] = content
	}
	return r, nil
}

// views has one of each, so that New can find their templates.
func views() []View {
	return []View{
		SignIn{}, SignUp{}, Invitation{}, Password{}, Picker{}, Consent{}, Handover{}, Notice{}, Connections{}, Revoke{}, Landing{},
	}
}

func hashSource(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write answers a request with a page. An error means that nothing was written.
func (r *Renderer) Write(w http.ResponseWriter, status int, v View) error {
	about := v.page()
	var body bytes.Buffer
	err := r.templates[about.template].Execute(&body, struct {
		Title  string
		Width  string
		Script bool
		View   View
	}{about.title, width(about), about.script, v})
	if err != nil {
		return fmt.Errorf("render the page %s: %w", about.template, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", r.policy(about))
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// no-referrer would make browsers send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if about.refresh != "" {
		h.Set("Refresh", "0; url="+about.refresh)
	}
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the browser is gone; there is nobody to tell
	return nil
}

func width(about page) string {
	if about.wide {
		return "wide"
	}
	return "narrow"
}

// policy is the Content Security Policy of a page. Where a form's answer is a
// redirect to a client or to a sign-in provider, form-action must be left out:
// browsers hold the whole chain of redirects to it, and the places where that
// ends cannot be listed.
func (r *Renderer) policy(about page) string {
	directives := []string{
		"default-src 'none'", "style-src " + r.style, "img-src data:", "base-uri 'none'", "frame-ancestors 'none'",
	}
	if about.script {
		directives = append(directives, "script-src "+r.script)
	}
	if !about.leaves {
		directives = append(directives, "form-action 'self'")
	}
	return strings.Join(directives, "; ")
}
