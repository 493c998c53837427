//go:build unix

package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
	"github.com/growpanel/growpanel-mcp/store/storetest"
)

// history is an account whose changesets are a function of its name and
// version, so that parent and child agree about every state it can be in.
type history struct {
	account string
	version uint64
	nextSeq int64
	rows    []analytics.Row
}

func newHistory(account string) *history { return &history{account: account, nextSeq: 1} }

// historyAt returns the account as it is at a version.
func historyAt(account string, version uint64) *history {
	h := newHistory(account)
	for h.version < version {
		h.next()
	}
	return h
}

// next moves to the next version and returns the changeset that leads there:
// 1 to 40 inserts, sometimes with updates and deletes.
func (h *history) next() analytics.Changeset {
	h.version++
	random := rand.New(rand.NewPCG(h.version, uint64(len(h.account))+uint64(h.account[0])))
	c := analytics.Changeset{Version: h.version}
	if len(h.rows) > 0 && h.version%3 == 0 {
		i, size := random.IntN(len(h.rows)), 1
		if h.version%6 == 0 {
			// Big enough that the write-ahead log is moved into the file now and
			// then, and that a kill can hit it doing so.
			i, size = 0, 250_000
		}
		h.rows[i].Doc = bytes.Repeat([]byte{'a' + byte(h.version%26)}, size)
		c.Update = append(c.Update, h.rows[i])
	}
	if len(h.rows) > 0 && h.version%4 == 0 {
		i := random.IntN(len(h.rows))
		if !slices.ContainsFunc(c.Update, func(r analytics.Row) bool { return r.Seq == h.rows[i].Seq }) {
			c.Delete = append(c.Delete, analytics.Key{Table: analytics.TableInvoice, Seq: h.rows[i].Seq})
			h.rows = slices.Delete(h.rows, i, i+1)
		}
	}
	for range 1 + random.IntN(40) {
		r := analytics.Row{Table: analytics.TableInvoice, Seq: h.nextSeq, Source: 1, Owner: 2, ID: strconv.FormatInt(h.nextSeq, 36)}
		r.Doc = bytes.Repeat([]byte(strconv.FormatUint(h.version, 10)), 1+random.IntN(200))
		h.nextSeq++
		h.rows = append(h.rows, r)
		c.Insert = append(c.Insert, r)
	}
	return c
}

// commit makes the next version durable and then says so on standard output,
// one whole line per write.
func (h *history) commit(ctx context.Context, s *sqlstore.Store) error {
	if err := s.Analytics().Commit(ctx, h.account, h.next()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(os.Stdout, h.account, h.version)
	return err
}

// commitUntilError commits until that fails, and leaves the history where it
// was before the failure.
func (h *history) commitUntilError(ctx context.Context, s *sqlstore.Store) error {
	for {
		before := h.version
		if err := h.commit(ctx, s); err != nil {
			*h = *historyAt(h.account, before)
			return err
		}
	}
}

// playWriter continues the histories of four accounts at once until it dies.
func playWriter(ctx context.Context, folder string) error {
	s, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return err
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			account := strconv.Itoa(i)
			version, err := s.Analytics().Version(ctx, account)
			if err != nil {
				errs[i] = err
				return
			}
			errs[i] = historyAt(account, version).commitUntilError(ctx, s)
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), s.Close())
}

// acks reads what the child says until it ends, and notes the last version
// acknowledged per account.
func (p process) acks(t *testing.T, acked map[string]uint64) {
	t.Helper()
	for p.ack(t, acked) {
	}
}

// ack reads one line; it returns false when the child has ended.
func (p process) ack(t *testing.T, acked map[string]uint64) bool {
	t.Helper()
	if !p.lines.Scan() {
		return false
	}
	var account string
	var version uint64
	if _, err := fmt.Sscan(p.lines.Text(), &account, &version); err != nil {
		t.Fatalf("child said %q: %v", p.lines.Text(), err)
	}
	acked[account] = version
	return true
}

// verify checks that every account is whole, at a version that is the last
// acknowledged one, or the one that was under way at the end; from now on that
// one has to be there too.
func verify(t *testing.T, s *sqlstore.Store, acked map[string]uint64) {
	t.Helper()
	for account, last := range acked {
		got, version := storetest.ReadAll(t, s.Analytics(), account)
		if version < last || version > last+1 {
			t.Errorf("account %s is at version %d, acknowledged was %d", account, version, last)
		}
		if want := historyAt(account, version).rows; !slices.EqualFunc(want, got, storetest.SameRow) {
			t.Errorf("account %s at version %d (-want +got):\n%s", account, version, cmp.Diff(want, got))
		}
		acked[account] = version
	}
}

// A server is killed at random instants, its first start included. Whatever it
// acknowledged is there afterwards, and nothing is there by half.
func TestCommit_KilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	const rounds = 10
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	folder := filepath.Join(t.TempDir(), "data")
	acked := make(map[string]uint64)
	for round := range rounds {
		p := start(t, "writer", folder)
		for range random.IntN(20 * (round + 1)) { // none in some of the first rounds
			if !p.ack(t, acked) {
				t.Fatal("the child ended before it was killed")
			}
		}
		time.Sleep(time.Duration(random.IntN(10_000)) * time.Microsecond)
		p.kill(t)
		p.acks(t, acked)
		_ = p.cmd.Wait() // killed: always an error
		checkOnce(t, folder, acked)
		if t.Failed() {
			return
		}
	}
	t.Logf("acknowledged versions: %v", acked)
}

func checkOnce(t *testing.T, folder string, acked map[string]uint64) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatalf("Open after a kill: %v", err)
	}
	verify(t, s, acked)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

const operatorRounds = 25

// playOperator adds accounts, keys and rates, as commands do beside a server.
func playOperator(ctx context.Context, folder string) (err error) {
	s, err := sqlstore.Open(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	created := time.Unix(0, 0)
	for i := range operatorRounds {
		account := identity.Account{ID: fmt.Sprint("account ", i), Name: "Acme", CreatedAt: created}
		user := identity.User{ID: fmt.Sprint("user ", i), Email: fmt.Sprint(i, "@example.com"), CreatedAt: created}
		key := identity.Key{ID: fmt.Sprint("key ", i), Account: account.ID, User: user.ID, Name: "CI", Role: identity.Admin, CreatedAt: created}
		rates := []fx.Rate{{Day: calendar.Day(i), Base: "eur", Quote: "usd", Value: "1.1"}}
		if err := errors.Join(
			s.Identity().CreateAccount(ctx, account),
			s.Identity().CreateUser(ctx, user),
			s.Identity().AddMember(ctx, account.ID, user.ID, identity.Owner, created, 1),
			s.Identity().CreateKey(ctx, key, 1),
			s.Analytics().ImportRates(ctx, rates),
		); err != nil {
			return err
		}
	}
	return nil
}

func TestStore_TwoProcesses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, folder)
	p := start(t, "operator", folder)
	acked := make(map[string]uint64)
	h := newHistory("0")
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	for running := true; running; {
		if err := s.Analytics().Commit(t.Context(), h.account, h.next()); err != nil {
			t.Fatalf("Commit beside another process: %v", err)
		}
		acked[h.account] = h.version
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("the other process: %v", err)
			}
			running = false
		default:
		}
	}
	verify(t, s, acked)
	for i := range operatorRounds {
		k, err := s.Identity().Access(t.Context(), fmt.Sprint("key ", i))
		if err != nil || k.Account != fmt.Sprint("account ", i) {
			t.Errorf("key %d of the other process: %+v, %v", i, k, err)
		}
	}
	if rates, err := s.Analytics().Rates(t.Context()); err != nil || len(rates) != operatorRounds {
		t.Errorf("%d rates of the other process, %v, want %d", len(rates), err, operatorRounds)
	}
	if version, err := s.Analytics().RatesVersion(t.Context()); err != nil || version != operatorRounds {
		t.Errorf("RatesVersion = %d, %v, want %d", version, err, operatorRounds)
	}
}

func TestOpen_MayNotWrite(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, folder string){
		"empty folder": func(*testing.T, string) {},
		"file": func(t *testing.T, folder string) {
			s, err := sqlstore.Open(t.Context(), folder)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			chmod(t, filepath.Join(folder, sqlstore.FileName), 0o444)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			prepare(t, folder)
			chmod(t, filepath.Dir(folder), 0o755)
			chmod(t, folder, 0o555)
			p := start(t, "stranger", folder)
			said := p.line(t)
			p.finish(t)
			mayNot := strings.Contains(said, "permission denied") || strings.Contains(said, "cannot be opened for writing")
			if !mayNot || !strings.Contains(said, folder) {
				t.Errorf("Open says %q: want the folder and that it cannot be written", said)
			}
			chmod(t, folder, 0o755) // or the folder cannot be removed
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
