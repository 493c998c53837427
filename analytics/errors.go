package analytics

import (
	"errors"
	"fmt"
	"strings"
)

// The errors that callers tell apart.
var (
	// ErrClosed is returned once the engine is closed.
	ErrClosed = errors.New("the engine is closed")
	// ErrNotFound means that the account has no row of that id.
	ErrNotFound = errors.New("not found")
	// ErrUnknownSource means that the account has no data source of that id.
	ErrUnknownSource = errors.New("unknown data source")
	// ErrSourceRequired means that a write names no data source and the account
	// does not have exactly one of type api to take it.
	ErrSourceRequired = errors.New("data_source is required")
	// ErrTooManySources means that the account has as many data sources as it may.
	ErrTooManySources = errors.New("the account has 1,000 data sources")
	// ErrInUse means that other rows need the row; it comes as *InUseError.
	ErrInUse = errors.New("in use")
)

// AmbiguousError means that an id was given without its data source and exists
// in several.
type AmbiguousError struct {
	ID      string
	Sources []string // ids of the data sources that have it
}

// Error lists the data sources.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q exists in several data sources: name one of %s with data_source", e.ID, strings.Join(e.Sources, ", "))
}

// InUseError means that a plan cannot be deleted because invoices name it.
type InUseError struct {
	ID       string
	Invoices int
}

// Error says how many invoices name the plan.
func (e *InUseError) Error() string {
	return fmt.Sprintf("plan %q is in use by %d invoices: delete or change them first", e.ID, e.Invoices)
}

// Is makes an InUseError match ErrInUse.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// InvalidError reports fields that cannot be accepted. Nothing was changed.
type InvalidError struct {
	Fields []FieldError
}

// Error joins the messages.
func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Fields))
	for _, f := range e.Fields {
		parts = append(parts, f.Field+" "+f.Message)
	}
	return strings.Join(parts, "; ")
}
