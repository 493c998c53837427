// Package doctor replays what real clients send to an MCP server that is
// protected by OAuth, from discovery to the first page that a person sees, and
// says in plain words what would fail and how to mend it. It knows nothing of
// the server but its URL, so any deployment can be examined, with whatever
// stands before it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The clients whose behavior is replayed.
const (
	Claude    = "Claude"
	ChatGPT   = "ChatGPT"
	Cursor    = "Cursor"
	VSCode    = "VS Code"
	MCPRemote = "mcp-remote"
)

// Clients lists them in the order of reports.
var Clients = []string{Claude, ChatGPT, Cursor, VSCode, MCPRemote}

// Config says what to examine. URL, HTTP and Now are required.
type Config struct {
	// URL is what a person pastes into a client.
	URL string
	// HTTP sends the requests. Redirects are not followed, whatever it says.
	HTTP *http.Client
	// Register also registers each client, which leaves registrations behind that
	// nobody uses.
	Register bool
	// Now is real time.
	Now func() time.Time
	// Key, if any, is an API key that has to be good as a bearer token.
	Key string
}

// Finding is the outcome of one check.
type Finding struct {
	Check   string   // what was looked at
	Problem string   // what is wrong; "" when nothing is
	Mend    string   // what to do about it
	Fails   []string // clients that would not connect; none for what is only bad
}

// Report is what was found, in the order of the checks.
type Report struct {
	URL      string
	Findings []Finding
}

// Healthy reports whether no client would fail.
func (r *Report) Healthy() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return len(f.Fails) > 0 })
}

// Problems returns the findings with a problem.
func (r *Report) Problems() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Problem == "" })
}

// examination is one run.
type examination struct {
	cfg    Config
	target *url.URL
	report *Report

	metadata      string   // URL of the protected resource metadata, as challenged
	resource      document // the metadata itself
	issuer        string
	authorization document
	client        string // id of a client that was registered
}

const (
	// slow is how long the hosted clients wait for discovery.
	slow        = 10 * time.Second
	maxBody     = 1 << 20
	testVersion = "2025-11-25"
)

// Run examines a server. The error is about the URL or the context; whatever is
// wrong with the server is in the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	target, err := url.Parse(cfg.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("%q is not a URL such as https://mcp.example.com/mcp", cfg.URL)
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cfg.HTTP = &client
	e := &examination{cfg: cfg, target: target, report: &Report{URL: cfg.URL}}
	for _, step := range []func(context.Context) bool{
		e.transport, e.challenge, e.probes, e.resourceMetadata, e.serverMetadata, e.otherMetadata,
		e.crossOrigin, e.registration, e.authorize, e.tokens, e.wrongToken, e.key,
	} {
		goOn := step(ctx)
		if err := ctx.Err(); err != nil {
			return e.report, fmt.Errorf("examine %s: %w", cfg.URL, err)
		}
		if !goOn {
			break
		}
	}
	return e.report, nil
}

// ok notes a check without a problem.
func (e *examination) ok(check string) {
	e.report.Findings = append(e.report.Findings, Finding{Check: check})
}

// problem notes what is wrong. Without clients it is only bad.
func (e *examination) problem(check, problem, mend string, clients ...string) {
	e.report.Findings = append(e.report.Findings, Finding{Check: check, Problem: problem, Mend: mend, Fails: clients})
}

// verdict notes the first problem of a check, or that there is none.
func (e *examination) verdict(check string, problems []Finding) {
	if len(problems) == 0 {
		e.ok(check)
	}
	for _, f := range problems {
		e.problem(check, f.Problem, f.Mend, f.Fails...)
	}
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a *answer) isJSON() bool { return strings.Contains(a.header.Get("Content-Type"), "json") }

// says is the begin of a body for people.
func (a *answer) says() string {
	text := strings.Join(strings.Fields(string(a.body)), " ")
	const longest = 120
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	if text == "" {
		return http.StatusText(a.status)
	}
	return text
}

// send sends a request with headers given as name and value in turn.
func (e *examination) send(ctx context.Context, method, at string, body io.Reader, headers ...string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	begun := e.cfg.Now()
	res, err := e.cfg.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // what was read is what counts
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, err
	}
	return &answer{status: res.StatusCode, header: res.Header, body: text, took: e.cfg.Now().Sub(begun)}, nil
}

// origin is the URL without path.
func (e *examination) origin() string { return e.target.Scheme + "://" + e.target.Host }

// wellKnown is a metadata URL of this host, for a path of its own or for none.
func (e *examination) wellKnown(name string, withPath bool) string {
	at := e.origin() + "/.well-known/" + name
	if path := strings.TrimSuffix(e.target.EscapedPath(), "/"); withPath && path != "" {
		at += path
	}
	return at
}

func unreachable(err error) (problem, mend string) {
	return "it cannot be reached: " + err.Error(), "check the name, the port, the firewall and that the server runs"
}
