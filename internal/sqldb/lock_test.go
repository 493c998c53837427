package sqldb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/growpanel/growpanel-mcp/internal/sqldb"
)

func TestLockFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		t.Fatalf("LockFolder: %v", err)
	}
	_, err = sqldb.LockFolder(folder)
	locked, ok := errors.AsType[*sqldb.LockedError](err)
	if !ok || locked.Folder != folder || locked.PID != os.Getpid() {
		t.Errorf("second LockFolder: %v, want a LockedError that names %s and process %d", err, folder, os.Getpid())
	}
	if !strings.Contains(err.Error(), folder) {
		t.Errorf("message %q does not name the folder", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
	again, err := sqldb.LockFolder(folder)
	if err != nil {
		t.Fatalf("LockFolder after Release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
}

func TestLockFolder_OwnerUnknown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lock, err := sqldb.LockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	if err := os.WriteFile(filepath.Join(folder, "growpanel.lock"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = sqldb.LockFolder(folder)
	if locked, ok := errors.AsType[*sqldb.LockedError](err); !ok || locked.PID != 0 {
		t.Errorf("LockFolder: %v, want a LockedError without a process", err)
	}
}

func TestLockFolder_CannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqldb.LockFolder(filepath.Join(file, "data")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("LockFolder below a file: %v, want an error that names %s", err, file)
	}
}
