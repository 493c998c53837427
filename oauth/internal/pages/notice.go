package pages

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// Notice says what happened when there is nothing to fill in: that a flow has
// ended, or why it could not go on and what would help.
type Notice struct {
	Session
	Tone    string // "good", "plain", "warn" or "danger"
	Heading string
	Text    []string
	Facts   []Fact
	Steps   []string // what the reader can do, in order
	Out     *Out     // the way back to an app; may be nil
	Actions []Action
}

// Out is a link to an app that has asked for something.
type Out struct {
	Label string
	Href  template.URL
}

// Action is a link that looks like a button.
type Action struct {
	Label, Href string
	Primary     bool
}

func (n Notice) page() page {
	return page{template: "notice", title: n.Heading}
}

const startAgain = "Go back to your assistant and click Connect there again."

// Expired is for a flow whose transaction is gone: too old, of another browser,
// or never begun.
func Expired() Notice {
	return Notice{
		Tone: "plain", Heading: "This request has expired",
		Text:  []string{"A connection has to be allowed within ten minutes, in the browser where it began."},
		Steps: []string{startAgain, "If this page comes back, allow cookies for this site and try once more."},
	}
}

// UnknownClient is for an authorization request with a client id that nobody
// registered here.
func UnknownClient() Notice {
	return Notice{
		Tone: "warn", Heading: "GrowPanel does not know this app",
		Text: []string{"The app that sent you here is not registered with this server, or its registration was removed because it was not used."},
		Steps: []string{
			"Remove GrowPanel from the connectors of your assistant and add it again; it then registers itself anew.",
			"If you typed a client ID yourself, leave that field empty.",
		},
	}
}

// BadRedirect is for a redirect URI that the client has not registered. The URI
// is shown as text, never as a link: following it is what is being refused.
func BadRedirect(client, redirect string) Notice {
	facts := []Fact{{"Address", cut(redirect, 200)}}
	if client = plainName(client); client != "" {
		facts = append([]Fact{{"Calls itself", client}}, facts...)
	}
	return Notice{
		Tone: "danger", Heading: "This link does not lead back to the app",
		Text:  []string{"The app wants the answer sent to an address that it never registered. GrowPanel does not send you there."},
		Facts: facts,
		Steps: []string{
			"If somebody sent you this link, close this page: it may be an attempt to take over your access.",
			"If you began in your assistant, remove GrowPanel from its connectors and add it again.",
		},
	}
}

// BadRequest is for an authorization request that cannot be answered by a
// redirect; reason says what is wrong with it.
func BadRequest(reason string) Notice {
	return Notice{
		Tone: "warn", Heading: "This request cannot be read",
		Text:  []string{"The app that sent you here made a mistake: " + strings.TrimSuffix(reason, ".") + "."},
		Steps: []string{startAgain, "If it happens again, tell the makers of the app what this page says."},
	}
}

// NoAccess is for somebody who is signed in but belongs to no account.
func NoAccess(s Session) Notice {
	return Notice{
		Session: s, Tone: "warn", Heading: "No GrowPanel account access",
		Text: []string{fmt.Sprintf("You are signed in as %s, but this user belongs to no GrowPanel account.", s.User)},
		Steps: []string{
			"Ask an owner of your company's account to invite you, then connect again.",
			"If you have another user, sign out and sign in with that one.",
		},
	}
}

// AlreadyConnected is for a flow that has been finished: by a second click, the
// back button or another tab.
func AlreadyConnected(c Client) Notice {
	return Notice{
		Tone: "good", Heading: "Already connected",
		Text: []string{
			fmt.Sprintf("You have allowed “%s”. You can close this page and go back to it.", c.Name),
			"Should it still ask you to connect, click Connect there once more.",
		},
		Actions: []Action{{Label: "See your connections", Href: "/connections"}},
	}
}

// Decided is for a flow that was denied and is opened again.
func Decided() Notice {
	return Notice{
		Tone: "plain", Heading: "Access was denied",
		Text:  []string{"You have answered this request. Nothing was connected."},
		Steps: []string{startAgain},
	}
}

// SignedOut is shown after signing out.
func SignedOut() Notice {
	return Notice{
		Tone: "good", Heading: "You are signed out",
		Text:    []string{"Your connected assistants go on working. To end them, revoke them on the connections page."},
		Actions: []Action{{Label: "Sign in again", Href: "/connections"}},
	}
}

// ForeignForm is for a form that another site sent, or a page that was open for
// too long.
func ForeignForm() Notice {
	return Notice{
		Tone: "warn", Heading: "This form cannot be accepted",
		Text:  []string{"It was not sent from the page that GrowPanel showed you, or that page was open for too long. Nothing was changed."},
		Steps: []string{"Open the page again and repeat what you did.", "If a link from somebody else brought you here, close this page."},
	}
}

// TooMany is for an address or a user that tries too often.
func TooMany(wait time.Duration) Notice {
	return Notice{
		Tone: "plain", Heading: "Too many attempts",
		Text: []string{fmt.Sprintf("To keep your password safe, sign-in pauses now. Try again in %s.", roundWait(wait))},
	}
}

// roundWait is a waiting time in words, rounded up.
func roundWait(wait time.Duration) string {
	switch seconds := int((wait + time.Second - 1) / time.Second); {
	case seconds <= 1:
		return "a second"
	case seconds < 100:
		return fmt.Sprintf("%d seconds", seconds)
	default:
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
}

// RequestRefused is for a request that the client made wrongly, whose answer
// goes back to it only by a click of somebody who may not even be its user.
func RequestRefused(c Client, reason, location string) (Notice, error) {
	link, err := outward(location)
	if err != nil {
		return Notice{}, err
	}
	return Notice{
		Tone: "warn", Heading: "This request cannot be answered",
		Text:  []string{fmt.Sprintf("The app that calls itself “%s” made a mistake: %s.", c.Name, strings.TrimSuffix(reason, "."))},
		Facts: []Fact{{"Answer goes to", c.Target}},
		Steps: []string{startAgain, "If it happens again, tell the makers of the app what this page says."},
		Out:   &Out{Label: "Tell the app", Href: link},
	}, nil
}

// Refused is for what the API does not accept; message says why.
func Refused(message string) Notice {
	return Notice{
		Tone: "warn", Heading: "That did not work", Text: []string{message},
		Actions: []Action{{Label: "Your connections", Href: "/connections"}},
	}
}

// Joined is shown to somebody who has accepted an invitation.
func Joined(s Session) Notice {
	return Notice{
		Session: s, Tone: "good", Heading: "Welcome to GrowPanel",
		Text:    []string{"You have joined the account. Connect your assistant to ask about its numbers."},
		Actions: []Action{{Label: "How to connect", Href: "/", Primary: true}},
	}
}

// InvitationOver is for a link that is unknown, used or too old.
func InvitationOver() Notice {
	return Notice{
		Tone: "plain", Heading: "This invitation is over",
		Text:    []string{"The link was used already, taken back, or is too old."},
		Steps:   []string{"If you have joined before, just sign in.", "Otherwise ask who invited you for a new link."},
		Actions: []Action{{Label: "Sign in", Href: "/connections", Primary: true}},
	}
}

// PasswordChanged is shown after a change of password.
func PasswordChanged(disconnected bool) Notice {
	text := "Everywhere else you are signed out. Your assistants stay connected."
	if disconnected {
		text = "Everywhere else you are signed out, and every assistant lost its access."
	}
	return Notice{
		Tone: "good", Heading: "Your password is changed", Text: []string{text},
		Actions: []Action{{Label: "Your connections", Href: "/connections", Primary: true}},
	}
}

// Unavailable is for an outage behind the pages.
func Unavailable() Notice {
	return Notice{
		Tone: "warn", Heading: "GrowPanel cannot be reached right now",
		Text: []string{"This is not your fault, and nothing was changed. Try again in a moment: reload this page, or go back to your assistant and click Connect again."},
	}
}

// Failed is for a fault of the server, which its operator finds in the log by the
// reference.
func Failed(reference string) Notice {
	n := Notice{
		Tone: "danger", Heading: "Something went wrong on our side",
		Text: []string{"This is not your fault. If it happens again, tell whoever runs this server, with the reference: it leads to the cause in the log."},
	}
	if reference != "" {
		n.Facts = []Fact{{Name: "Reference", Value: reference}}
	}
	return n
}

// ProviderFailed is for a sign-in at a provider that did not succeed.
func ProviderFailed(provider, reason, again string) Notice {
	return Notice{
		Tone: "warn", Heading: "Signing in with " + provider + " did not work",
		Text:    []string{reason},
		Actions: []Action{{Label: "Back to sign-in", Href: again, Primary: true}},
	}
}

// NotFound is for an address that has no page.
func NotFound() Notice {
	return Notice{
		Tone: "plain", Heading: "There is nothing here",
		Text:    []string{"The address leads to no page."},
		Actions: []Action{{Label: "How to connect", Href: "/", Primary: true}, {Label: "Your connections", Href: "/connections"}},
	}
}

// cut shortens a text for display.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
