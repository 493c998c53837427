//go:build unix

package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// workerArg as the first argument turns the test binary into a process that
// enqueues and runs jobs until it is killed; the data folder and a prefix for
// the ids follow.
const workerArg = "worker-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == workerArg {
		if err := work(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work prints "ran ID" when a job runs and "acknowledged ID" once one is
// enqueued.
func work(folder, prefix string) error {
	s, err := sqlstore.Open(context.Background(), folder)
	if err != nil {
		return err
	}
	runner, err := crashRunner(s, func(id string) { fmt.Println("ran", id) })
	if err != nil {
		return err
	}
	go runner.Run(context.Background())
	for i := 0; ; i++ {
		id := fmt.Sprint(prefix, "-", i)
		if _, err := runner.Enqueue(context.Background(), jobs.New{ID: id, Account: "acme", Kind: "work", Lane: fmt.Sprint(i % 5)}); err != nil {
			return err
		}
		fmt.Println("acknowledged", id)
	}
}

// crashRunner takes back what a killed process had, as a server does when it
// starts: no lease has to run out, and none does where the machine is slow.
func crashRunner(s *sqlstore.Store, ran func(id string)) (*jobs.Runner, error) {
	runner := jobs.NewRunner(jobs.Config{
		Store: s.Jobs(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond,
		Handlers: map[string]jobs.Handler{"work": {Workers: 4, Attempts: 100, Run: func(_ context.Context, task *jobs.Task) error {
			ran(task.ID)
			return nil
		}}},
	})
	_, err := s.Jobs().ReclaimAll(context.Background(), time.Now())
	return runner, err
}

// TestRunner_KilledProcess kills a process at any instant, several times: every
// job that was acknowledged runs, and none more often than processes died.
func TestRunner_KilledProcess(t *testing.T) {
	t.Parallel()
	const kills = 3
	folder := t.TempDir()
	var acknowledged []string
	ran := map[string]int{}
	for round := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0], workerArg, folder, fmt.Sprint(round))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			what, id, _ := strings.Cut(lines.Text(), " ")
			if what == "ran" {
				ran[id]++
			} else {
				acknowledged = append(acknowledged, id)
			}
			if n == 100+37*round {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed: always an error
	}

	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var mu sync.Mutex
	runner, err := crashRunner(s, func(id string) { mu.Lock(); ran[id]++; mu.Unlock() })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { runner.Run(ctx) })
	for _, id := range acknowledged {
		for {
			j, err := runner.Job(t.Context(), "acme", id)
			if err != nil {
				t.Fatalf("job %s was acknowledged: %v", id, err)
			}
			if j.State == jobs.Done {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	cancel()
	wg.Wait()
	for _, id := range acknowledged {
		if n := ran[id]; n < 1 || n > kills+1 {
			t.Errorf("job %s ran %d times with %d kills", id, n, kills)
		}
	}
	t.Logf("%d jobs acknowledged, %d runs", len(acknowledged), len(ran))
}
