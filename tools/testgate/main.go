// Command testgate reads `go test -json` on standard input and prints what
// `go test` would have printed: one line per package, and the output of tests
// that failed. It fails when a test failed, and also when one was skipped: a
// skipped test proves nothing. Tests over the golden data sets alone may be
// skipped, as long as GROWPANEL_GOLDEN_DIR does not say where those are.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const goldenDir = "GROWPANEL_GOLDEN_DIR"

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Stdin, out, os.Getenv(goldenDir) == "")
	err = errors.Join(err, out.Flush())
	if err != nil {
		fmt.Fprintln(os.Stderr, "testgate:", err)
		os.Exit(1)
	}
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// tally is what a run came to.
type tally struct {
	passed, failed, skipped int
	broken                  int      // packages that failed, also those that did not build
	forbidden               []string // tests that may not be skipped
}

// run copies the report of a test run to out. It returns an error unless all
// tests passed; goldenMaySkip lets the golden tests be skipped.
func run(in io.Reader, out io.Writer, goldenMaySkip bool) error {
	var (
		sum    tally
		output = map[string][]string{} // by package and test
	)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // not an event: the go command itself
			continue
		}
		if e.Action == "output" || e.Action == "build-output" {
			report(out, output, e)
			continue
		}
		sum.count(out, output, e, goldenMaySkip)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read test events: %w", err)
	}
	fmt.Fprintf(out, "DONE %d tests, %d skipped, %d failures\n", sum.passed+sum.failed+sum.skipped, sum.skipped, sum.failed)
	return sum.err()
}

// report prints package lines and build errors at once and keeps the output of
// a test until its result is known.
func report(out io.Writer, output map[string][]string, e event) {
	if e.Test != "" {
		key := e.Package + " " + e.Test
		output[key] = append(output[key], e.Output)
		return
	}
	if e.Output != "PASS\n" && !strings.HasPrefix(e.Output, "coverage:") {
		io.WriteString(out, e.Output) //nolint:errcheck // a bufio.Writer reports on Flush
	}
}

// count adds one result to the tally and prints the output of a failed test.
func (t *tally) count(out io.Writer, output map[string][]string, e event, goldenMaySkip bool) {
	if e.Test == "" {
		if e.Action == "fail" {
			t.broken++
		}
		return
	}
	key := e.Package + " " + e.Test
	text := strings.Join(output[key], "")
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		io.WriteString(out, text) //nolint:errcheck // a bufio.Writer reports on Flush
	case "skip":
		t.skipped++
		if !goldenMaySkip || !strings.Contains(text, goldenDir) {
			t.forbidden = append(t.forbidden, key+"\n"+text)
		}
	default:
		return // run, pause, cont
	}
	delete(output, key)
}

func (t *tally) err() error {
	if t.failed+t.broken > 0 {
		return fmt.Errorf("%d tests failed in %d packages", t.failed, t.broken)
	}
	if len(t.forbidden) > 0 {
		return fmt.Errorf("%d tests were skipped:\n%s", len(t.forbidden), strings.Join(t.forbidden, ""))
	}
	if t.passed == 0 {
		return errors.New("no test ran")
	}
	return nil
}
