package answer

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// File is a CSV file of the API, with a head line.
type File struct {
	Title  string
	Notes  []string // lines on what the file holds
	Body   []byte
	Offset int // of the first record to show
	// Total is how many records there are in all, when Body begins at Offset; 0
	// when Body is the whole file.
	Total int
}

// Records is more than the records that fit into an answer of so many tokens.
func Records(tokens int) int { return textSize(tokens) / recordBytes }

// recordBytes is less than any record of an export has.
const recordBytes = 16

// CSV shows a file as far as tokens go. Its amounts stay as they are.
func CSV(f File, tokens int) Answer {
	title := strings.Join(append([]string{f.Title}, f.Notes...), "\n")
	size := textSize(tokens) - textRoom - (len(title) - len(f.Title))
	head, rest := cutRecord(f.Body)
	part := append(make([]byte, 0, size), head...)
	total, shown := 0, 0
	for full := false; len(rest) > 0; total++ {
		var record []byte
		record, rest = cutRecord(rest)
		if f.Total == 0 && total < f.Offset {
			continue
		}
		full = full || shown > 0 && len(part)+len(record) > size
		if !full {
			part = append(part, record...)
			shown++
		}
	}
	clipped := len(part) > size
	if clipped {
		part = part[:size]
	}
	total = max(f.Total, total)
	next := 0
	if shown > 0 && f.Offset+shown < total {
		next = f.Offset + shown
	}
	return csvAnswer(title, string(bytes.ToValidUTF8(part, nil)), csvExtent{f.Offset, shown, total, next, clipped})
}

// csvExtent says which part of a file an answer holds.
type csvExtent struct {
	offset, shown, total, next int
	clipped                    bool
}

func csvAnswer(title, part string, e csvExtent) Answer {
	complete := e.shown == e.total && !e.clipped
	text := title + "\n" + strconv.Itoa(e.shown) + " of " + strconv.Itoa(e.total) + " rows"
	if complete {
		text += ", complete."
	}
	if !complete {
		text += ", from offset " + strconv.Itoa(e.offset) + "."
	}
	if e.next > 0 {
		text += " Next: offset=" + strconv.Itoa(e.next) + "."
	}
	if e.clipped {
		text += " The row is cut to the size limit; raise max_tokens."
	}
	text += "\n" + part
	structured := append([]byte(nil), `{"returned":`...)
	structured = strconv.AppendInt(structured, int64(e.shown), 10)
	structured = appendInt(structured, `,"total":`, e.total)
	structured = strconv.AppendBool(append(structured, `,"complete":`...), complete)
	if e.next > 0 {
		structured = appendInt(structured, `,"next":`, e.next)
	}
	structured = append(appendJSONString(append(structured, `,"csv":`...), part), '}')
	return Answer{Text: text, Structured: json.RawMessage(structured)}
}

// cutRecord returns the first record of CSV text, its line end included, and
// the rest. A line end inside quotes does not end a record (RFC 4180 section 2).
func cutRecord(text []byte) (record, rest []byte) {
	quoted := false
	for i, c := range text {
		switch c {
		case '"':
			quoted = !quoted
		case '\n':
			if !quoted {
				return text[:i+1], text[i+1:]
			}
		}
	}
	return text, nil
}
