package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/ingest/csvfile"
)

// shownFaults is how many faults are printed; a file has them all.
const shownFaults = 20

// faultReport prints the first faults of an import and writes all of them to a
// file, if one was asked for.
type faultReport struct {
	out   io.Writer
	file  *os.File
	rows  *csv.Writer
	count int
}

func newFaultReport(out io.Writer, name string) (*faultReport, error) {
	r := &faultReport{out: out}
	if name == "" {
		return r, nil
	}
	var err error
	if r.file, err = os.Create(name); err != nil {
		return nil, err
	}
	r.rows = csv.NewWriter(r.file)
	return r, r.rows.Write([]string{"file", "line", "id", "field", "message"})
}

func (r *faultReport) add(f csvfile.Fault) {
	r.count++
	if r.count <= shownFaults {
		_, _ = fmt.Fprintln(r.out, Printable(f.String())) // it quotes the file
	}
	if r.count == shownFaults+1 {
		_, _ = fmt.Fprintln(r.out, "... and more; --report FILE lists them all")
	}
	if r.rows != nil {
		_ = r.rows.Write([]string{f.File, strconv.Itoa(f.Line), f.ID, f.Field, f.Message}) // close returns its error
	}
}

func (r *faultReport) close() error {
	if r.file == nil {
		return nil
	}
	r.rows.Flush()
	return errors.Join(r.rows.Error(), r.file.Close())
}

// progressBar shows how far an import has come: on a terminal as one line that
// is written again and again, else not at all.
type progressBar struct {
	out   io.Writer
	live  bool
	shown bool
}

const barWidth = 30

func (b *progressBar) show(p csvfile.Progress) {
	if !b.live {
		return
	}
	bar := ""
	if p.Size > 0 {
		done := int(min(p.Read, p.Size) * barWidth / p.Size)
		bar = "[" + strings.Repeat("#", done) + strings.Repeat(".", barWidth-done) + "] "
	}
	_, _ = fmt.Fprintf(b.out, "\r\x1b[K%s%s: %d stored, %d failed", bar, p.What, p.Result.Stored, p.Result.Failed)
	b.shown = true
}

func (b *progressBar) end() {
	if b.shown {
		_, _ = fmt.Fprintln(b.out)
	}
}
