package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Source is a data source of an account.
type Source struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"` // SourceAPI or SourceCSV
	CreatedAt time.Time `json:"created_at"`
}

// The types of data sources.
const (
	SourceAPI = "api"
	SourceCSV = "csv"
)

const maxNameBytes = 255

// CreateSource adds a data source. The error is an *InvalidError when a field
// cannot be accepted.
func (e *Engine) CreateSource(ctx context.Context, account, name, kind string) (Source, error) {
	if err := checkSource(name, kind); err != nil {
		return Source{}, err
	}
	var created Source
	_, err := e.write(ctx, account, 1, func(ed *edit) ([]FieldError, error) {
		seq := ed.takeSeq(TableSource)
		created = Source{
			ID: deriveID("ds_", account, strconv.FormatInt(seq, 10)), Name: strings.Clone(name), Type: kind,
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

// Sources returns the account's data sources in the order of their creation.
func (e *Engine) Sources(ctx context.Context, account string) ([]Source, error) {
	v, err := e.view(ctx, account)
	if err != nil {
		return nil, err
	}
	all := make([]Source, len(v.sources))
	for i, s := range v.sources {
		all[i] = s.Source
	}
	return all, nil
}

// sourceIndex finds a data source by id, or the one that takes rows which name
// none.
func sourceIndex(sources []source, id string) (uint32, error) {
	found := -1
	for i := range sources {
		switch {
		case id != "" && sources[i].ID == id:
			return uint32(i), nil
		case id == "" && sources[i].Type == SourceAPI && found >= 0:
			return 0, fmt.Errorf("%w: the account has several data sources of type api", ErrSourceRequired)
		case id == "" && sources[i].Type == SourceAPI:
			found = i
		}
	}
	if found >= 0 {
		return uint32(found), nil
	}
	if id == "" {
		return 0, fmt.Errorf("%w: the account has no data source of type api yet", ErrSourceRequired)
	}
	return 0, fmt.Errorf("%w: %q", ErrUnknownSource, id)
}
