package identity

import (
	"fmt"
	"strings"
)

// Role is what a key may do in its account. The order of rights is Owner,
// Admin, Readonly.
type Role string

// The roles. Owner and Admin may write; Readonly may only read.
const (
	Owner    Role = "owner"
	Admin    Role = "admin"
	Readonly Role = "readonly"
)

// ParseRole reads a role in any case. Older clients say viewer, read-only or
// read_only for Readonly.
func ParseRole(s string) (Role, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "owner":
		return Owner, nil
	case "admin":
		return Admin, nil
	case "readonly", "read-only", "read_only", "viewer":
		return Readonly, nil
	default:
		return "", &FieldError{Field: "role", Message: fmt.Sprintf("%q is not one of admin, readonly, owner", clip(s))}
	}
}

// CanWrite reports whether the role may change anything.
func (r Role) CanWrite() bool { return r == Owner || r == Admin }

// Covers reports whether r has every right of other, so that a caller with r
// may hand out other.
func (r Role) Covers(other Role) bool { return r.rank() >= other.rank() && other.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case Owner:
		return 3
	case Admin:
		return 2
	case Readonly:
		return 1
	default:
		return 0
	}
}

// lesser returns the one of two roles with fewer rights.
func lesser(a, b Role) Role {
	if a.rank() < b.rank() {
		return a
	}
	return b
}
