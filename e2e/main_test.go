// Package e2e drives the real binaries from outside, with the clients that
// people use. `go test -short` leaves it out.
package e2e

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx/httpxtest"
)

// patience bounds everything that is waited for. It is no measure of speed.
const patience = 2 * time.Minute

// bin is the folder of the binaries under test.
var bin string

func TestMain(m *testing.M) {
	httpxtest.KeepConnections()
	flag.Parse()
	if testing.Short() {
		_, _ = fmt.Fprintln(os.Stdout, "e2e: left out by -short")
		os.Exit(0)
	}
	os.Exit(run(m))
}

// run builds the binaries once for all tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "growpanel-e2e-")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/",
		"../cmd/growpanel", "../cmd/growpanel-mcp", "../mcp/internal/conformance")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "e2e: build: %v\n%s", err, out)
		return 1
	}
	bin = dir
	return m.Run()
}

// program returns the path of a binary under test.
func program(name string) string { return filepath.Join(bin, name) }

// demo is a running platform with the demo company.
type demo struct {
	mcpURL, apiURL, key string
}

// demoDay is today for the demo company, so that answers stay the same.
const demoDay = "2026-06-30"

// startDemo starts growpanel serve --demo with a data folder of its own, and
// stops it when the test ends. More flags come after ours and win; settings, as
// NAME=value, go into its environment.
func startDemo(t *testing.T, more ...string) demo {
	t.Helper()
	isSetting := regexp.MustCompile("^[A-Z_]+=").MatchString
	env := cleanEnv(slices.DeleteFunc(slices.Clone(more), func(text string) bool { return !isSetting(text) })...)
	flags := append([]string{
		"serve", "--demo", "--now", demoDay, "--data", t.TempDir(),
		"--api-listen", "127.0.0.1:0", "--mcp-listen", "127.0.0.1:0", "--rate-limits", "off",
	}, slices.DeleteFunc(more, isSetting)...)
	banner := start(t, env, regexp.MustCompile(`API key +\S+`), program("growpanel"), flags...)
	find := func(label string) string {
		match := regexp.MustCompile(label + ` +(\S+)`).FindStringSubmatch(banner)
		if match == nil {
			t.Fatalf("growpanel serve --demo does not print its %s:\n%s", label, banner)
		}
		return match[1]
	}
	return demo{mcpURL: find("MCP endpoint"), apiURL: find("REST API"), key: find("API key")}
}

// start runs a server until the test ends and returns what it has printed by
// the time that ready matches a line. The server has to end cleanly when it is
// asked to.
func start(t testing.TB, env []string, ready *regexp.Regexp, name string, args ...string) string {
	t.Helper()
	text, _ := startUntil(t, env, ready, name, args...)
	return text
}

// startUntil is start for a process that may be stopped before the test ends.
func startUntil(t testing.TB, env []string, ready *regexp.Regexp, name string, args ...string) (text string, stop func()) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, writer, writer
	err = cmd.Start()
	_ = writer.Close() // the server has its own end
	if err != nil {
		t.Fatal(err)
	}
	var log lineLog
	found := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		log.follow(reader, ready, found)
	}()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		err := cmd.Wait()
		<-read
		if err != nil {
			t.Errorf("%s ended with %v", filepath.Base(name), err)
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(name), log.String())
		}
	})
	t.Cleanup(stop)
	select {
	case text = <-found:
		return text, stop
	case <-read:
		t.Fatalf("%s ended before it was ready", filepath.Base(name))
	case <-time.After(patience):
		t.Fatalf("%s is not ready", filepath.Base(name))
	}
	return "", stop
}

// lineLog collects the output of a process while it is written.
type lineLog struct {
	mu   sync.Mutex
	text strings.Builder
}

// follow reads to the end, and sends what there is when ready matches a line
// for the first time.
func (l *lineLog) follow(from io.ReadCloser, ready *regexp.Regexp, found chan<- string) {
	defer func() { _ = from.Close() }()
	lines := bufio.NewScanner(from)
	for waiting := true; lines.Scan(); {
		l.mu.Lock()
		l.text.WriteString(lines.Text() + "\n")
		l.mu.Unlock()
		if waiting && ready.MatchString(lines.Text()) {
			waiting = false
			found <- l.String()
		}
	}
}

func (l *lineLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// cleanEnv is the environment without settings of ours, and with a home folder
// that has none either.
func cleanEnv(more ...string) []string {
	env := []string{"HOME=" + bin}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GROWPANEL_") && !strings.HasPrefix(entry, "HOME=") {
			env = append(env, entry)
		}
	}
	return append(env, more...)
}

// output runs a command to its end and returns its standard output.
func output(t *testing.T, env []string, stdin io.Reader, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	cmd.Stdin = stdin
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), errors.Join(err, errors.New(stdout.String()+stderr.String()))
	}
	return stdout.String(), nil
}

// installed returns the path of something from package.json.
func installed(t *testing.T, path string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("node_modules", path))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is not installed: run npm ci --prefix e2e", path)
	}
	absolute, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
