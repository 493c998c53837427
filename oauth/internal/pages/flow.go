package pages

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// Form is where a page posts to, and what goes along unseen.
type Form struct {
	Action string // path on this server
	CSRF   string
	Hidden []Field
}

// Field is a hidden form field.
type Field struct{ Name, Value string }

// Fact is a line of a list of names and values.
type Fact struct{ Name, Value string }

// Mark is a tile with a letter that stands for an app or an account.
type Mark struct {
	Letter string
	Size   string // "" or "little"
}

// newMark takes the first letter or digit of a name.
func newMark(name, size string) Mark {
	for _, c := range name {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return Mark{string(unicode.ToUpper(c)), size}
		}
	}
	return Mark{"?", size}
}

// Client is an app that asks for access, as pages name it.
type Client struct {
	Name      string // what it calls itself: free text, checked by nobody
	Target    string // where the answer goes: a host, or words for a local app
	Local     bool   // the answer goes to a program on the user's machine
	Verified  bool   // the target's host is one of a known assistant
	Publisher string // host that publishes the client's metadata; "" when it registered itself
}

// nameLimit is how many characters of a client's own name a page shows.
const nameLimit = 60

// NewClient describes a client by its own name and by the redirect URI of its
// request; publisher is the host of its metadata document, if it has one.
func NewClient(name, redirect, publisher string) Client {
	c := Client{Name: plainName(name), Publisher: publisher}
	switch kind, target := protocol.RedirectTarget(redirect); {
	case target == "":
		c.Target = "an unknown place"
	case kind == protocol.RedirectWeb:
		c.Target, c.Verified = target, knownHost(target)
	case kind == protocol.RedirectLoopback:
		c.Target, c.Local = "a program on this computer", true
	default:
		c.Target, c.Local = "the app that opens "+target+": links", true
	}
	if c.Name == "" {
		c.Name = "Unnamed app"
	}
	return c
}

// knownHost reports whether a redirect to host reaches an assistant that many
// people use. It only softens the wording of the consent page.
func knownHost(host string) bool {
	return slices.Contains([]string{
		"claude.ai", "claude.com", "chatgpt.com", "www.cursor.com", "vscode.dev", "insiders.vscode.dev", "grok.com",
	}, strings.ToLower(host))
}

// plainName makes a name that a client chose fit for a sentence: no control or
// formatting characters, which could reorder or hide the words around it, one
// space between words, at most nameLimit characters.
func plainName(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case c == utf8.RuneError, !unicode.IsPrint(c), unicode.Is(unicode.Cf, c):
			return -1
		}
		return c
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > nameLimit {
		name = strings.TrimSpace(string(runes[:nameLimit-1])) + "…"
	}
	return name
}

// Mark is the client's tile.
func (c Client) Mark() Mark { return newMark(c.Name, "") }

// Provider is a way to sign in with somebody else's password.
type Provider struct {
	Label  string // "Google"
	Icon   string // "google", "microsoft" or ""
	Action string // path that starts it
}

// SignIn asks who somebody is.
type SignIn struct {
	Session
	Form      Form
	For       *Client // the app that the user comes from; nil when none
	Email     string  // what was typed before
	Password  bool    // passwords are accepted
	Providers []Provider
	SignUp    string // path of the sign-up page; "" where strangers cannot sign up
	Link      string // provider whose identity the user is to get; "" for a plain sign-in
	Problem   string // why the last try did not work
	Notice    string // what has just been done
}

func (SignIn) page() page { return page{template: "signin", title: "Sign in", leaves: true} }

// SignUp lets a stranger make a user with an account of their own.
type SignUp struct {
	Session
	Form                                Form
	For                                 *Client // as that of SignIn
	SignIn                              string  // path of the sign-in page
	Account, FirstName, LastName, Email string  // what was typed before
	Problem                             string
	Wrong                               string // name of the field that Problem is about; "" for none
}

func (SignUp) page() page { return page{template: "signup", title: "Create an account"} }

// Invitation lets somebody join an account.
type Invitation struct {
	Session
	Form                Form
	ProviderForm        Form // of the buttons of Providers
	Providers           []Provider
	Account             string // that invites
	Email               string // who is invited
	Role                string // as RoleName gives it
	New                 bool   // joining makes a user
	FirstName, LastName string // what was typed before
	Problem             string
}

func (Invitation) page() page {
	return page{template: "invitation", title: "Join an account", leaves: true}
}

// Password changes the password of who is signed in.
type Password struct {
	Session
	Form    Form
	Problem string
}

func (Password) page() page { return page{template: "password", title: "Change your password"} }

// Picker asks which account a client is to use.
type Picker struct {
	Session
	Form     Form
	Client   Client
	Accounts []Account
}

func (Picker) page() page { return page{template: "picker", title: "Choose an account"} }

// Account is one choice of the picker.
type Account struct {
	ID, Name string
	Role     string // as RoleName gives it
}

// RoleName is a role of the API in words.
func RoleName(role string) string {
	switch role {
	case "owner":
		return "Owner"
	case "admin":
		return "Admin"
	case "readonly":
		return "Read only"
	}
	return role
}

// Mark is the account's tile.
func (a Account) Mark() Mark { return newMark(a.Name, "little") }

// Consent asks whether a client may use an account.
type Consent struct {
	Session
	Form     Form
	Client   Client
	Account  string // name
	Several  bool   // another account can be chosen
	Role     string // the user's, as RoleName gives it
	Writes   string // what a connection that may write can change
	OnlyRead string // why read only is the only choice; "" when there is one
	IdleDays int    // after which an unused connection ends
}

func (c Consent) page() page {
	return page{template: "consent", title: "Allow access", leaves: true}
}

// Warnings are what the user should think about before clicking Allow.
func (c Consent) Warnings() []string {
	switch {
	case c.Client.Local:
		return []string{"The answer goes to a program on your own computer, and any program there can claim this name. Allow only if you have just started connecting it yourself."}
	case !c.Client.Verified:
		return []string{c.Client.Target + " is not an assistant that GrowPanel knows. Allow only if you have just come from there and trust it with this account’s data."}
	}
	return nil
}

// Handover leads to an app whose links a browser opens only from a page.
type Handover struct {
	Session
	Client Client
	Denied bool
	Link   template.URL // of a scheme that opens an app; NewHandover checks it
}

// NewHandover returns the page that opens link, which must have been checked
// against the client's registered redirect URIs. It refuses schemes that a
// browser would run or show rather than hand to an app.
func NewHandover(c Client, link string, denied bool) (Handover, error) {
	u, err := url.Parse(link)
	if err != nil || !appScheme(u.Scheme) {
		return Handover{}, fmt.Errorf("no app opens the scheme %q", schemeOf(u))
	}
	return Handover{Client: c, Denied: denied, Link: template.URL(link)}, nil //nolint:gosec // its scheme was just checked
}

// outward is a link to an app or a site, which must have been checked against
// the client's registered redirect URIs.
func outward(link string) (template.URL, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && !appScheme(u.Scheme) {
		return "", fmt.Errorf("no link leads to the scheme %q", schemeOf(u))
	}
	return template.URL(link), nil //nolint:gosec // its scheme was just checked
}

func schemeOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme
}

// appScheme reports whether a browser leaves a scheme to an app.
func appScheme(scheme string) bool {
	return scheme != "" && !slices.Contains([]string{
		"javascript", "data", "vbscript", "file", "blob", "about", "ws", "wss", "ftp", "chrome", "view-source", "intent", "mailto", "tel", "http", "https",
	}, strings.ToLower(scheme))
}

func (h Handover) page() page {
	return page{template: "handover", title: "Back to the app", refresh: string(h.Link)}
}

// Heading says what has been decided.
func (h Handover) Heading() string {
	if h.Denied {
		return "Access denied"
	}
	return "Connected"
}
