package analytics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// Source is a data source of an account.
type Source struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"` // SourceAPI or SourceCSV
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at,omitzero"` // zero when it never changed
	KeyID     string    `json:"key_id,omitempty"`    // of the API key that was made for it
	// Connection says how rows are fetched from elsewhere. It is the importer's,
	// and only kept here.
	Connection json.RawMessage `json:"connection,omitempty"`
}

// The types of data sources.
const (
	SourceAPI = "api"
	SourceCSV = "csv"
)

const (
	maxNameBytes = 255
	maxSources   = 1000
)

// NewSource is a data source to create.
type NewSource struct {
	Name, Type string
	KeyID      string // of the API key that was made for it, if one was
}

// CreateSource adds a data source. The error is an *InvalidError when a field
// cannot be accepted, ErrTooManySources when the account has a thousand.
func (e *Engine) CreateSource(ctx context.Context, account string, n NewSource) (Source, error) {
	if err := checkSource(n.Name, n.Type); err != nil {
		return Source{}, err
	}
	var created Source
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		if len(livingSources(ed.sourcesView())) >= maxSources {
			return nil, ErrTooManySources
		}
		seq := ed.takeSeq(TableSource)
		created = Source{
			ID: deriveID("ds_", account, strconv.FormatInt(seq, 10)), Name: strings.Clone(n.Name), Type: n.Type, KeyID: n.KeyID,
			CreatedAt: e.now().UTC().Truncate(time.Millisecond),
		}
		doc, err := json.Marshal(created)
		if err != nil {
			return nil, fmt.Errorf("encode data source: %w", err)
		}
		ed.sources = append(slices.Clone(ed.sourcesView()), source{seq: seq, Source: created})
		ed.log[TableSource].inserted(Row{Table: TableSource, Seq: seq, ID: created.ID, Doc: doc})
		return nil, nil
	})
	return created, err
}

// UpdateSource changes the name or the connection of a data source. change may
// run twice; its error is returned and nothing is written. The error is
// ErrUnknownSource when there is none, an *InvalidError when the name cannot be
// accepted.
func (e *Engine) UpdateSource(ctx context.Context, account, id string, change func(*Source) error) (Source, error) {
	var updated Source
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		i, err := namedSource(ed.sourcesView(), id)
		if err != nil {
			return nil, err
		}
		old := ed.sourcesView()[i]
		next := old.Source
		if err := change(&next); err != nil {
			return nil, err
		}
		if err := checkSource(next.Name, next.Type); err != nil {
			return nil, err
		}
		updated = old.Source
		updated.Name, updated.Connection = strings.Clone(next.Name), bytes.Clone(next.Connection)
		if updated.Name == old.Name && bytes.Equal(updated.Connection, old.Connection) {
			return nil, nil
		}
		updated.UpdatedAt = e.now().UTC().Truncate(time.Millisecond)
		doc, err := json.Marshal(updated)
		if err != nil {
			return nil, fmt.Errorf("encode data source: %w", err)
		}
		ed.sources = slices.Clone(ed.sourcesView())
		ed.sources[i].Source = updated
		ed.log[TableSource].updated(Row{Table: TableSource, Seq: old.seq, ID: updated.ID, Doc: doc})
		return nil, nil
	})
	return updated, err
}

// ResetSource removes all customers, plans and invoices of a data source, in one
// commit: no report ever shows some of them gone.
func (e *Engine) ResetSource(ctx context.Context, account, id string) error {
	return e.clear(ctx, account, id, false)
}

// DeleteSource removes a data source and all of its rows.
func (e *Engine) DeleteSource(ctx context.Context, account, id string) error {
	return e.clear(ctx, account, id, true)
}

func (e *Engine) clear(ctx context.Context, account, id string, remove bool) error {
	// So many rows share a commit with no other request, whose rows of this
	// source the store could not tell from those to clear.
	const alone = maxGroupRows + 1
	_, err := e.write(ctx, account, alone, func(ed *edit) ([]FieldError, error) {
		i, err := namedSource(ed.sourcesView(), id)
		if err != nil {
			return nil, err
		}
		if err := ed.clearSource(i); err != nil {
			return nil, err
		}
		if remove {
			ed.sources = slices.Clone(ed.sourcesView())
			ed.sources[i].deleted = true
			ed.log[TableSource].removed(TableSource, ed.sources[i].seq)
		}
		return nil, nil
	})
	return err
}

// clearSource removes the rows of a data source.
func (e *edit) clearSource(source uint32) error {
	for i, c := range e.a.records {
		if c != nil && c.Source == source {
			e.dropCustomer(customerKey{source, c.ID}, uint32(i))
		}
	}
	e.ownPlans()
	for ref := range e.plans.list {
		if e.plans.meta[ref].seq != 0 && e.plans.list[ref].Source == source {
			e.plans.remove(ledger.PlanRef(ref))
		}
	}
	e.cleared = append(e.cleared, e.sourcesView()[source].seq)
	return e.leavePushedGroups(source)
}

func checkSource(name, kind string) error {
	var bad []FieldError
	if strings.TrimSpace(name) == "" || len(name) > maxNameBytes {
		bad = append(bad, FieldError{Field: "name", Message: "is required, at most 255 bytes"})
	}
	if kind != SourceAPI && kind != SourceCSV {
		bad = append(bad, FieldError{Field: "type", Message: "must be api or csv"})
	}
	if len(bad) > 0 {
		return &InvalidError{Fields: bad}
	}
	return nil
}

// Source returns a data source, or ErrUnknownSource.
func (e *Engine) Source(ctx context.Context, account, id string) (Source, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return Source{}, err
	}
	i, err := namedSource(v.sources, id)
	if err != nil {
		return Source{}, err
	}
	return v.sources[i].Source, nil
}

// Sources returns the account's data sources in the order of their creation.
func (e *Engine) Sources(ctx context.Context, account string) ([]Source, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	return livingSources(v.sources), nil
}

func livingSources(sources []source) []Source {
	all := make([]Source, 0, len(sources))
	for _, s := range sources {
		if !s.deleted {
			all = append(all, s.Source)
		}
	}
	return all
}

// namedSource finds a data source by id.
func namedSource(sources []source, id string) (uint32, error) {
	i := slices.IndexFunc(sources, func(s source) bool { return s.ID == id && !s.deleted })
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", ErrUnknownSource, id)
	}
	return uint32(i), nil
}

// sourceIndex finds a data source by id, or the one that takes rows which name
// none.
func sourceIndex(sources []source, id string) (uint32, error) {
	if id != "" {
		return namedSource(sources, id)
	}
	found := -1
	for i := range sources {
		switch {
		case sources[i].deleted || sources[i].Type != SourceAPI:
		case found >= 0:
			return 0, fmt.Errorf("%w: the account has several data sources of type api", ErrSourceRequired)
		default:
			found = i
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("%w: the account has no data source of type api yet", ErrSourceRequired)
	}
	return uint32(found), nil
}
