package csvfile

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Subscriptions is a kind of file that the preset Stripe takes.
const Subscriptions Kind = "subscriptions"

// File is one file to import.
type File struct {
	Kind Kind
	Name string
	Size int64 // in bytes, 0 when not known
	Open func() (io.ReadCloser, error)
}

// Options say how files are read. The zero value detects what it can.
type Options struct {
	Files     []File // at most one of a kind
	Preset    string // "" or Stripe
	Map       map[Kind]map[string]string
	Encoding  string
	Delimiter rune
	Dates     string // DayFirst or MonthFirst, for days with slashes
	Major     bool   // amounts are in main units (99.00) rather than minor ones (9900)
	Decimals  string // Point or Comma, the decimal mark of amounts in main units
	Currency  string // of rows that state none

	Checkpoint Checkpoint     // nil: none is kept
	Progress   func(Progress) // called after each batch; nil for none
	Fault      func(Fault)    // called for each row that could not be imported; nil for none
	// Stored is called for each row that was stored, or is good in a dry run, as a
	// JSON object; nil for none.
	Stored func(kind Kind, row []byte)
}

// RowFault is what is wrong with one pushed row.
type RowFault struct {
	Index   int
	Field   string
	Message string
}

// Sink takes rows, which are JSON objects as the API takes them.
type Sink interface {
	Push(ctx context.Context, kind Kind, rows [][]byte) ([]RowFault, error)

	// End is called once all files are imported.
	End(ctx context.Context, result Result) error
}

// Progress is how far an import has come.
type Progress struct {
	File   string
	What   string // customers, plans, invoices or cancellations
	Read   int64  // bytes of the file
	Size   int64  // of the file, 0 when not known
	Result Result
}

// Result is what became of the rows.
type Result struct {
	Stored  int64 `json:"stored"` // unchanged ones included
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"` // that there was nothing to do for
}

// rowFunc makes a row of a record. Without a row and a fault the record is
// skipped.
type rowFunc func(record []string) (doc []byte, fault *Fault)

// step imports one file as rows of one kind.
type step struct {
	file    File
	kind    Kind
	what    string // for people; the kind when ""
	prepare func(header []string) (rowFunc, error)
}

// The size of a batch: what the API takes at once, with room to spare.
const (
	batchRows  = 10_000
	batchBytes = 8 << 20
)

// CheckHeaders says whether the files can be opened and have the columns that an
// import of them needs.
func (o *Options) CheckHeaders() error {
	steps, err := o.steps()
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := o.checkHeader(s); err != nil {
			return fmt.Errorf("%s: %w", s.file.Name, err)
		}
	}
	return nil
}

func (o *Options) checkHeader(s step) error {
	file, err := s.file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	in, err := openFile(file, o.Encoding, o.Delimiter)
	if err != nil {
		return err
	}
	_, err = s.prepare(in.header)
	return err
}

// Import imports files into a sink. Rows that cannot be imported are reported
// and left out; an error means that the import ended before its end, and what
// was stored stays. Importing the same files again does no harm.
func Import(ctx context.Context, o Options, sink Sink) (Result, error) {
	steps, err := o.steps()
	if err != nil {
		return Result{}, err
	}
	r := run{options: &o, sink: sink}
	from, err := r.resume()
	if err != nil {
		return Result{}, err
	}
	for i, s := range steps {
		if i < from.Step {
			continue
		}
		skip := int64(0)
		if i == from.Step {
			skip = from.Records
		}
		r.at = i
		if err := r.file(ctx, s, skip); err != nil {
			return r.result, fmt.Errorf("%s: %w", s.file.Name, err)
		}
	}
	if err := sink.End(ctx, r.result); err != nil {
		return r.result, err
	}
	if o.Checkpoint != nil {
		return r.result, o.Checkpoint.Clear()
	}
	return r.result, nil
}

func (o *Options) steps() ([]step, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Preset == Stripe {
		return stripeSteps(o)
	}
	var steps []step
	for _, kind := range []Kind{Customers, Plans, Invoices} {
		i := slices.IndexFunc(o.Files, func(f File) bool { return f.Kind == kind })
		if i >= 0 {
			steps = append(steps, step{file: o.Files[i], kind: kind, prepare: o.mapped(kind)})
		}
	}
	return steps, nil
}

// Check says what is wrong with the options, as far as the files need not be
// read for it.
func (o *Options) Check() error {
	seen := map[Kind]bool{}
	for _, f := range o.Files {
		if seen[f.Kind] {
			return fmt.Errorf("there are two files of %s", f.Kind)
		}
		seen[f.Kind] = true
	}
	switch {
	case len(o.Files) == 0:
		return errors.New("there is no file to import: name one with --customers, --plans or --invoices")
	case o.Preset != "" && o.Preset != Stripe:
		return fmt.Errorf("preset %q: the only one is %s", o.Preset, Stripe)
	case seen[Subscriptions] && o.Preset != Stripe:
		return errors.New("a file of subscriptions needs the preset stripe")
	case o.Dates != "" && o.Dates != DayFirst && o.Dates != MonthFirst:
		return fmt.Errorf("--dates %q: must be %s or %s", o.Dates, DayFirst, MonthFirst)
	case o.Decimals != "" && o.Decimals != Point && o.Decimals != Comma:
		return fmt.Errorf("--decimals %q: must be %s or %s", o.Decimals, Point, Comma)
	case o.Encoding != "":
		_, err := decoderOf(o.Encoding)
		return err
	}
	return nil
}

// mapped converts the records of a file column by column.
func (o *Options) mapped(kind Kind) func(header []string) (rowFunc, error) {
	return func(header []string) (rowFunc, error) {
		columns, err := mapColumns(kind, header, o.Map[kind])
		if err != nil {
			return nil, err
		}
		c := converter{kind: kind, columns: columns, dates: o.Dates, major: o.Major, decimals: o.Decimals, currency: o.Currency}
		return c.convert, nil
	}
}

// run is an import on its way.
type run struct {
	options *Options
	sink    Sink
	result  Result
	at      int    // step
	print   string // tells the import apart, for its checkpoint
}

// batch is the rows that are pushed next, and where they came from.
type batch struct {
	rows  [][]byte
	lines []int
	bytes int
}

func (b *batch) reset() { *b = batch{rows: b.rows[:0], lines: b.lines[:0]} }

// file imports one file, without its first records.
func (r *run) file(ctx context.Context, s step, skip int64) error {
	file, err := s.file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	counted := &countingReader{reader: file}
	in, err := openFile(counted, r.options.Encoding, r.options.Delimiter)
	if err != nil {
		return err
	}
	convert, err := s.prepare(in.header)
	if err != nil {
		return err
	}
	var b batch
	for records := int64(0); ; records++ {
		record, err := in.next()
		if errors.Is(err, io.EOF) {
			return r.flush(ctx, s, &b, records, counted.read)
		}
		if err != nil && !unreadable(err) {
			return err
		}
		if records < skip {
			continue
		}
		if err != nil {
			r.fault(s, Fault{Line: parseLine(err) + in.skipped, Message: "cannot be read: " + parseText(err)})
			continue
		}
		r.add(s, &b, convert, record, in.line())
		if len(b.rows) == batchRows || b.bytes >= batchBytes {
			if err := r.flush(ctx, s, &b, records+1, counted.read); err != nil {
				return err
			}
		}
	}
}

// add converts a record and adds its row to the batch.
func (r *run) add(s step, b *batch, convert rowFunc, record []string, line int) {
	if !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return // as spreadsheets write rows that were cleared
	}
	doc, fault := convert(record)
	switch {
	case fault != nil:
		fault.Line = line
		r.fault(s, *fault)
	case doc == nil:
		r.result.Skipped++
	default:
		b.rows, b.lines, b.bytes = append(b.rows, doc), append(b.lines, line), b.bytes+len(doc)
	}
}

func (r *run) fault(s step, f Fault) {
	r.result.Failed++
	f.File = s.file.Name
	if r.options.Fault != nil {
		r.options.Fault(f)
	}
}

// flush pushes the batch. records is how many of the file are then done with.
func (r *run) flush(ctx context.Context, s step, b *batch, records, read int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(b.rows) > 0 {
		faults, err := r.sink.Push(ctx, s.kind, b.rows)
		if err != nil {
			return err
		}
		r.settle(s, b, faults)
	}
	b.reset()
	if r.options.Checkpoint != nil {
		if err := r.save(Position{Step: r.at, Records: records}); err != nil {
			return err
		}
	}
	if r.options.Progress != nil {
		what := s.what
		if what == "" {
			what = string(s.kind)
		}
		r.options.Progress(Progress{File: s.file.Name, What: what, Read: read, Size: s.file.Size, Result: r.result})
	}
	return nil
}

// settle counts what became of the batch. A row may have several faults.
func (r *run) settle(s step, b *batch, faults []RowFault) {
	failed := map[int]bool{}
	for _, f := range faults {
		if f.Index < 0 || f.Index >= len(b.rows) {
			continue
		}
		if failed[f.Index] {
			r.result.Failed-- // it is one row
		}
		failed[f.Index] = true
		r.fault(s, Fault{Line: b.lines[f.Index], ID: idOf(b.rows[f.Index]), Field: f.Field, Message: f.Message})
	}
	r.result.Stored += int64(len(b.rows) - len(failed))
	if r.options.Stored == nil {
		return
	}
	for i, row := range b.rows {
		if !failed[i] {
			r.options.Stored(s.kind, row)
		}
	}
}

// unreadable reports whether an error is about one record alone.
func unreadable(err error) bool {
	parse, ok := errors.AsType[*csv.ParseError](err)
	return ok && !errors.Is(parse.Err, errLongRecord)
}

func parseLine(err error) int {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return parse.StartLine
	}
	return 0
}

func parseText(err error) string {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return parse.Err.Error()
	}
	return err.Error()
}

// countingReader counts what was read of a file.
type countingReader struct {
	reader io.Reader
	read   int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.read += int64(n)
	return n, err
}
