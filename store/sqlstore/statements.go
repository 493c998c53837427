package sqlstore

import (
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
)

const (
	// insertBatch is how many rows one statement inserts: measured, more gain
	// little, and fewer cost a call each.
	insertBatch = 32
)

// tableStatements are the statements of one table; each binds the account.
type tableStatements struct {
	name                                                     string
	received                                                 bool // rows have received_at
	load, rows, insertOne, insertMany, update, remove, clear string
}

// statements has an entry for every analytics.Table.
var statements = [...]tableStatements{
	analytics.TableSource:    statementsOf("source", false),
	analytics.TableCustomer:  statementsOf("customer", true),
	analytics.TablePlan:      statementsOf("plan", false),
	analytics.TableInvoice:   statementsOf("invoice", false),
	analytics.TablePlanGroup: statementsOf("plan_group", false),
	analytics.TableSettings:  statementsOf("settings", false),
	analytics.TableSegment:   statementsOf("segment", false),
}

// loadOrder is the order that analytics.Store promises: what is referred to
// comes before what refers to it.
var loadOrder = [...]analytics.Table{
	analytics.TableSettings, analytics.TableSegment, analytics.TableSource, analytics.TablePlan,
	analytics.TablePlanGroup, analytics.TableCustomer, analytics.TableInvoice,
}

func statementsOf(table string, received bool) tableStatements {
	columns, row, read := "seq, source, owner, id, doc", "(?, ?, ?, ?, ?, ?)", "seq, source, owner, doc"
	if received {
		columns, row, read = columns+", received_at", "(?, ?, ?, ?, ?, ?, ?)", read+", received_at"
	}
	insert := "INSERT INTO " + table + " (account_no, " + columns + ") VALUES "
	return tableStatements{
		name:       table,
		received:   received,
		load:       "SELECT " + read + " FROM " + table + " WHERE account_no = ? ORDER BY seq",
		rows:       "SELECT " + read + ", id FROM " + table + " WHERE account_no = ? AND seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
		insertOne:  insert + row,
		insertMany: insert + row + strings.Repeat(", "+row, insertBatch-1),
		update:     "UPDATE " + table + " SET source = ?, owner = ?, id = ?, doc = ? WHERE account_no = ? AND seq = ?",
		remove:     "DELETE FROM " + table + " WHERE account_no = ? AND seq = ?",
		clear:      "DELETE FROM " + table + " WHERE account_no = ? AND source = ?",
	}
}

// known reports whether t is a table of package analytics.
func known(t analytics.Table) bool {
	return int(t) < len(statements) && statements[t].name != ""
}
