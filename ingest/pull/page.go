package pull

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// page is one page of rows.
type page[T any] struct {
	*ingest.Batch[T]
	more   bool
	digest string // of the rows; the same rows give the same
}

// readPage decodes {"data": [...], "has_more": bool} or an array, which is the
// only page of its type.
func readPage[T any](kind string, body []byte, decode func([]byte) (*ingest.Batch[T], error)) (*page[T], error) {
	more, err := hasMore(kind, body)
	if err != nil {
		return nil, err
	}
	batch, err := decode(body)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, doc := range batch.Docs {
		sum.Write(doc)
		sum.Write([]byte{0})
	}
	return &page[T]{Batch: batch, more: more, digest: hex.EncodeToString(sum.Sum(nil)[:16])}, nil
}

// hasMore checks that a body is a page and reads what it says about the next
// one. The rows themselves are for others to judge.
func hasMore(kind string, body []byte) (more bool, err error) {
	malformed := fmt.Errorf(`want {"data": [...], "has_more": true or false} or an array of %s`, kind)
	s := jsonscan.NewScanner(body)
	switch s.Next() {
	case jsonscan.ArrayStart:
		return false, nil
	case jsonscan.ObjectStart:
	default:
		return false, malformed
	}
	rows := false
	for {
		switch s.Next() {
		case jsonscan.ObjectEnd:
			if !rows {
				return false, malformed
			}
			return more, nil
		case jsonscan.Key:
		default:
			return false, malformed
		}
		name := s.String()
		if slices.Contains([]string{"data", kind}, name) && s.Peek() == '[' {
			rows = true
		}
		value := s.Next()
		if name == "has_more" {
			switch value {
			case jsonscan.True:
				more = true
			case jsonscan.False, jsonscan.Null:
				more = false
			default:
				return false, errors.New("has_more must be true or false")
			}
			continue
		}
		if !s.Skip(value) {
			return false, malformed
		}
	}
}
