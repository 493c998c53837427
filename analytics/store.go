// Package analytics keeps each account's customers, plans and invoices, replays
// them into ledgers as they change, and hands out immutable snapshots for
// reports. It does no I/O of its own: rows become durable through Store, and
// time comes in through Config.
package analytics

import (
	"context"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// Table names one kind of durable row.
type Table uint8

// The tables of an account.
const (
	TableSource Table = iota + 1
	TableCustomer
	TablePlan
	TableInvoice
	TablePlanGroup
	TableSettings // Seq 1 is in force, Seq 2 asked for
	TableSegment

	tables = TableSegment + 1
)

// Row is one durable row. Doc is the row's JSON as it was accepted, which an
// operator can read with any SQL client; the other fields are its keys.
//
// Seq is assigned by the engine: per account and table, from 1, rising in order
// of insertion. Deleted rows leave gaps; the numbers of the last rows may be
// taken again once they are deleted and nothing refers to them. The engine owns uniqueness of (Source, ID): it
// holds all ids of an open account in memory.
type Row struct {
	Table  Table
	Seq    int64
	Source int64 // Seq of the data source; 0 for sources, groups, segments and settings
	Owner  int64 // Seq of the invoice's customer; 0 for other tables
	ID     string
	Doc    []byte
	// Received is when a customer's row first came in, to the millisecond; zero
	// when that is not known, and for other tables. An insert writes it, an update
	// leaves it as it was.
	Received time.Time
}

// Key names a row to delete.
type Key struct {
	Table Table
	Seq   int64
}

// Key returns the row's key.
func (r Row) Key() Key { return Key{Table: r.Table, Seq: r.Seq} }

// LoadedRow is a row as Load reads it. Doc, which has the ID, stays valid.
type LoadedRow struct {
	Table    Table
	Seq      int64
	Source   int64
	Owner    int64
	Doc      string
	Received time.Time
}

// Changeset is everything that one commit of one account writes. A row appears
// in it at most once.
type Changeset struct {
	// Clear holds the Seqs of data sources whose customers, plans and invoices
	// all go, before anything else is written; the other fields name none of them.
	Clear   []int64
	Insert  []Row
	Update  []Row
	Delete  []Key
	Version uint64  // the account's version after the commit
	Events  []Event // for the outbox, if the store is one
}

// Store keeps the rows of all accounts. Implementations are safe for
// concurrent use. Every method takes the account id first: no call can read or
// write two accounts.
type Store interface {
	// Load calls visit for every row of the account: settings, segments, sources,
	// plans, plan groups, customers, invoices, each table in order of Seq. It returns
	// the account's version, 0 for an account that has never written. An error from
	// visit ends the load and is returned.
	Load(ctx context.Context, account string, visit func(LoadedRow) error) (version uint64, err error)

	// Rows calls visit for the rows of one table whose numbers are in seqs, which
	// ascend, in that order; those that are not there are left out. The row is
	// valid only during the call. An error from visit ends the call and is
	// returned. It costs as much as it returns, whatever the size of the table.
	Rows(ctx context.Context, account string, t Table, seqs []int64, visit func(Row) error) error

	// Commit writes the changeset atomically. When it returns nil the change is
	// durable (it survives a killed process and a power cut); when it returns an
	// error nothing of it was written. Commits of different callers may share
	// one disk flush; one that fails does not fail the others. Refused is what
	// would show that caller and store disagree about the account: a Version
	// not above the committed one, an insert of a Seq that is there, an update
	// or delete of one that is not. Canceling ctx withdraws a commit that has not
	// begun; one that has begun runs to its end.
	Commit(ctx context.Context, account string, c Changeset) error

	// Version returns the account's committed version; it is one indexed read.
	Version(ctx context.Context, account string) (uint64, error)

	// RatesVersion changes whenever rates are imported, also by another process.
	RatesVersion(ctx context.Context) (uint64, error)

	// Rates returns all imported rates in no particular order.
	Rates(ctx context.Context) ([]fx.Rate, error)

	// ImportRates adds rates in one transaction, replacing those of the same
	// (day, base, quote).
	ImportRates(ctx context.Context, rates []fx.Rate) error
}
