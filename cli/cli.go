// Package cli is the command line client of the API: every command is one
// request through apiclient, its answer printed as a table for people and as
// JSON or CSV for scripts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// Env is what the commands need of the process around them.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool // standard input is a terminal: there is no body to read
	OutTTY   bool // standard output is a terminal: print tables by default

	// Connect returns a client for the key and URL given as flags; an empty one is
	// taken from the environment or the configuration file.
	Connect func(key apiclient.Secret, baseURL string) (*apiclient.Client, error)
}

// client is the state that the commands of one run share.
type client struct {
	Env
	key     string
	url     string
	format  string
	verbose bool
}

// Attach adds the client's commands to root, in the group of this id or "" for
// none. The options that all of them take may stand before a command or behind.
func Attach(root *cobra.Command, group string, env Env) {
	c := &client{Env: env}
	for _, cmd := range []*cobra.Command{
		c.reports(), c.customers(), c.plans(), c.data(), c.exports(), c.settings(), c.integrations(), c.account(), c.api(),
	} {
		c.globals(cmd.PersistentFlags())
		cmd.GroupID = group
		root.AddCommand(cmd)
	}
	c.globals(root.Flags()) // not persistent: other commands of root do not take them
	root.TraverseChildren = true
}

func (c *client) globals(f *pflag.FlagSet) {
	f.StringVar(&c.key, "api-key", "", "API `key` (else GROWPANEL_API_KEY, GROWPANEL_API_TOKEN, ~/.growpanelrc)")
	f.StringVar(&c.url, "api-url", "", "API base `URL` (else GROWPANEL_API_URL, ~/.growpanelrc, https://api.growpanel.io)")
	f.StringVar(&c.format, "format", "", "output `format`: json, table or csv (default: table on a terminal, else json)")
	f.Bool("no-color", false, "accepted for scripts: output has no colors")
	f.BoolVar(&c.verbose, "verbose", false, "log the request and the status to standard error")
}

// request is one call of the API.
type request struct {
	method   string
	segments []string
	query    url.Values
	body     []byte
}

// call sends a request and prints its answer.
func (c *client) call(ctx context.Context, r request) error {
	format, err := c.outputFormat()
	if err != nil {
		return err
	}
	api, err := c.Connect(apiclient.NewSecret(c.key), c.url)
	if err != nil {
		return err
	}
	path := ""
	for _, s := range r.segments {
		path += "/" + url.PathEscape(s)
	}
	if c.verbose {
		_, _ = fmt.Fprintln(c.Err, r.method, api.BaseURL()+path, r.query.Encode())
	}
	res, err := api.Do(ctx, r.method, r.segments, r.query, r.body)
	if err != nil {
		return explain(err)
	}
	if c.verbose {
		_, _ = fmt.Fprintln(c.Err, "←", res.Status, http.StatusText(res.Status))
	}
	return render(c.Out, format, r.method, path, res)
}

func (c *client) outputFormat() (string, error) {
	switch c.format {
	case "json", "table", "csv":
		return c.format, nil
	case "":
		if c.OutTTY {
			return "table", nil
		}
		return "json", nil
	default:
		return "", fmt.Errorf("--format %q: must be json, table or csv", c.format)
	}
}

// explain turns an API error into the words of a command line.
func explain(err error) error {
	var e *apiclient.Error
	if !errors.As(err, &e) {
		var unreachable *net.OpError
		switch {
		case errors.Is(err, apiclient.ErrNoKey):
			return errors.New(`no API key: give --api-key, set GROWPANEL_API_KEY, or put {"api_key": "..."} into ~/.growpanelrc`)
		case errors.As(err, &unreachable):
			return fmt.Errorf("the API cannot be reached; --api-url or GROWPANEL_API_URL says where it is: %w", err)
		}
		return err
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return errors.New("unauthorized: check your API key (--api-key, GROWPANEL_API_KEY or ~/.growpanelrc)")
	case http.StatusTooManyRequests:
		return errors.New("rate limit exceeded: wait a minute and try again")
	}
	text := fmt.Sprintf("%s (HTTP %d)", e.Message, e.Status)
	for _, d := range e.Details {
		if d.Index == nil && strings.Contains(e.Message, d.Message) {
			continue // said already
		}
		text += "\n  "
		if d.Index != nil {
			text += fmt.Sprintf("row %d: ", *d.Index)
		}
		if d.Field != "" {
			text += d.Field + ": "
		}
		text += d.Message
	}
	return errors.New(text)
}
