package httpapi

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/growpanel/growpanel-mcp/analytics"
)

// outcome is what became of the rows of a push. Failures and warnings are in
// order of position; a row may have several.
type outcome struct {
	docs     [][]byte // every row as it was sent
	failures []analytics.FieldError
	warnings []analytics.FieldError
	failed   int // rows that have a failure

	recompute []byte // JSON of what the rows have set going; nil for nothing
}

// appendImport appends the reply of a push (api-contract: ImportResult). The
// rows are copied as they were sent, with their outcome spliced in before the
// closing brace: decoding ten thousand of them again would cost more than
// storing them.
func appendImport(out []byte, o outcome, onlyErrors bool) []byte {
	out = append(out, `{"success":true,"result":[`...)
	failures, warnings := o.failures, o.warnings
	first := true
	for i, doc := range o.docs {
		var failed, warned []analytics.FieldError
		failed, failures = cutRow(failures, i)
		warned, warnings = cutRow(warnings, i)
		if onlyErrors && len(failed) == 0 && len(warned) == 0 {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = appendRow(out, doc, failed, warned)
	}
	out = append(out, `],"imported":`...)
	out = strconv.AppendInt(out, int64(len(o.docs)-o.failed), 10)
	out = append(out, `,"failed":`...)
	out = strconv.AppendInt(out, int64(o.failed), 10)
	if o.recompute != nil {
		out = append(append(out, `,"recompute":`...), o.recompute...)
	}
	return append(out, '}', '\n')
}

// cutRow splits off the entries about one row.
func cutRow(entries []analytics.FieldError, row int) (own, rest []analytics.FieldError) {
	n := 0
	for n < len(entries) && entries[n].Index <= row {
		n++
	}
	return entries[:n], entries[n:]
}

func appendRow(out, doc []byte, failed, warned []analytics.FieldError) []byte {
	out = appendOpenObject(out, doc)
	if len(failed) > 0 {
		out = append(out, `"export_status":"error","export_error":`...)
		out = appendText(out, failed)
	} else {
		out = append(out, `"export_status":"success"`...)
	}
	if len(warned) > 0 {
		out = append(out, `,"export_warning":`...)
		out = appendText(out, warned)
	}
	return append(out, '}')
}

// appendOpenObject appends the row up to its closing brace, ready for more
// members. A row that is no object becomes the member "row" of one.
func appendOpenObject(out, doc []byte) []byte {
	doc = bytes.TrimSpace(doc)
	if len(doc) < 2 || doc[0] != '{' {
		out = append(out, `{"row":`...)
		out = append(out, doc...)
		return append(out, ',')
	}
	if bytes.Contains(doc, []byte(`"export_`)) {
		doc = withoutOutcome(doc)
	}
	members := bytes.TrimRight(doc[:len(doc)-1], " \t\r\n")
	out = append(out, members...)
	if len(members) > 1 {
		out = append(out, ',')
	}
	return out
}

// withoutOutcome drops the outcome of an earlier push from a row that was sent
// back as it was received, so that no member comes twice.
func withoutOutcome(doc []byte) []byte {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return doc
	}
	for _, name := range []string{"export_status", "export_error", "export_warning"} {
		delete(members, name)
	}
	cleaned, err := json.Marshal(members)
	if err != nil {
		return doc
	}
	return cleaned
}

// appendText appends what is wrong with a row as one JSON string.
func appendText(out []byte, entries []analytics.FieldError) []byte {
	var text []byte
	for i, e := range entries {
		if i > 0 {
			text = append(text, "; "...)
		}
		text = append(text, faultText(e)...)
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return append(out, `""`...) // a string always encodes
	}
	return append(out, quoted...)
}

func faultText(e analytics.FieldError) string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}
