package pages

import (
	"fmt"
	"time"
)

// Connections lists what can use the user's accounts.
type Connections struct {
	Session
	Mine      []Connection
	Done      string // what has just been done
	RevokeAll string // path that asks for confirmation
}

func (Connections) page() page {
	return page{template: "connections", title: "Connections", wide: true}
}

// Live counts the devices of the user that can still be revoked.
func (c Connections) Live() int {
	n := 0
	for _, connection := range c.Mine {
		for _, device := range connection.Devices {
			if device.Revoke != "" {
				n++
			}
		}
	}
	return n
}

// Connection is an app that uses an account in the user's name.
type Connection struct {
	Client  Client
	Account string
	Devices []Device
	Live    int    // devices that still have access, where Revoke is set
	Revoke  string // path that asks for confirmation; "" with a single device
}

// Device is one authorization of a connection: the app on one machine.
type Device struct {
	Created  When
	LastUsed When
	From     string // network it was last used from, shortened; "" if never
	Access   string // role in words
	State    string // "" while it works
	Tone     string // of State: "", "plain", "warn" or "danger"
	Why      string // why it ended by itself; "" otherwise
	Revoke   string // path that asks for confirmation; "" once it has ended
}

// When is a moment as seen from another.
type When struct {
	at, now time.Time
}

// NewWhen describes at to somebody who reads it at now. The zero time is never.
func NewWhen(at, now time.Time) When { return When{at.UTC(), now.UTC()} }

// IsZero reports whether it never was.
func (w When) IsZero() bool { return w.at.IsZero() }

// Stamp is the moment for machines.
func (w When) Stamp() string { return w.at.Format(time.RFC3339) }

// Exact is the moment to the minute.
func (w When) Exact() string { return w.at.Format("2 January 2006 15:04 UTC") }

// Words is how long ago it was, or its day when that is weeks ago.
func (w When) Words() string {
	switch ago := w.now.Sub(w.at); {
	case ago < time.Minute:
		return "Just now"
	case ago < time.Hour:
		return count(int(ago/time.Minute), "minute")
	case ago < 24*time.Hour:
		return count(int(ago/time.Hour), "hour")
	case ago < 14*24*time.Hour:
		return count(int(ago/(24*time.Hour)), "day")
	}
	return w.at.Format("2 Jan 2006")
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit + " ago"
	}
	return fmt.Sprintf("%d %ss ago", n, unit)
}

// Revoke asks before access is taken away.
type Revoke struct {
	Session
	Form    Form
	Heading string
	Text    string
	Facts   []Fact
	Created []Created
	Joined  []Created // members who came by its invitations, and stay
	Button  string
}

func (r Revoke) page() page { return page{template: "revoke", title: r.Heading} }

// Created is something that a connection made in its account.
type Created struct {
	Value  string // of its checkbox
	Kind   string // "API key"
	Name   string
	Detail string
}
