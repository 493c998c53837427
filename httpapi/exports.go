package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// exportPatience is how long a client may take to accept a part of a file.
const exportPatience = time.Minute

// export is a CSV file that is written while it is computed. Whatever can be
// wrong with the request was found before: once rows flow, a failure can only
// break the connection off, so that no client takes a part for the whole.
type export struct {
	file     string
	dates    string
	timezone string
	count    int  // rows that there are in all
	raw      bool // see csvRows
	patience func(w http.ResponseWriter)
	head     []string
	rows     func(c *csvRows) error
}

func (e *export) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+e.file+`"`)
	h.Set("X-GrowPanel-Range", e.dates)
	h.Set("X-GrowPanel-Timezone", e.timezone)
	h.Set("X-GrowPanel-Count", strconv.Itoa(e.count))
	rows := newCSVRows(&patientWriter{w, e.patience}, e.raw)
	for _, name := range e.head {
		rows.text(name)
	}
	err := rows.end()
	if err == nil {
		err = e.rows(rows)
	}
	if err == nil {
		err = rows.flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// patientWriter gives the client time for every part.
type patientWriter struct {
	http.ResponseWriter

	extend func(w http.ResponseWriter)
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.extend(w.ResponseWriter)
	return w.ResponseWriter.Write(b)
}

// VisitGetExportsCustomersCsvResponse implements wire.GetExportsCustomersCsvResponseObject.
func (e *export) VisitGetExportsCustomersCsvResponse(w http.ResponseWriter) error { return e.write(w) }

// VisitGetExportsMrrMovementsCsvResponse implements wire.GetExportsMrrMovementsCsvResponseObject.
func (e *export) VisitGetExportsMrrMovementsCsvResponse(w http.ResponseWriter) error {
	return e.write(w)
}

// VisitGetExportsMrrGrowthCsvResponse implements wire.GetExportsMrrGrowthCsvResponseObject.
func (e *export) VisitGetExportsMrrGrowthCsvResponse(w http.ResponseWriter) error { return e.write(w) }

// export prepares a file: its caller adds the rows.
func (s *Server) export(ctx context.Context, name string) (*report.Snapshot, *report.Query, *export, error) {
	snapshot, err := s.engine.Snapshot(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, nil, nil, err
	}
	asked, ok := ctx.Value(queryKey).(query)
	if !ok {
		return nil, nil, nil, fmt.Errorf("export %s: the request has no query", name)
	}
	q, err := report.ParseQuery(asked.values, snapshot)
	if err != nil {
		return nil, nil, nil, err
	}
	raw, err := rawText(asked.values)
	if err != nil {
		return nil, nil, nil, err
	}
	return snapshot, &q, &export{
		file: name + ".csv", raw: raw, timezone: snapshot.Settings.Zone.String(), patience: s.extendWrite,
	}, nil
}

func rawText(values url.Values) (bool, error) {
	text := values.Get("raw_text")
	if text == "" {
		return false, nil
	}
	raw, err := strconv.ParseBool(text)
	if err != nil {
		return false, &report.ParamError{Name: "raw_text", Message: fmt.Sprintf("%q is not true or false", clip(text))}
	}
	return raw, nil
}

// extendWrite moves the deadline of a response on. A ResponseWriter without
// deadlines, as inside the process, needs none.
func (s *Server) extendWrite(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(s.now().Add(exportPatience))
}

// part returns the rows of a list that limit and offset ask for.
func part(q *report.Query, count int) (from, to int) {
	from = min(q.Offset, count)
	if q.Limit == 0 {
		return from, count
	}
	return from, min(from+q.Limit, count)
}

// GetExportsMrrMovementsCsv implements wire.StrictServerInterface.
func (s *Server) GetExportsMrrMovementsCsv(ctx context.Context, _ wire.GetExportsMrrMovementsCsvRequestObject) (wire.GetExportsMrrMovementsCsvResponseObject, error) {
	snapshot, q, file, err := s.export(ctx, "mrr-movements")
	if err != nil {
		return nil, err
	}
	movements, err := report.NewMovementExport(snapshot, q)
	if err != nil {
		return nil, fmt.Errorf("export mrr-movements: %w", err)
	}
	file.count, file.dates = movements.Count, rangeText(movements.Days)
	file.head = []string{
		"date", "customer_id", "customer_name", "customer_email", "type", "subtype", "description",
		"currency", "mrr_change", "mrr_change_base_currency", "base_currency", "old_mrr", "new_mrr",
		"customer_count_change", "quantity_change", "plan_id", "plan_name", "data_source",
	}
	base := q.Base.Code()
	file.rows = func(c *csvRows) error {
		from, to := part(q, movements.Count)
		return movements.Lines(from, to, func(b []byte, m *report.MovementRow, description []byte) []byte {
			c.row = b
			c.day(m.Date)
			c.text(m.Customer.ID, m.Customer.Name, m.Customer.Email, m.Type.String(), m.Subtype.String())
			c.bytes(description)
			c.text(m.Currency.Code())
			c.number(m.Change, m.ChangeBase)
			c.text(base)
			c.number(m.Old, m.New, int64(m.Customers), m.Quantity)
			c.text(m.PlanID, m.PlanName, m.Source.ID)
			return c.line()
		}, c.write)
	}
	return file, nil
}

// GetExportsMrrGrowthCsv implements wire.StrictServerInterface.
func (s *Server) GetExportsMrrGrowthCsv(ctx context.Context, _ wire.GetExportsMrrGrowthCsvRequestObject) (wire.GetExportsMrrGrowthCsvResponseObject, error) {
	snapshot, q, file, err := s.export(ctx, "mrr-growth")
	if err != nil {
		return nil, err
	}
	days, err := report.GrowthExport(snapshot, q)
	if err != nil {
		return nil, fmt.Errorf("export mrr-growth: %w", err)
	}
	file.count, file.dates = len(days), rangeText(q.Range)
	file.head = []string{"month", "day", "cumulative_mrr", "currency"}
	file.rows = func(c *csvRows) error {
		from, to := part(q, len(days))
		var day []byte
		for _, row := range days[from:to] {
			day = row.Date.Append(day[:0])
			c.bytes(day[:len("2006-01")])
			c.bytes(day[len("2006-01-"):])
			c.number(row.Cumulative)
			c.text(q.Base.Code())
			if err := c.end(); err != nil {
				return err
			}
		}
		return nil
	}
	return file, nil
}

// GetExportsCustomersCsv implements wire.StrictServerInterface.
func (s *Server) GetExportsCustomersCsv(ctx context.Context, _ wire.GetExportsCustomersCsvRequestObject) (wire.GetExportsCustomersCsvResponseObject, error) {
	snapshot, q, file, err := s.export(ctx, "customers")
	if err != nil {
		return nil, err
	}
	customers, err := report.NewCustomerExport(snapshot, q)
	if err != nil {
		return nil, fmt.Errorf("export customers: %w", err)
	}
	file.count, file.dates = customers.Count, rangeText(q.Range)
	file.head = []string{
		"id", "name", "email", "status", "country", "state", "currency", "created_date", "trial_started", "trial_end_date",
		"paid_started", "cancel_date", "overdue_date", "mrr", "mrr_base_currency", "payments",
		"total_paid_customer_currency", "total_paid_base_currency", "base_currency", "plan", "billing_freq", "data_source",
	}
	for _, key := range customers.Custom {
		file.head = append(file.head, "custom_"+key)
	}
	base := q.Base.Code()
	file.rows = func(c *csvRows) error {
		from, to := part(q, customers.Count)
		return customers.Each(from, to, func(r *report.CustomerExportRow) error {
			c.text(r.ID, r.Name, r.Email, r.Status.String(), r.Country, r.State, r.Currency.Code())
			c.stamps(r.CreatedDate, r.TrialStart, r.TrialEnd, r.PaidStarted, r.CancelDate, r.OverdueDate)
			c.number(r.MRRCustomer, r.MRR, int64(r.Payments), r.TotalPaidCustomer, r.TotalPaid)
			c.text(base, r.PlanName)
			if r.PlanName == "" {
				c.text("")
			} else {
				c.text(r.Frequency.String())
			}
			c.text(r.SourceID)
			for _, key := range customers.Custom {
				c.text(r.Custom.Get(key))
			}
			return c.end()
		})
	}
	return file, nil
}

func rangeText(r calendar.Range) string { return r.From.String() + "/" + r.To.String() }
