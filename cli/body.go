package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// limitBytes bounds a body read from a file or standard input; the API takes no
// more.
const limitBytes = 20 << 20

// body returns the request body: the flag's JSON, the file after an @, or
// standard input. A command that needs none passes required false and then
// never waits for input.
func (c *client) body(flag string, required bool) ([]byte, error) {
	switch {
	case strings.HasPrefix(flag, "@"):
		f, err := os.Open(flag[1:])
		if err != nil {
			return nil, fmt.Errorf("read the body: %w", err)
		}
		defer func() { _ = f.Close() }()
		return readJSON(f, "the file "+flag[1:])
	case flag != "":
		return checkJSON([]byte(flag), "--body")
	case !required:
		return nil, nil
	case c.InTTY:
		return nil, errors.New(`no request body: give --body '{"key": "value"}', --body @file.json, or pipe JSON in`)
	default:
		return readJSON(c.In, "standard input")
	}
}

func readJSON(r io.Reader, from string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limitBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the body from %s: %w", from, err)
	}
	if len(b) > limitBytes {
		return nil, fmt.Errorf("the body from %s is larger than 20 MiB: send it in parts", from)
	}
	return checkJSON(b, from)
}

func checkJSON(b []byte, from string) ([]byte, error) {
	if len(strings.TrimSpace(string(b))) == 0 {
		return nil, fmt.Errorf("%s is empty: expected JSON", from)
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("%s is not valid JSON", from)
	}
	return b, nil
}
