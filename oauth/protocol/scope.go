package protocol

import "strings"

// Scope is a set of the product's scopes. The zero Scope is none. A scope that
// does not exist cannot be in it.
type Scope uint8

// The scopes.
const (
	Read    Scope = 1 << iota // growpanel.read
	Write                     // growpanel.write; includes growpanel.read
	Offline                   // offline_access: harmless, a refresh token is always issued
)

// DefaultScope is what a client gets that names no scope of ours, and what the
// resource server's challenge names.
const DefaultScope = Read | Write

// scopeNames lists the scopes in the order in which they are written.
func scopeNames() []struct {
	scope Scope
	name  string
} {
	return []struct {
		scope Scope
		name  string
	}{{Read, "growpanel.read"}, {Write, "growpanel.write"}, {Offline, "offline_access"}}
}

// ParseScope reads a scope parameter. What is not a scope of ours is dropped
// (clients send their own names, and stray spaces), and write includes read.
func ParseScope(text string) Scope {
	var set Scope
	for name := range strings.FieldsSeq(text) {
		for _, known := range scopeNames() {
			if known.name == name {
				set |= known.scope
			}
		}
	}
	return set.closed()
}

// AskedScope is what an authorization request asks for: what it names, or the
// default when it names nothing that gives access.
func AskedScope(text string) Scope {
	set := ParseScope(text)
	if set&DefaultScope == 0 {
		set |= DefaultScope
	}
	return set
}

func (s Scope) closed() Scope {
	if s&Write != 0 {
		s |= Read
	}
	return s
}

// Has reports whether s includes all of other.
func (s Scope) Has(other Scope) bool { return s&other == other }

// WithoutWrite is s as far as it only reads.
func (s Scope) WithoutWrite() Scope { return s &^ Write }

// Names lists the scopes of s, read before write.
func (s Scope) Names() []string {
	var names []string
	for _, known := range scopeNames() {
		if s&known.scope != 0 {
			names = append(names, known.name)
		}
	}
	return names
}

// String is s as a scope parameter has it.
func (s Scope) String() string { return strings.Join(s.Names(), " ") }
