package csvfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Position is how far an import has come: all steps before Step, and so many
// records of it, are done with.
type Position struct {
	Import  string `json:"import"` // tells imports apart: files, their contents and how they are read
	Step    int    `json:"step"`
	Records int64  `json:"records"`
	Result  Result `json:"result"`
}

// Checkpoint keeps the position of an import.
type Checkpoint interface {
	// Load returns what was saved last, nil when there is nothing.
	Load() (*Position, error)
	Save(p Position) error
	// Clear forgets it, at the end of the import.
	Clear() error
}

// CheckpointFile keeps a position in a file. For is part of what tells imports
// apart: the data source, for example.
type CheckpointFile struct {
	Path string
	For  string
}

// Load implements Checkpoint.
func (c CheckpointFile) Load() (*Position, error) {
	content, err := os.ReadFile(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saved savedPosition
	if err := json.Unmarshal(content, &saved); err != nil {
		return nil, fmt.Errorf("%s is no checkpoint of an import: %w", c.Path, err)
	}
	if saved.For != c.For {
		return nil, fmt.Errorf("%s is the checkpoint of an import into %s: remove it to begin anew", c.Path, saved.For)
	}
	return &saved.Position, nil
}

type savedPosition struct {
	For string `json:"for"`
	Position
}

// Save implements Checkpoint. The file is replaced as a whole.
func (c CheckpointFile) Save(p Position) error {
	content, err := json.Marshal(savedPosition{For: c.For, Position: p})
	if err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	next := c.Path + ".next"
	if err := os.WriteFile(next, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return os.Rename(next, filepath.Clean(c.Path))
}

// Clear implements Checkpoint.
func (c CheckpointFile) Clear() error {
	err := os.Remove(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// resume returns where to begin.
func (r *run) resume() (Position, error) {
	if r.options.Checkpoint == nil {
		return Position{}, nil
	}
	var err error
	if r.print, err = r.options.fingerprint(); err != nil {
		return Position{}, err
	}
	saved, err := r.options.Checkpoint.Load()
	if err != nil || saved == nil {
		return Position{}, err
	}
	if saved.Import != r.print {
		return Position{}, errors.New("the checkpoint is of other files or options: remove it to begin anew")
	}
	r.result = saved.Result
	return *saved, nil
}

func (r *run) save(p Position) error {
	p.Import, p.Result = r.print, r.result
	return r.options.Checkpoint.Save(p)
}

// fingerprint tells imports apart by how files are read and how they begin.
func (o *Options) fingerprint() (string, error) {
	sum := sha256.New()
	mapped, err := json.Marshal(o.Map)
	if err != nil {
		return "", fmt.Errorf("encode mapping: %w", err)
	}
	_, _ = fmt.Fprintf(sum, "%q %q %q %q %t %q\n", o.Preset, mapped, o.Encoding, string(o.Delimiter)+o.Dates+o.Decimals, o.Major, o.Currency)
	files := slices.SortedFunc(slices.Values(o.Files), func(a, b File) int { return cmp.Compare(a.Kind, b.Kind) })
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%q %d\n", f.Kind, f.Size)
		if err := begin(sum, f); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func begin(to io.Writer, f File) error {
	file, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.CopyN(to, file, sampleBytes)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
