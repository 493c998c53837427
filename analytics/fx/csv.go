package fx

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// LineError is what is wrong with one line of a rates file.
type LineError struct {
	Line    int // from 1
	Message string
}

// Error is "line 3: ...".
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

var header = [...]string{"date", "base", "quote", "rate"}

// ReadCSV reads rates from lines of date,base,quote,rate such as
//
//	2026-01-31,eur,usd,1.0796
//
// The first line may be the header date,base,quote,rate. Currency codes may be
// in any case. Nothing is returned unless every line is good; the error of a bad
// line is a *LineError.
func ReadCSV(r io.Reader) ([]Rate, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = -1
	lines.TrimLeadingSpace = true
	lines.ReuseRecord = true
	var rates []Rate
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, lineError(err)
		}
		line, _ := lines.FieldPos(0)
		if len(rates) == 0 && isHeader(fields) {
			continue
		}
		rate, err := parseLine(fields)
		if err != nil {
			return nil, &LineError{Line: line, Message: err.Error()}
		}
		rates = append(rates, rate)
	}
	if len(rates) == 0 {
		return nil, &LineError{Line: 1, Message: "the file holds no rates; expected lines of date,base,quote,rate such as 2026-01-31,eur,usd,1.0796"}
	}
	return rates, nil
}

// lineError gives a syntax error of the CSV its line; errors of the reader pass.
func lineError(err error) error {
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		return &LineError{Line: syntax.Line, Message: syntax.Err.Error()}
	}
	return fmt.Errorf("read rates: %w", err)
}

func isHeader(fields []string) bool {
	if len(fields) != len(header) {
		return false
	}
	for i, name := range header {
		if !strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(fields[i], "\ufeff")), name) {
			return false
		}
	}
	return true
}

func parseLine(fields []string) (Rate, error) {
	if len(fields) != len(header) {
		return Rate{}, fmt.Errorf("%d fields instead of date,base,quote,rate", len(fields))
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	day, err := calendar.ParseDay(fields[0])
	if err != nil {
		return Rate{}, fmt.Errorf("date: %w", err)
	}
	base, err := money.Parse(fields[1])
	if err != nil {
		return Rate{}, fmt.Errorf("base: %w", err)
	}
	quote, err := money.Parse(fields[2])
	if err != nil {
		return Rate{}, fmt.Errorf("quote: %w", err)
	}
	if base == quote {
		return Rate{}, fmt.Errorf("base and quote are both %s", base)
	}
	if _, err := parseValue(fields[3]); err != nil {
		return Rate{}, fmt.Errorf("rate: %w", err)
	}
	return Rate{Day: day, Base: base.Code(), Quote: quote.Code(), Value: strings.Clone(fields[3])}, nil
}
