//go:build unix

package notify_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// senderArg as the first argument turns the test binary into a process that
// pushes customers and delivers events until it is killed; the data folder and
// a prefix for the ids follow.
const senderArg = "sender-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == senderArg {
		fmt.Fprintln(os.Stderr, send(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// platform is store, engine and service as a process has them. It takes back what
// a killed process had, as a server does when it starts.
type platform struct {
	store  *sqlstore.Store
	engine *analytics.Engine
	hooks  *notify.Service
	runner *jobs.Runner
}

func openPlatform(ctx context.Context, folder string) (*platform, error) {
	store, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	box, err := sealed.NewBox("webhooks", make([]byte, sealed.MinSecretBytes))
	if err != nil {
		return nil, err
	}
	p := &platform{store: store}
	p.engine = analytics.New(analytics.Config{Store: store.Analytics(), Outbox: store.Analytics(), Rows: ingest.Documents{}, Now: time.Now})
	p.hooks = notify.New(notify.Config{
		Store: store.Hooks(box), Queue: store.Jobs(), Engine: p.engine, Now: time.Now,
		Outgoing: httpx.OutgoingConfig{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	p.runner = jobs.NewRunner(jobs.Config{
		Store: store.Jobs(), Handlers: p.hooks.Handlers(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond,
	})
	_, err = store.Jobs().ReclaimAll(ctx, time.Now())
	return p, err
}

// send pushes one customer after another and prints the id of each once the push
// is acknowledged.
func send(folder, prefix string) error {
	ctx := context.Background()
	p, err := openPlatform(ctx, folder)
	if err != nil {
		return err
	}
	go p.runner.Run(ctx)
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", prefix, i)
		batch, err := ingest.DecodeCustomers(fmt.Appendf(nil, `{"id":%q,"name":"n"}`, id))
		if err != nil {
			return err
		}
		if _, err := p.engine.PutCustomers(ctx, account, "", batch.Rows); err != nil {
			return err
		}
		fmt.Println(id)
	}
}

// TestDeliver_KilledProcess kills the process again and again between events and
// their deliveries: every event of an acknowledged push arrives.
func TestDeliver_KilledProcess(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	arrived := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var doc struct {
			Data analytics.CustomerData `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
			return // the sender died in the middle of it
		}
		mu.Lock()
		defer mu.Unlock()
		arrived[doc.Data.ID]++
	}))
	defer receiver.Close()
	folder := t.TempDir()
	p, err := openPlatform(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.engine.CreateSource(t.Context(), account, analytics.NewSource{Name: "Billing", Type: analytics.SourceAPI}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.hooks.Create(t.Context(), account, receiver.URL, []string{analytics.CustomerCreated}, ""); err != nil {
		t.Fatal(err)
	}
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}

	const kills = 3
	var acknowledged []string
	for round := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0], senderArg, folder, fmt.Sprint(round))
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
			acknowledged = append(acknowledged, strings.TrimSpace(lines.Text()))
			if n == 40+17*round {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed: always an error
	}

	if p, err = openPlatform(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.store.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { p.runner.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	deadline := time.Now().Add(2 * time.Minute)
	for _, id := range acknowledged {
		for n := 0; n == 0; {
			mu.Lock()
			n = arrived[id]
			mu.Unlock()
			if n == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			if time.Now().After(deadline) {
				t.Fatalf("the event of customer %s was lost", id)
			}
		}
	}
	t.Logf("%d pushes acknowledged, %d customers arrived", len(acknowledged), len(arrived))
}
