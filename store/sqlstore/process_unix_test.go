//go:build unix

package sqlstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// childArg as the first argument turns the test binary into one of the
// processes that the tests start; the name of its role and the data folder
// follow.
const childArg = "child-process"

// TestMain plays a child's role, or runs the tests.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == childArg {
		os.Exit(runChild(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

func runChild(role, folder string) int {
	play := map[string]func(ctx context.Context, folder string) error{
		"writer":   playWriter,
		"operator": playOperator,
		"holder":   playHolder,
		"confined": playConfined,
		"stranger": playStranger,
	}[role]
	if err := play(context.Background(), folder); err != nil {
		fmt.Fprintf(os.Stderr, "child %s: %v\n", role, err)
		return 1
	}
	return 0
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner // its standard output
}

func start(t *testing.T, role, folder string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], childArg, role, folder)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // never closed: a child that reads it waits
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return process{cmd: cmd, lines: bufio.NewScanner(out)}
}

// kill ends the process as a power button would, for all it can notice.
func (p process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("kill: %v", err)
	}
}

func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the child ended early: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// finish waits for a child that ends by itself.
func (p process) finish(t *testing.T) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("child: %v", err)
	}
}

// playHolder keeps the folder's lock until its end.
func playHolder(_ context.Context, folder string) error {
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, lock.Release())
}

func TestLockFolder_HeldByAnotherProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, "holder", folder)
	p.line(t)
	_, err := sqldb.LockFolder(folder)
	locked, ok := errors.AsType[*sqldb.LockedError](err)
	if !ok || locked.PID != p.cmd.Process.Pid {
		t.Errorf("LockFolder: %v, want a LockedError of process %d", err, p.cmd.Process.Pid)
	}
	p.kill(t)
	_ = p.cmd.Wait() // killed: always an error
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		t.Fatalf("LockFolder after the holder was killed: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// playConfined commits until the disk refuses, and once more when it does not.
func playConfined(ctx context.Context, folder string) (err error) {
	signal.Ignore(unix.SIGXFSZ) // so that writes return EFBIG instead
	s, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 2 << 20, Max: limit.Max}); err != nil {
		return err
	}
	h := newHistory("0")
	refused := h.commitUntilError(ctx, s)
	if !errors.Is(refused, sqldb.ErrDisk) && !errors.Is(refused, sqldb.ErrDiskFull) {
		return fmt.Errorf("commit to a full disk: %w, want sqldb.ErrDisk or ErrDiskFull", refused)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return h.commit(ctx, s)
}

func TestCommit_DiskRefusesWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, "confined", folder)
	acked := make(map[string]uint64)
	p.acks(t, acked)
	p.finish(t)
	if acked["0"] < 10 {
		t.Errorf("%d commits before the disk was full, want some", acked["0"])
	}
	verify(t, open(t, folder), acked)
}

// playStranger opens the folder without the rights of root and says what
// happened.
func playStranger(ctx context.Context, folder string) error {
	const nobody = 65534
	if os.Getuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	s, err := sqlstore.Open(ctx, folder)
	if err == nil {
		return errors.Join(errors.New("opened what it may not write"), s.Close())
	}
	fmt.Println(err)
	return nil
}
