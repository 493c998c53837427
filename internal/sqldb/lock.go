package sqldb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const lockName = "growpanel.lock"

// errHeld is what lockFile returns when another process has the lock.
var errHeld = errors.New("held by another process")

// LockedError says that another process serves a data folder.
type LockedError struct {
	Folder string
	PID    int // 0 when the other process has not written it yet
}

// Error names the folder and the process.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = "process " + strconv.Itoa(e.PID)
	}
	return fmt.Sprintf("data folder %s is in use by %s: stop it first, or choose another folder", e.Folder, who)
}

// FolderLock is a data folder's process lock. The system releases it when the
// process ends, however it ends.
type FolderLock struct{ file *os.File }

// LockFolder takes the lock of a data folder, which is created with mode 0700
// when missing. One server at a time holds it, for the server keeps accounts in
// memory; commands that only add keys or rates work beside it without. The
// error is a *LockedError when another process, or this one, has the lock.
func LockFolder(folder string) (*FolderLock, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := takeLock(f, folder); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &FolderLock{file: f}, nil
}

// takeLock locks the file and writes this process's id into it.
func takeLock(f *os.File, folder string) error {
	err := lockFile(f)
	if errors.Is(err, errHeld) {
		return &LockedError{Folder: folder, PID: readPID(f)}
	}
	if err != nil {
		return fmt.Errorf("lock data folder %s: %w", folder, err)
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write %s: %w", lockName, err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write %s: %w", lockName, err)
	}
	return nil
}

func readPID(f *os.File) int {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// Release gives the lock up. The file stays: removing it would let two
// processes lock two files of the same name.
func (l *FolderLock) Release() error { return l.file.Close() }
