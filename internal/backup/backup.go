// Package backup puts data files into one archive and takes them out again. An
// archive is a tar file whose first entry, manifest.json, tells the size and the
// SHA-256 of every other, so that a damaged one is found before anything is
// replaced.
package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	manifestName = "manifest.json"
	maxManifest  = 64 << 10
	// format is that of the archive itself.
	format = 1
)

// Manifest says what is in an archive.
type Manifest struct {
	Format    int       `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"` // of the program that made it
	Files     []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Name   string `json:"name"` // without a folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // in hex
}

// Has reports whether the archive has a file of this name.
func (m *Manifest) Has(name string) bool {
	for _, f := range m.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Write writes an archive of the named files of a folder, reads it again and
// compares it with its manifest. When it returns nil the archive is whole and on
// disk; otherwise there is none. It does not replace a file.
func Write(archive, folder string, names []string, m Manifest) (_ Manifest, err error) {
	if _, err := os.Lstat(archive); !errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("%s is there already: choose another name", archive)
	}
	m.Format = format
	for _, name := range names {
		f, err := describe(folder, name)
		if err != nil {
			return m, fmt.Errorf("read %s: %w", name, err)
		}
		m.Files = append(m.Files, f)
	}
	out, err := os.CreateTemp(filepath.Dir(archive), filepath.Base(archive)+".partial-*")
	if err != nil {
		return m, fmt.Errorf("write archive: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	if err := errors.Join(m.write(out, folder), out.Sync(), out.Close()); err != nil {
		return m, fmt.Errorf("write archive: %w", err)
	}
	if _, err := Verify(out.Name()); err != nil {
		return m, fmt.Errorf("read the archive again: %w", err)
	}
	if err := os.Rename(out.Name(), archive); err != nil {
		return m, fmt.Errorf("write archive: %w", err)
	}
	return m, nil
}

func describe(folder, name string) (File, error) {
	in, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return File{}, err
	}
	defer func() { _ = in.Close() }() // it was only read
	sum := sha256.New()
	size, err := io.Copy(sum, in)
	return File{Name: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func (m *Manifest) write(out io.Writer, folder string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	if err := w.WriteHeader(m.header(manifestName, int64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := m.add(w, folder, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return w.Close()
}

func (m *Manifest) add(w *tar.Writer, folder string, f File) error {
	in, err := os.Open(filepath.Join(folder, f.Name))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if err := w.WriteHeader(m.header(f.Name, f.Size)); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

func (m *Manifest) header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: m.CreatedAt}
}

// Verify reads a whole archive and returns its manifest, or an error that says
// what is wrong with it.
func Verify(archive string) (Manifest, error) {
	return read(archive, func(File) (io.WriteCloser, error) { return nopCloser{io.Discard}, nil })
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Extract takes the files of an archive out into a folder, which must have none
// of them. After an error the folder may hold some of them.
func Extract(archive, folder string) (Manifest, error) {
	return read(archive, func(f File) (io.WriteCloser, error) {
		return os.OpenFile(filepath.Join(folder, f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
}

// read hands the files of an archive to create, in order, and compares them
// with the manifest.
func read(archive string, create func(File) (io.WriteCloser, error)) (m Manifest, err error) {
	in, err := os.Open(archive)
	if err != nil {
		return m, err
	}
	defer func() { _ = in.Close() }() // it was only read
	r := tar.NewReader(in)
	if m, err = readManifest(r); err != nil {
		return m, fmt.Errorf("%s is not a backup: %w", archive, err)
	}
	for _, f := range m.Files {
		if err := readFile(r, f, create); err != nil {
			return m, fmt.Errorf("%s: %s: %w", archive, f.Name, err)
		}
	}
	return m, nil
}

func readManifest(r *tar.Reader) (m Manifest, err error) {
	h, err := r.Next()
	if err != nil {
		return m, err
	}
	if h.Name != manifestName {
		return m, fmt.Errorf("it begins with %q instead of %s", h.Name, manifestName)
	}
	if err := json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("its format is %d, this program reads %d", m.Format, format)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if f.Name == "" || f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." || seen[f.Name] {
			return m, fmt.Errorf("%s: the file name %q is not one", manifestName, f.Name)
		}
		seen[f.Name] = true
	}
	return m, nil
}

func readFile(r *tar.Reader, f File, create func(File) (io.WriteCloser, error)) error {
	h, err := r.Next()
	if errors.Is(err, io.EOF) {
		return errors.New("it is missing")
	}
	if err != nil {
		return err
	}
	if h.Name != f.Name || h.Typeflag != tar.TypeReg {
		return fmt.Errorf("found %q instead", h.Name)
	}
	out, err := create(f)
	if err != nil {
		return err
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(r, f.Size+1))
	if err := errors.Join(err, sync(out), out.Close()); err != nil {
		return err
	}
	if size != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errors.New("it is damaged: its size or checksum is not what the manifest says")
	}
	return nil
}

// sync forces a file to disk; other writers have nothing to force.
func sync(w io.Writer) error {
	if f, ok := w.(*os.File); ok {
		return f.Sync()
	}
	return nil
}
