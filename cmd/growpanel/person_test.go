package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/internal/demo"
)

// person is somebody at a browser who signs in to the demo and decides.
type person struct {
	http *http.Client
	site string // origin of the server
	// access is what they tick on the consent page, account the account's name.
	access, account string
	// seen and page are told of every answer on the way; they may be nil.
	seen func(*http.Response)
	page func(string)
}

func newPerson(t *testing.T, site string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{site: site, access: "write", account: demo.Name, http: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// decide opens an authorization URL, signs in if asked, picks the account and
// decides "allow" or "deny". It returns where the browser is sent, outside of
// the server.
func (p *person) decide(t *testing.T, address, decision string) *url.URL {
	t.Helper()
	request := p.get(t, address)
	for range 12 {
		response, err := p.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if p.seen != nil {
			p.seen(response)
		}
		if p.page != nil {
			p.page(string(page))
		}
		if location := response.Header.Get("Location"); location != "" {
			next, err := response.Request.URL.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			if next.Scheme+"://"+next.Host != p.site {
				return next
			}
			request = p.get(t, next.String())
			continue
		}
		if link := handover.FindStringSubmatch(string(page)); link != nil && response.StatusCode == http.StatusOK {
			back, err := url.Parse(html.UnescapeString(link[1]))
			if err != nil {
				t.Fatal(err)
			}
			return back
		}
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%s = %d\n%s", response.Request.URL, response.StatusCode, words(page))
		}
		request = p.fill(t, response.Request.URL, string(page), decision)
	}
	t.Fatalf("%s leads nowhere", address)
	return nil
}

func (p *person) get(t *testing.T, address string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	return request
}

var (
	formTag   = regexp.MustCompile(`(?s)<form[^>]*method="post" action="([^"]+)".*?</form>`)
	hiddenTag = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"/>`)
	// handover is the link to an installed app, which a redirect would not open.
	handover = regexp.MustCompile(`<a [^>]*id="continue" href="([^"]+)"`)
	rowTag   = regexp.MustCompile(`(?s)name="account" value="([^"]+)".*?<b>([^<]+)</b>`)
)

// fill answers the last form of a page, which is its main one.
func (p *person) fill(t *testing.T, at *url.URL, page, decision string) *http.Request {
	t.Helper()
	_, main, _ := strings.Cut(page, "<main")
	forms := formTag.FindAllStringSubmatch(main, -1)
	if len(forms) == 0 {
		t.Fatalf("%s has nothing to fill in:\n%s", at, words([]byte(page)))
	}
	form := forms[len(forms)-1]
	values := url.Values{}
	for _, field := range hiddenTag.FindAllStringSubmatch(form[0], -1) {
		values.Set(field[1], field[2])
	}
	switch {
	case strings.Contains(form[0], `name="password"`):
		values.Set("email", demoUser)
		values.Set("password", demoPassword)
	case strings.Contains(form[0], `name="decision"`):
		values.Set("decision", decision)
		values.Set("access", p.access)
	default:
		for _, row := range rowTag.FindAllStringSubmatch(form[0], -1) {
			if !values.Has("account") || strings.HasPrefix(row[2], p.account) {
				values.Set("account", row[1])
			}
		}
	}
	target, err := at.Parse(strings.ReplaceAll(form[1], "&amp;", "&"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.site)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
}

// words is the text of a page, for failures.
func words(page []byte) string {
	text := regexp.MustCompile(`(?s)<(style|script).*?</(style|script)>|<[^>]+>`).ReplaceAllString(string(page), " ")
	return strings.Join(strings.Fields(text), " ")
}
