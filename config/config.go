// Package config turns flags, GROWPANEL_* variables and ~/.growpanelrc into
// validated values. It is the only package that reads the environment.
//
// A flag wins over its variable, a variable over the default. An empty variable
// counts as unset. All values that are wrong are reported at once, each with
// its name and with what would be right.
package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// Source is where settings come from. The zero Source has every setting at its
// default.
type Source struct {
	// Flags holds the flags that were given, without dashes.
	Flags map[string]string
	// Lookup reads an environment variable, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// Home is the user's home folder, where .growpanelrc may be; "" for none.
	Home string
}

// FromOS is the source of a real process.
func FromOS(flags map[string]string) Source {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // no home folder, so no configuration file
	}
	return Source{Flags: flags, Lookup: os.LookupEnv, Home: home}
}

// Error says which setting is wrong and what would be right.
type Error struct {
	Name  string // "--api-listen" or "GROWPANEL_API_LISTEN"
	Value string // as given; "" when it must not be shown
	Want  string
}

func (e *Error) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: want %s", e.Name, e.Want)
	}
	return fmt.Sprintf("%s %q: want %s", e.Name, e.Value, e.Want)
}

// Command is a command that takes settings.
type Command string

// The commands with settings of their own.
const (
	ServeAll Command = "serve"
	ServeAPI Command = "serve api"
	ServeMCP Command = "serve mcp"
	MCP      Command = "mcp"
	Admin    Command = "admin"
	// AdminConnections is operator work on the connections of assistants.
	AdminConnections Command = "admin token"
)

// Setting describes one flag and its variable.
type Setting struct {
	Flag    string // without dashes; "" when there is no flag
	Env     string
	Kind    string // how usage calls the value; "" for a switch
	Default string // as written in the documentation; "" for none
	Help    string // one line
	// Commands are those that take the setting.
	Commands []Command
	// Secret values are not repeated when they are wrong.
	Secret bool
	// apply parses a value into the configuration. Its error says what would be
	// right, in the form that Error.Want has.
	apply func(c *Serve, value string) error
}

// Switch reports whether the setting is either on or off.
func (s Setting) Switch() bool { return s.Kind == "" }

// Flags lists the settings that have a flag on a command.
func Flags(command Command) []Setting {
	return slices.DeleteFunc(settings(command), func(s Setting) bool { return s.Flag == "" })
}

// settings lists what a command can be told by flags and variables.
func settings(command Command) []Setting {
	return slices.DeleteFunc(serveSettings(), func(s Setting) bool {
		return !slices.Contains(s.Commands, command)
	})
}

// value returns what a setting was given and by what name.
func (s Source) value(setting Setting) (value, name string, given bool) {
	if value, given = s.Flags[setting.Flag]; given && setting.Flag != "" {
		return value, "--" + setting.Flag, true
	}
	value, given = s.env(setting.Env)
	return value, setting.Env, given
}

func (s Source) env(name string) (value string, given bool) {
	if s.Lookup == nil {
		return "", false
	}
	value, _ = s.Lookup(name)
	return value, value != ""
}

// apply fills c with every setting of the command that was given.
func (s Source) apply(c *Serve, command Command) error {
	var all []error
	for _, setting := range settings(command) {
		value, name, given := s.value(setting)
		if !given {
			continue
		}
		if err := setting.apply(c, value); err != nil {
			if setting.Secret {
				value = ""
			}
			all = append(all, &Error{Name: name, Value: value, Want: err.Error()})
		}
	}
	return errors.Join(all...)
}
