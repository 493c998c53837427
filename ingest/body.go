package ingest

import (
	"unicode/utf8"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/jsonscan"
)

// batchNames are the keys that can hold the rows of a named batch.
var batchNames = [...]string{"customers", "plans", "invoices", "data"}

// decodeBody finds the rows of a body, whatever its form, and decodes each.
func decodeBody[T any](body []byte, name string, decode func(*decoder, *T)) (*Batch[T], error) {
	if len(body) > MaxBodyBytes {
		return nil, tooLarge("the body has %d bytes: send at most %d MiB per request", len(body), MaxBodyBytes>>20)
	}
	if !utf8.Valid(body) {
		return nil, badBody("the body is not valid UTF-8")
	}
	d := newDecoder(body)
	b := &Batch[T]{}
	if estimate := len(body) / 256; estimate > 1 {
		b.Rows = make([]T, 0, min(estimate, MaxRows))
	}
	switch d.s.Next() {
	case jsonscan.ArrayStart:
		if err := decodeRows(d, b, decode); err != nil {
			return nil, err
		}
	case jsonscan.ObjectStart:
		if err := decodeObject(d, b, name, decode); err != nil {
			return nil, err
		}
	case jsonscan.Invalid:
		if len(body) == 0 {
			return nil, badBody("the body is empty: send one object, an array, or {%q: [...]}", name)
		}
	default:
		return nil, badBody("the body must be one object, an array, or {%q: [...]}", name)
	}
	if d.s.Next() != jsonscan.End {
		return nil, d.bodyError()
	}
	b.Errors = d.errs
	return b, nil
}

// decodeObject decodes the object just opened: a named batch, or one row.
func decodeObject[T any](d *decoder, b *Batch[T], name string, decode func(*decoder, *T)) error {
	named, err := d.findBatch(name)
	if err != nil {
		return err
	}
	if named {
		if err := decodeRows(d, b, decode); err != nil {
			return err
		}
		return d.skipRest()
	}
	d.rewind()
	b.Single = true
	decodeRow(d, b, decode)
	return nil
}

// findBatch reads the keys of the object just opened up to one that holds rows
// and opens its array. It reports false when there is none.
func (d *decoder) findBatch(name string) (bool, error) {
	for {
		switch d.s.Next() {
		case jsonscan.Key:
		case jsonscan.ObjectEnd:
			return false, nil
		default:
			return false, d.bodyError()
		}
		key := d.text()
		if isBatchName(key) && d.s.Peek() == '[' {
			if key != name && key != "data" {
				return false, badBody("this endpoint takes %s, the body holds %s", name, key)
			}
			d.s.Next()
			return true, nil
		}
		if !d.skip(jsonscan.Key) {
			return false, d.bodyError()
		}
	}
}

func isBatchName(key string) bool {
	for _, name := range batchNames {
		if key == name {
			return true
		}
	}
	return false
}

// skipRest reads the rest of the batch's object. A second array of rows would
// be lost in silence, so it is an error.
func (d *decoder) skipRest() error {
	for {
		switch d.s.Next() {
		case jsonscan.Key:
		case jsonscan.ObjectEnd:
			return nil
		default:
			return d.bodyError()
		}
		if key := d.text(); isBatchName(key) && d.s.Peek() == '[' {
			return badBody("the body holds two arrays of rows, the second in %q: send one", key)
		}
		if !d.skip(jsonscan.Key) {
			return d.bodyError()
		}
	}
}

// decodeRows decodes the elements of the array just opened.
func decodeRows[T any](d *decoder, b *Batch[T], decode func(*decoder, *T)) error {
	for {
		switch kind := d.s.Next(); kind {
		case jsonscan.ArrayEnd:
			return nil
		case jsonscan.Invalid:
			return d.bodyError()
		case jsonscan.ObjectStart:
			if len(b.Docs) == MaxRows {
				return tooLarge("the body has more than %d rows: send them in several requests", MaxRows)
			}
			decodeRow(d, b, decode)
		default:
			if len(b.Docs) == MaxRows {
				return tooLarge("the body has more than %d rows: send them in several requests", MaxRows)
			}
			d.begin(len(b.Docs))
			d.skip(kind)
			d.fail("", "must be an object")
			b.Docs = append(b.Docs, d.doc())
		}
		if d.s.Err() != nil || d.deep {
			return d.bodyError()
		}
	}
}

// decodeRow decodes the row whose object was just opened and files it.
func decodeRow[T any](d *decoder, b *Batch[T], decode func(*decoder, *T)) {
	d.begin(len(b.Docs))
	var zero T
	b.Rows = append(b.Rows, zero)
	row := &b.Rows[len(b.Rows)-1]
	decode(d, row)
	doc := d.doc()
	if len(doc) > MaxRowBytes {
		d.fail("", "the row is larger than 64 KiB")
	}
	b.Docs = append(b.Docs, doc)
	if d.failed() {
		b.Rows = b.Rows[:len(b.Rows)-1]
		return
	}
	b.Index = append(b.Index, d.index)
	b.Sources = append(b.Sources, d.source)
}

// decodeDocument decodes a stored row.
func decodeDocument[T any](doc []byte, decode func(*decoder, *T)) (T, error) {
	var row T
	err := decodeWhole(newDecoder(doc), &row, decode)
	return row, err
}

// decodeWhole decodes the row that is the whole body.
func decodeWhole[T any](d *decoder, row *T, decode func(*decoder, *T)) error {
	if d.s.Next() != jsonscan.ObjectStart {
		return badBody("the document is not a JSON object")
	}
	d.begin(0)
	decode(d, row)
	if d.s.Next() != jsonscan.End {
		return d.bodyError()
	}
	if d.failed() {
		e := d.errs[0]
		return badBody("%s %s", e.Field, e.Message)
	}
	return nil
}

// fail notes what is wrong with a field of the row being decoded.
func (d *decoder) fail(field, message string) {
	d.rowErrs++
	if d.rowErrs > maxRowErrors {
		return
	}
	if d.prefix != "" {
		field = d.prefix + field
	}
	d.errs = append(d.errs, analytics.FieldError{Index: d.index, ID: d.id, Field: field, Message: message})
}

func (d *decoder) failed() bool { return d.rowErrs > 0 }
