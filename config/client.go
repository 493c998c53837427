package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// DefaultAPI is where clients find the API unless told otherwise.
const DefaultAPI = "https://api.growpanel.io"

// The variables that clients read.
const (
	envAPIKey   = "GROWPANEL_API_KEY"   //nolint:gosec // G101: the name of a variable, not a credential
	envAPIToken = "GROWPANEL_API_TOKEN" //nolint:gosec // G101: likewise
	envAPIURL   = "GROWPANEL_API_URL"
	envReadOnly = "GROWPANEL_READ_ONLY"
	rcFile      = ".growpanelrc"
)

// Client is the configuration of a program that calls the API.
type Client struct {
	// APIKey is empty when none was found: the first call then says so, which a
	// person reads sooner than the log of a server that did not start.
	APIKey Secret
	// APIURL is an origin without a trailing slash.
	APIURL string
	// ReadOnly leaves only MCP tools and actions that change nothing.
	ReadOnly bool
	// Warning is for the person at the screen, "" for none.
	Warning string
}

// LoadClient reads the configuration of an API client: the variables, then
// ~/.growpanelrc for what they leave open.
func LoadClient(source Source) (Client, error) {
	var serve Serve
	err := source.apply(&serve, MCP)
	file, fileErr := source.file()
	if err := errors.Join(err, fileErr); err != nil {
		return Client{}, err
	}

	key, given := source.env(envAPIKey)
	if !given {
		key, given = source.env(envAPIToken)
	}
	if !given {
		key = file.APIKey
	}
	c := Client{APIKey: Secret{key}, APIURL: DefaultAPI, ReadOnly: serve.ReadOnly}
	if file.APIKey != "" && file.shared {
		c.Warning = "others on this machine can read the API key in ~/" + rcFile + ": chmod 600 ~/" + rcFile
	}

	address, name := file.APIURL, "api_url in ~/"+rcFile
	if value, given := source.env(envAPIURL); given {
		address, name = value, envAPIURL
	}
	if address == "" {
		return c, nil
	}
	if err := setOrigin(&c.APIURL, address); err != nil {
		return Client{}, &Error{Name: name, Value: address, Want: err.Error()}
	}
	return c, nil
}

// clientFile is the content of ~/.growpanelrc; unknown keys are other tools'.
type clientFile struct {
	APIKey string `json:"api_key"`
	APIURL string `json:"api_url"`
	shared bool   // others than its owner can read it
}

func (s Source) file() (clientFile, error) {
	var file clientFile
	if s.Home == "" {
		return file, nil
	}
	name := filepath.Join(s.Home, rcFile)
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("read ~/%s: %w", rcFile, err)
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return clientFile{}, &Error{Name: "~/" + rcFile, Want: `a JSON object such as {"api_key": "..."}`}
	}
	info, err := os.Stat(name)
	if err != nil {
		return clientFile{}, fmt.Errorf("read ~/%s: %w", rcFile, err)
	}
	file.shared = runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 // Windows has no such bits
	return file, nil
}
