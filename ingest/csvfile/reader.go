package csvfile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxRecordBytes bounds one record: a quote that is never closed would
// otherwise take the rest of the file for one field.
const maxRecordBytes = 1 << 20

// delimiters are the ones that are tried, in order of preference.
const delimiters = ",;\t|"

// reader reads the records of one file.
type reader struct {
	csv      *csv.Reader
	bounded  *boundedReader
	encoding string
	header   []string
	skipped  int // lines before the header that are not records
}

// openFile finds out how a file is written and reads its header. delimiter 0
// and encoding "" are detected.
func openFile(file io.Reader, encoding string, delimiter rune) (*reader, error) {
	text, encoding, err := decode(file, encoding)
	if err != nil {
		return nil, err
	}
	buffered, sample, err := sampled(text)
	if err == nil && bytes.ContainsRune(sample, '\r') && !bytes.ContainsRune(sample, '\n') {
		buffered, sample, err = sampled(carriageReturns{buffered})
	}
	if err != nil {
		return nil, err
	}
	r := &reader{encoding: encoding}
	if mark, size := separatorLine(string(sample)); size > 0 {
		if _, err := buffered.Discard(size); err != nil {
			return nil, err
		}
		delimiter, r.skipped = cmp.Or(delimiter, mark), 1
	}
	if delimiter == 0 {
		delimiter = detectDelimiter(string(sample), len(sample) < sampleBytes)
	}
	r.bounded = &boundedReader{reader: buffered}
	r.csv = csv.NewReader(r.bounded)
	r.csv.Comma, r.csv.FieldsPerRecord, r.csv.ReuseRecord = delimiter, -1, true
	header, err := r.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for _, name := range header {
		r.header = append(r.header, strings.TrimSpace(name))
	}
	return r, nil
}

// next returns the next record, which is valid until the call after. The error
// is io.EOF at the end, a *csv.ParseError for a record that cannot be read while
// those after it can, anything else when nothing more can be read.
func (r *reader) next() ([]string, error) {
	r.bounded.left = maxRecordBytes
	return r.csv.Read()
}

// line is where the record that was read last begins.
func (r *reader) line() int {
	line, _ := r.csv.FieldPos(0)
	return line + r.skipped
}

// sampled returns a reader of a text with its beginning.
func sampled(text io.Reader) (*bufio.Reader, []byte, error) {
	buffered := bufio.NewReaderSize(text, sampleBytes)
	sample, err := buffered.Peek(sampleBytes)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffered, sample, err
}

// separatorLine returns the delimiter that a first line such as "sep=;" names,
// which Excel writes and reads, and the bytes of that line.
func separatorLine(sample string) (delimiter rune, size int) {
	line, _, found := strings.Cut(sample, "\n")
	size = len(line) + 1
	line = strings.TrimSuffix(line, "\r")
	if !found || len(line) != len("sep=;") || !strings.EqualFold(line[:4], "sep=") {
		return 0, 0
	}
	return rune(line[4]), size
}

// carriageReturns reads a text whose lines end with carriage returns alone, as
// old Macintosh programs write them.
type carriageReturns struct{ reader io.Reader }

// Read implements io.Reader.
func (c carriageReturns) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

var errLongRecord = fmt.Errorf("a record is longer than %d KiB: is a quote not closed?", maxRecordBytes>>10)

// boundedReader fails once a record is too long.
type boundedReader struct {
	reader io.Reader
	left   int
}

// Read implements io.Reader. It hands out little at a time, so that what was
// read ahead of a record hardly counts for it.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongRecord
	}
	n, err := b.reader.Read(p)
	b.left -= n
	return n, err
}

// detectDelimiter takes the delimiter that gives the first lines of a text the
// same number of columns, the more the better.
func detectDelimiter(sample string, whole bool) rune {
	best, most := ',', 1
	for _, delimiter := range delimiters {
		if columns := evenColumns(sample, delimiter, whole); columns > most {
			best, most = delimiter, columns
		}
	}
	return best
}

const linesToCompare = 20

// evenColumns returns how many columns the first lines have, 0 when it differs.
func evenColumns(sample string, delimiter rune, whole bool) int {
	if !whole { // its last line may be cut
		if end := strings.LastIndexByte(sample, '\n'); end > 0 {
			sample = sample[:end+1]
		}
	}
	r := csv.NewReader(strings.NewReader(sample))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
	columns := 0
	for range linesToCompare {
		record, err := r.Read()
		if err != nil {
			break
		}
		if columns != 0 && len(record) != columns {
			return 0
		}
		columns = len(record)
	}
	return columns
}
