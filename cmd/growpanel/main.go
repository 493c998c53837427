// Command growpanel is the subscription analytics platform in one binary: the
// REST API, the MCP server for AI clients, and the command line client.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/growpanel/growpanel-mcp/config"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	p := process{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, inTTY: isTerminal(os.Stdin), outTTY: isTerminal(os.Stdout),
		now: time.Now, config: config.FromOS,
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// isTerminal reports whether a person is at the other end of a file.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// process is what a command needs of the process it runs in.
type process struct {
	in       io.Reader
	out, err io.Writer
	inTTY    bool
	outTTY   bool
	now      func() time.Time
	config   func(flags map[string]string) config.Source
}

// logger writes to standard error, where it cannot get into a program's output
// or into MCP messages.
func (p process) logger() *slog.Logger { return slog.New(slog.NewTextHandler(p.err, nil)) }

// run executes a command line and returns the exit code.
func (p process) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(p.err, "Error:", err) // nowhere left to say so
		return 1
	}
	return 0
}
