package pull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

const (
	fetchTimeout = 2 * time.Minute // of one answer with its body
	fetchTries   = 4               // before the import rests and begins the page again later
	firstPause   = time.Second
	longestPause = time.Minute // that an endpoint may ask for; else the import rests
)

// fetcher gets pages from one endpoint.
type fetcher struct {
	client   *http.Client
	endpoint *url.URL
	auth     Auth
	secret   string
	sleep    func(context.Context, time.Duration) error
}

// newFetcher opens the credentials of a connection.
func (i *Importer) newFetcher(account, source string, c *Connection) (*fetcher, error) {
	u, err := i.cfg.Outgoing.CheckURL(c.Endpoint)
	if err != nil {
		return nil, &Problem{Code: codeRefused, Text: "endpoint_url " + err.Error(), Final: true}
	}
	f := &fetcher{client: i.client, endpoint: u, auth: c.Auth, sleep: i.cfg.Sleep}
	if len(c.Auth.Secret) > 0 {
		secret, err := i.cfg.Sealer.Open(c.Auth.Secret, place(account, source, c.Endpoint))
		if err != nil {
			return nil, &Problem{Code: codeCredentials, Text: "the credentials of the endpoint cannot be opened with the secret of this server: enter them again", Final: true}
		}
		f.secret = string(secret)
	}
	return f, nil
}

// page gets one page, and tries again for a while where that may help. The
// error is a *Problem, or that of ctx.
func (f *fetcher) page(ctx context.Context, kind string, number int) ([]byte, error) {
	pause := firstPause
	for try := 1; ; try++ {
		body, wait, problem := f.once(ctx, kind, number)
		if problem == nil {
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		problem.Type, problem.Page = kind, number
		if problem.Final || try == fetchTries || wait > longestPause {
			return nil, problem
		}
		if err := f.sleep(ctx, max(wait, pause)); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// once sends one request. wait is how long the endpoint asks to be left alone.
func (f *fetcher) once(ctx context.Context, kind string, number int) (body []byte, wait time.Duration, problem *Problem) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url(kind, number), nil)
	if err != nil {
		return nil, 0, &Problem{Code: codeRefused, Text: "the endpoint's URL cannot be used", Final: true}
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "GrowPanel")
	f.authenticate(r)
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, 0, f.unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, retryAfter(answer), refused(answer)
	}
	body, err = io.ReadAll(answer.Body)
	if err != nil {
		return nil, 0, f.unreachable(err)
	}
	return body, 0, nil
}

// url is the endpoint with the type behind its path; the query that it may have
// stays.
func (f *fetcher) url(kind string, number int) string {
	u := f.endpoint.JoinPath(kind)
	if number > 1 {
		query := u.Query()
		query.Set("page", strconv.Itoa(number))
		u.RawQuery = query.Encode()
	}
	return u.String()
}

func (f *fetcher) authenticate(r *http.Request) {
	switch f.auth.Type {
	case authBearer:
		r.Header.Set("Authorization", "Bearer "+f.secret)
	case authBasic:
		r.SetBasicAuth(f.auth.Name, f.secret)
	case authHeader:
		r.Header.Set(f.auth.Name, f.secret)
	}
}

// unreachable says why there was no whole answer. The text of a *url.Error has
// the whole URL, which may be a secret.
func (f *fetcher) unreachable(err error) *Problem {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if blocked, ok := errors.AsType[*httpx.BlockedError](err); ok {
		return &Problem{Code: codeRefused, Text: blocked.Error(), Final: true}
	}
	if bad, ok := errors.AsType[*httpx.URLError](err); ok {
		return &Problem{Code: codeRefused, Text: "a redirect of the endpoint " + bad.Error(), Final: true}
	}
	if large, ok := errors.AsType[*httpx.ResponseTooLargeError](err); ok {
		return &Problem{Code: codeTooLarge, Text: large.Error() + ": send fewer rows per page", Final: true}
	}
	if redirect, ok := errors.AsType[*httpx.RedirectError](err); ok {
		return &Problem{Code: codeRedirect, Text: redirect.Error() + "; connect to the endpoint that answers itself", Final: true}
	}
	if timeout := interface{ Timeout() bool }(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return &Problem{Code: codeUnreachable, Text: fmt.Sprintf("the endpoint did not answer within %v", f.client.Timeout)}
	}
	return &Problem{Code: codeUnreachable, Text: "the endpoint does not answer: " + clip(err.Error())}
}

// refused says what an answer other than 200 means.
func refused(answer *http.Response) *Problem {
	text := fmt.Sprintf("the endpoint answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	if said := firstLine(answer.Body); said != "" {
		text += ": " + said
	}
	p := &Problem{Code: codeStatus, Text: text, Final: true}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		p.Code = codeAuth
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		p.Final = false
	}
	return p
}

const maxSaid = 200

// firstLine returns the beginning of an error's body, for who must mend it.
func firstLine(body io.Reader) string {
	text, err := io.ReadAll(io.LimitReader(body, maxSaid))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFD' || r == 127 {
			return -1
		}
		return r
	}, line)
}

// retryAfter reads the header of RFC 9110 section 10.2.3 where it is in seconds.
func retryAfter(answer *http.Response) time.Duration {
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60)) * time.Second
}

// outgoing completes what the operator allows for the client of an Importer.
func outgoing(cfg httpx.OutgoingConfig) httpx.OutgoingConfig {
	cfg.Purpose, cfg.Redirects, cfg.MaxBytes = "import", httpx.SameHostRedirects, ingest.MaxBodyBytes
	cfg.Timeout = cmp.Or(cfg.Timeout, fetchTimeout)
	return cfg
}
