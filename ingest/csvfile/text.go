// Package csvfile turns CSV files into the rows of package ingest: it finds out
// their encoding and delimiter, maps their columns, and imports any number of
// rows in bounded memory.
package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// sampleBytes is how much of a file is looked at to find out what it is.
const sampleBytes = 64 << 10

// The encodings by name.
const (
	UTF8        = "utf-8"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	Windows1252 = "windows-1252"
)

// Encodings lists the names that Options.Encoding takes.
func Encodings() []string { return []string{UTF8, UTF16LE, UTF16BE, Windows1252} }

// decoderOf returns the encoding of a name. Byte order marks are taken away.
func decoderOf(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case UTF8, "utf8":
		return unicode.UTF8BOM, nil
	case UTF16LE, "utf-16", "utf16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case Windows1252, "windows1252", "cp1252", "latin1", "iso-8859-1":
		return charmap.Windows1252, nil
	default:
		return nil, fmt.Errorf("encoding %q: must be one of %s", name, strings.Join(Encodings(), ", "))
	}
}

// detectEncoding guesses the encoding of a file from its beginning: by the byte
// order mark, by the zero bytes that UTF-16 has in Latin text, by whether it is
// UTF-8. What is none of these is Windows-1252, which old spreadsheets write.
func detectEncoding(sample []byte, whole bool) string {
	switch {
	case bytes.HasPrefix(sample, []byte{0xEF, 0xBB, 0xBF}):
		return UTF8
	case bytes.HasPrefix(sample, []byte{0xFF, 0xFE}):
		return UTF16LE
	case bytes.HasPrefix(sample, []byte{0xFE, 0xFF}):
		return UTF16BE
	}
	var zeros [2]int
	for i, b := range sample {
		if b == 0 {
			zeros[i%2]++
		}
	}
	const many = 5 // a fifth of all bytes
	switch {
	case zeros[1]*many > len(sample):
		return UTF16LE
	case zeros[0]*many > len(sample):
		return UTF16BE
	}
	if !whole { // the sample may end within a character
		for cut := 0; cut < utf8.UTFMax && len(sample) > 0 && !utf8.Valid(sample); cut++ {
			sample = sample[:len(sample)-1]
		}
	}
	if utf8.Valid(sample) {
		return UTF8
	}
	return Windows1252
}

// decode returns the file as UTF-8 and the name of its encoding, which is
// detected when asked for "".
func decode(file io.Reader, name string) (io.Reader, string, error) {
	buffered := bufio.NewReaderSize(file, sampleBytes)
	sample, err := buffered.Peek(sampleBytes)
	if err != nil && err != io.EOF { //nolint:errorlint // Peek returns it bare
		return nil, "", err
	}
	if name == "" {
		name = detectEncoding(sample, err != nil)
	}
	enc, err := decoderOf(name)
	if err != nil {
		return nil, "", err
	}
	if enc == unicode.UTF8BOM {
		return enc.NewDecoder().Reader(validReader{transform.NewReader(buffered, encoding.UTF8Validator)}), name, nil
	}
	return enc.NewDecoder().Reader(buffered), name, nil
}

// validReader says what to do about text that is not UTF-8: the beginning of a
// file, by which encodings are told apart, may have none of the letters in which
// they differ.
type validReader struct{ reader io.Reader }

// Read implements io.Reader.
func (v validReader) Read(p []byte) (int, error) {
	n, err := v.reader.Read(p)
	if errors.Is(err, encoding.ErrInvalidUTF8) {
		err = errors.New("the file is not UTF-8 from here on: name its encoding, such as --encoding windows-1252")
	}
	return n, err
}
