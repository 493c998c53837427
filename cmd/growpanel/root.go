package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/cli"
	"github.com/growpanel/growpanel-mcp/config"
)

// root is the whole command tree.
func (p process) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "growpanel",
		Short:         "Subscription analytics: a REST API, an MCP server for AI clients, and a command line",
		Version:       version,
		Args:          cobra.NoArgs, // any is an unknown command
		RunE:          cli.HelpAndFail,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.AddGroup(&cobra.Group{ID: "server", Title: "Servers:"}, &cobra.Group{ID: "client", Title: "Commands on the API:"})
	for _, cmd := range []*cobra.Command{p.serve(), p.mcp(), p.admin()} {
		cmd.GroupID = "server"
		root.AddCommand(cmd)
	}
	cli.Attach(root, "client", cli.Env{In: p.in, Out: p.out, Err: p.err, InTTY: p.inTTY, OutTTY: p.outTTY, Connect: p.connect})
	root.Flags().BoolP("version", "V", false, "version for growpanel")
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { cmd.Println("growpanel", version) },
	})
	return root
}

// connect returns an API client; what is not given comes from the environment.
func (p process) connect(key apiclient.Secret, address string) (*apiclient.Client, error) {
	client, err := p.loadClient(p.config(nil))
	if err != nil {
		return nil, err
	}
	if key.IsZero() {
		key = apiclient.NewSecret(client.APIKey.Reveal())
	}
	if address == "" {
		address = client.APIURL
	}
	return apiclient.New(apiclient.Options{BaseURL: address, Key: key, UserAgent: "growpanel/" + version})
}

// loadClient reads the configuration of an API client and passes on its warning.
func (p process) loadClient(source config.Source) (config.Client, error) {
	client, err := config.LoadClient(source)
	if client.Warning != "" {
		_, _ = fmt.Fprintln(p.err, "Warning:", client.Warning) // nowhere left to say so
	}
	return client, err
}

// addSettings gives a command the flags that package config has for it.
func addSettings(flags *pflag.FlagSet, command config.Command) {
	for _, s := range config.Flags(command) {
		help := fmt.Sprintf("%s [$%s]", s.Help, s.Env)
		if !s.Switch() {
			help += fmt.Sprintf(" (default %s)", s.Default)
		}
		// pflag would take a quoted word for the name of the value.
		flag := flags.VarPF(&text{kind: s.Kind}, s.Flag, "", strings.ReplaceAll(help, "`", ""))
		if s.Switch() {
			flag.NoOptDefVal = "on"
		}
	}
}

// text is a flag as it was typed; package config reads it.
type text struct{ kind, value string }

// String implements pflag.Value.
func (t *text) String() string { return t.value }

// Set implements pflag.Value.
func (t *text) Set(value string) error {
	t.value = value
	return nil
}

// Type implements pflag.Value; usage shows it.
func (t *text) Type() string { return t.kind }

// source is the configuration of a command: its flags that were given, and the
// environment.
func (p process) source(flags *pflag.FlagSet) config.Source {
	given := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	return p.config(given)
}
