package oauthtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Redis is a redis-server of a test's own.
type Redis struct {
	Addr string // host:port on loopback

	args    []string
	command *exec.Cmd
	output  *lockedBuffer
	exited  chan struct{}
}

// URL returns the address of one of the server's databases.
func (r *Redis) URL(database int) string { return fmt.Sprintf("redis://%s/%d", r.Addr, database) }

// StartRedis starts a redis-server that keeps what it acknowledges, with more
// settings in the form of its command line, and stops it with the test.
func StartRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	var last error
	for range 5 { // another process may take the port first
		r, err := startRedis(t.TempDir(), settings)
		if err == nil {
			t.Cleanup(r.Stop)
			return r
		}
		last = err
	}
	t.Fatalf("start redis-server: %v", last)
	return nil
}

func startRedis(folder string, settings []string) (*Redis, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", folder, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--databases", "1024",
		"--pidfile", filepath.Join(folder, "redis.pid"),
	}, settings...)
	r := &Redis{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), args: args, output: &lockedBuffer{}}
	return r, r.start()
}

func (r *Redis) start() error {
	r.command, r.exited = exec.Command("redis-server", r.args...), make(chan struct{})
	r.command.Stdout, r.command.Stderr = r.output, r.output
	if err := r.command.Start(); err != nil {
		return err
	}
	go func(command *exec.Cmd, exited chan struct{}) {
		_ = command.Wait() // killed, as Stop does
		close(exited)
	}(r.command, r.exited)
	if err := r.ready(); err != nil {
		r.Stop()
		return fmt.Errorf("%w: %s", err, r.output)
	}
	return nil
}

// Restart starts a server that was stopped over the data that it left.
func (r *Redis) Restart(t testing.TB) {
	t.Helper()
	if err := r.start(); err != nil {
		t.Fatalf("restart redis-server: %v", err)
	}
}

// ready waits until the server answers.
func (r *Redis) ready() error {
	deadline := time.After(20 * time.Second)
	for {
		if r.ping() {
			return nil
		}
		select {
		case <-r.exited:
			return errors.New("redis-server has exited")
		case <-deadline:
			return errors.New("redis-server does not answer")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// ping is false while the server still reads its data.
func (r *Redis) ping() bool {
	answer, err := r.Do("PING")
	return err == nil && bytes.HasPrefix(answer, []byte("+PONG"))
}

// Do sends one command of plain words and returns the start of the answer as it
// is on the wire.
func (r *Redis) Do(command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", r.Addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	return answer[:n], err
}

// Stop kills the server, as a machine that goes down does.
func (r *Redis) Stop() {
	_ = r.command.Process.Kill() // it may have exited
	<-r.exited
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("listening on %s", listener.Addr())
	}
	return address.Port, listener.Close()
}

// lockedBuffer takes what a server prints while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
