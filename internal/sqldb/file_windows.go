package sqldb

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByte lies far behind the process id in the file: Windows refuses reads
// of a locked range.
const lockedByte = 1 << 30

// lockFile takes an exclusive lock that ends with the open file, or returns
// errHeld.
func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	at := &windows.Overlapped{Offset: lockedByte}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}

// SyncFolder does nothing: NTFS journals the creation of files.
func SyncFolder(string) error { return nil }
