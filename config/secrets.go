package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	envSecret     = "GROWPANEL_SECRET"
	envSecretFile = "GROWPANEL_SECRET_FILE"
	// SecretFile is the file in the data folder that holds a drawn secret.
	SecretFile     = "secret"
	minSecretBytes = 32
)

// secretSettings documents what Source.secrets reads.
func secretSettings() []Setting {
	return []Setting{
		{Env: envSecret, Default: "drawn once, kept in the data folder", Help: "secrets of 32 bytes or more from which every key of the platform is derived, separated by commas: the first seals, all open. Losing it ends all connections of assistants, and loses the credentials of data sources and webhooks"},
		{Env: envSecretFile, Help: "file that holds them, instead of `GROWPANEL_SECRET`"},
	}
}

// secrets reads the product's own secrets; none when neither variable is set.
func (s Source) secrets() ([]Secret, error) {
	value, given := s.env(envSecret)
	path, byFile := s.env(envSecretFile)
	switch {
	case given && byFile:
		return nil, &Error{Name: envSecretFile, Want: "to be unset where " + envSecret + " is set"}
	case given:
		return parseSecrets(envSecret, value)
	case byFile:
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, &Error{Name: envSecretFile, Value: path, Want: "a file that can be read: " + err.Error()}
		}
		return parseSecrets(envSecretFile, string(content))
	default:
		return nil, nil
	}
}

// parseSecrets reads a list separated by commas or line breaks.
func parseSecrets(name, text string) ([]Secret, error) {
	wrong := &Error{Name: name, Want: fmt.Sprintf("secrets of at least %d bytes, separated by commas", minSecretBytes)}
	var secrets []Secret
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		part = strings.TrimSpace(part)
		if len(part) < minSecretBytes {
			return nil, wrong
		}
		secrets = append(secrets, Secret{part})
	}
	if len(secrets) == 0 {
		return nil, wrong
	}
	return secrets, nil
}

// FolderSecrets returns the configured secrets, or the one of a data folder,
// which is drawn when the folder has none. The folder has to exist.
func (c Serve) FolderSecrets(folder string) ([]Secret, error) {
	if len(c.Secrets) > 0 {
		return c.Secrets, nil
	}
	path := filepath.Join(folder, SecretFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = drawSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret of the data folder: %w", err)
	}
	return parseSecrets(path, string(content))
}

// drawSecret writes a new secret where there is none. Of two processes that do so
// at once, one wins and both return its secret: the file appears whole.
func drawSecret(path string) ([]byte, error) {
	var random [minSecretBytes]byte
	rand.Read(random[:]) // never fails
	file, err := os.CreateTemp(filepath.Dir(path), SecretFile+"-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }() // a second name of what is linked
	_, err = file.WriteString(hex.EncodeToString(random[:]) + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}
