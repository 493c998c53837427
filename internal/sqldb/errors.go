package sqldb

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrClosed is returned for calls after Close.
	ErrClosed = errors.New("the data file is closed")
	// ErrDiskFull is returned when a write found no space; nothing of it is kept.
	ErrDiskFull = errors.New("the disk is full")
	// ErrDisk is returned when the disk refused a read or a write.
	ErrDisk = errors.New("the disk reported an error")
	// ErrReadOnly is returned when this process may not write the file or its
	// folder.
	ErrReadOnly = errors.New("the file or its folder cannot be opened for writing")
	// ErrCorrupt is returned for a file that is damaged or not a data file.
	ErrCorrupt = errors.New("the file is damaged or not a GrowPanel data file; restore it from a backup")
	// ErrBusy is returned when another process kept the file locked for the
	// whole busy timeout.
	ErrBusy = errors.New("another process is writing and did not finish in time")
	// ErrNewer is returned for a file that a later version of the program made.
	ErrNewer = errors.New("the file was made by a newer version of the program")
)

// explain puts what SQLite's code means before an error of SQLite; any other
// error is returned as it is.
func explain(err error) error {
	failure, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	if meaning := meaningOf(failure.Code()); meaning != nil {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}

// meaningOf maps a result code (sqlite.org/rescode.html), whose low byte is its
// class, or returns nil.
func meaningOf(code int) error {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrDiskFull
	case sqlite3.SQLITE_IOERR:
		return ErrDisk
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return ErrReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrCorrupt
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	default:
		return nil
	}
}
