package httpapi

import (
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// valueToWire returns the key and the name of a row's breakdown value, nil
// without a breakdown.
func valueToWire(v *report.Value) (key, label *string) {
	if v == nil {
		return nil, nil
	}
	return &v.Key, &v.Label
}

func transactionsToWire(r *report.TransactionReport) []wire.TransactionsRow {
	rows := make([]wire.TransactionsRow, 0, len(r.Rows))
	for i := range r.Rows {
		rows = append(rows, transactionRowToWire(&r.Rows[i], r.Values))
	}
	return rows
}

func transactionRowToWire(row *report.TransactionRow, values []report.Value) wire.TransactionsRow {
	m := &row.TransactionMetrics
	out := wire.TransactionsRow{
		Date: row.Period.From.String(), EndDate: row.Period.To.String(),
		MonthSub: m.Amount[report.MonthSub], QuarterSub: m.Amount[report.QuarterSub], YearSub: m.Amount[report.YearSub],
		WeekSub: m.Amount[report.WeekSub], DaySub: m.Amount[report.DaySub],
		Metered: m.Amount[report.MeteredCash], OneTime: m.Amount[report.OneTimeCash], Discount: m.Amount[report.DiscountCash],
		Refund: m.Amount[report.RefundCash], Fee: m.Amount[report.FeeCash], Tax: m.Amount[report.TaxCash], FxLoss: m.Amount[report.FXLossCash],
		NetAmount: m.Amount[report.NetCash], NetAmountChangePct: ratioToWire(&m.NetChange),
		Amount: m.Amount[report.NetCash], Count: m.Count[report.NetCash], Type: netType,
	}
	if row.Compare != nil {
		earlier := transactionRowToWire(row.Compare, nil)
		out.Compare = &earlier
	}
	if row.Breakdown != nil {
		out.Breakdown = make(map[string]wire.TransactionsBreakdown, len(values))
		for i := range row.Breakdown {
			out.Breakdown[values[i].Key] = transactionPartToWire(&row.Breakdown[i], values[i].Label)
		}
	}
	return out
}

// netType is what the alias fields of a row are about.
const netType = "net"

func transactionPartToWire(m *report.TransactionMetrics, label string) wire.TransactionsBreakdown {
	return wire.TransactionsBreakdown{
		Label:    label,
		MonthSub: m.Amount[report.MonthSub], QuarterSub: m.Amount[report.QuarterSub], YearSub: m.Amount[report.YearSub],
		WeekSub: m.Amount[report.WeekSub], DaySub: m.Amount[report.DaySub],
		Metered: m.Amount[report.MeteredCash], OneTime: m.Amount[report.OneTimeCash], Discount: m.Amount[report.DiscountCash],
		Refund: m.Amount[report.RefundCash], Fee: m.Amount[report.FeeCash], Tax: m.Amount[report.TaxCash], FxLoss: m.Amount[report.FXLossCash],
		NetAmount: m.Amount[report.NetCash], NetAmountChangePct: ratioToWire(&m.NetChange),
		Amount: m.Amount[report.NetCash], Count: m.Count[report.NetCash], Type: netType,
	}
}

func transactionTableRowToWire(row *report.TransactionTableRow, days dayTexts) wire.TransactionsTableRow {
	key, label := valueToWire(row.Value)
	return wire.TransactionsTableRow{
		Date: days.of(row.Date), Type: row.Type.String(), Amount: row.Amount, Count: row.Count, BreakdownValue: key, BreakdownLabel: label,
		Compare: comparedRowToWire(row.Compare, days, transactionTableRowToWire),
	}
}

func transactionSummaryToWire(r *report.TransactionSummaryReport) wire.TransactionsSummary {
	return wire.TransactionsSummary{
		Mtd: r.Month.Now, PrevMtd: r.Month.Before, MtdChangePct: ratioToWire(&r.Month.Change),
		Qtd: r.Quarter.Now, PrevQtd: r.Quarter.Before, QtdChangePct: ratioToWire(&r.Quarter.Change),
		Ytd: r.Year.Now, PrevYtd: r.Year.Before, YtdChangePct: ratioToWire(&r.Year.Change),
	}
}
