package sqlstore

import (
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics"
)

const (
	rowColumns = 6
	// insertBatch is how many rows one statement inserts: measured, more gain
	// little, and fewer cost a call each.
	insertBatch = 32
)

// tableStatements are the statements of one table; each binds the account.
type tableStatements struct {
	name                                                     string
	load, rows, insertOne, insertMany, update, remove, clear string
}

// statements has an entry for every analytics.Table.
var statements = [...]tableStatements{
	analytics.TableSource:    statementsOf("source"),
	analytics.TableCustomer:  statementsOf("customer"),
	analytics.TablePlan:      statementsOf("plan"),
	analytics.TableInvoice:   statementsOf("invoice"),
	analytics.TablePlanGroup: statementsOf("plan_group"),
	analytics.TableSettings:  statementsOf("settings"),
	analytics.TableSegment:   statementsOf("segment"),
}

// loadOrder is the order that analytics.Store promises: what is referred to
// comes before what refers to it.
var loadOrder = [...]analytics.Table{
	analytics.TableSettings, analytics.TableSegment, analytics.TableSource, analytics.TablePlan,
	analytics.TablePlanGroup, analytics.TableCustomer, analytics.TableInvoice,
}

func statementsOf(table string) tableStatements {
	const row = "(?, ?, ?, ?, ?, ?)"
	insert := "INSERT INTO " + table + " (account_no, seq, source, owner, id, doc) VALUES "
	return tableStatements{
		name:       table,
		load:       "SELECT seq, source, owner, id, doc FROM " + table + " WHERE account_no = ? ORDER BY seq",
		rows:       "SELECT seq, source, owner, id, doc FROM " + table + " WHERE account_no = ? AND seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
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
