package sqlstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
	"github.com/growpanel/growpanel-mcp/oauth/sqlstore"
	"github.com/growpanel/growpanel-mcp/oauth/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, newPeer)
}

func newPeer(t testing.TB) storetest.Peer {
	folder := t.TempDir()
	return storetest.Peer{
		Open: func(t testing.TB, clock *oauthtest.Clock, limits storetest.Limits) storetest.Backend {
			t.Helper()
			return open(t, folder, clock, limits)
		},
		Dump: func(t testing.TB) []byte {
			t.Helper()
			return dump(t, folder)
		},
	}
}

func open(t testing.TB, folder string, clock *oauthtest.Clock, limits storetest.Limits) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), folder, sqlstore.Config{Now: clock.Now, MaxClients: limits.MaxClients})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return store
}

// dump returns the bytes of all files of a data folder.
func dump(t testing.TB, folder string) []byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, sqlstore.FileName+"*"))
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.Bytes()
}

func TestModel(t *testing.T) {
	t.Parallel()
	storetest.RunModel(t, newPeer)
}

func BenchmarkStore(b *testing.B) { storetest.RunBenchmarks(b, newPeer) }
