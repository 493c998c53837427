package analytics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// memoryStore is a Store in memory. It holds the engine to the contract: it
// refuses what a database would refuse, and writes all of a changeset or none.
type memoryStore struct {
	mu           sync.Mutex
	accounts     map[string]*memoryAccount
	rates        []fx.Rate
	ratesVersion uint64

	commits    int
	failCommit func(analytics.Changeset) error // nil: no failure
	onCommit   func()                          // runs before a commit, without the lock
	onVersion  func(context.Context)           // runs before the version is read, without the lock
}

type memoryAccount struct {
	version uint64
	rows    map[analytics.Key]analytics.Row
}

func newMemoryStore() *memoryStore {
	return &memoryStore{accounts: map[string]*memoryAccount{}, ratesVersion: 1}
}

func (s *memoryStore) Load(_ context.Context, account string, visit func(analytics.LoadedRow) error) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[account]
	if a == nil {
		return 0, nil
	}
	order := []analytics.Table{
		analytics.TableSettings, analytics.TableSegment, analytics.TableSource, analytics.TablePlan, analytics.TablePlanGroup,
		analytics.TableCustomer, analytics.TableInvoice,
	}
	for _, t := range order {
		for _, k := range slices.SortedFunc(maps.Keys(a.rows), func(x, y analytics.Key) int { return int(x.Seq - y.Seq) }) {
			if k.Table != t {
				continue
			}
			r := a.rows[k]
			row := analytics.LoadedRow{Table: r.Table, Seq: r.Seq, Source: r.Source, Owner: r.Owner, Doc: string(r.Doc), Received: r.Received}
			if err := visit(row); err != nil {
				return 0, err
			}
		}
	}
	return a.version, nil
}

func (s *memoryStore) Rows(_ context.Context, account string, t analytics.Table, seqs []int64, visit func(analytics.Row) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range seqs {
		row, ok := analytics.Row{}, false
		if a := s.accounts[account]; a != nil {
			row, ok = a.rows[analytics.Key{Table: t, Seq: seq}]
		}
		if !ok {
			continue
		}
		row.Doc = bytes.Clone(row.Doc)
		if err := visit(row); err != nil {
			return err
		}
		clear(row.Doc) // valid only during the call
	}
	return nil
}

func (s *memoryStore) Commit(_ context.Context, account string, c analytics.Changeset) error {
	if s.onCommit != nil {
		s.onCommit()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failCommit != nil {
		if err := s.failCommit(c); err != nil {
			return err
		}
	}
	a := s.accounts[account]
	if a == nil {
		a = &memoryAccount{}
	}
	if c.Version <= a.version {
		return fmt.Errorf("version %d is not above %d", c.Version, a.version)
	}
	next := &memoryAccount{version: c.Version, rows: maps.Clone(a.rows)}
	if next.rows == nil {
		next.rows = map[analytics.Key]analytics.Row{}
	}
	if err := next.write(c); err != nil {
		return err
	}
	s.accounts[account] = next
	s.commits++
	return nil
}

func (a *memoryAccount) write(c analytics.Changeset) error {
	seen := map[analytics.Key]bool{}
	once := func(k analytics.Key, exists bool) error {
		if _, ok := a.rows[k]; ok != exists || seen[k] || k.Table == 0 || k.Seq <= 0 {
			return fmt.Errorf("table %d, row %d: exists %t, written before %t", k.Table, k.Seq, ok, seen[k])
		}
		seen[k] = true
		return nil
	}
	for k, r := range a.rows {
		if slices.Contains(c.Clear, r.Source) && slices.Contains([]analytics.Table{analytics.TableCustomer, analytics.TablePlan, analytics.TableInvoice}, k.Table) {
			delete(a.rows, k)
		}
	}
	for _, r := range c.Insert {
		if err := once(r.Key(), false); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		r.Doc = bytes.Clone(r.Doc)
		a.rows[r.Key()] = r
	}
	for _, r := range c.Update {
		if err := once(r.Key(), true); err != nil {
			return fmt.Errorf("update: %w", err)
		}
		r.Doc, r.Received = bytes.Clone(r.Doc), a.rows[r.Key()].Received
		a.rows[r.Key()] = r
	}
	for _, k := range c.Delete {
		if err := once(k, true); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		delete(a.rows, k)
	}
	return nil
}

func (s *memoryStore) Version(ctx context.Context, account string) (uint64, error) {
	if s.onVersion != nil {
		s.onVersion(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[account]; a != nil {
		return a.version, nil
	}
	return 0, nil
}

func (s *memoryStore) RatesVersion(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ratesVersion, nil
}

func (s *memoryStore) Rates(context.Context) ([]fx.Rate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rates), nil
}

func (s *memoryStore) ImportRates(_ context.Context, all []fx.Rate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates = append(s.rates, all...)
	s.ratesVersion++
	return nil
}

func (s *memoryStore) count(account string, t analytics.Table) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if a := s.accounts[account]; a != nil {
		for k := range a.rows {
			if k.Table == t {
				n++
			}
		}
	}
	return n
}

var errDisk = errors.New("the disk is full")

func (s *memoryStore) setFailure(t testing.TB, f func(analytics.Changeset) error) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failCommit = f
}
