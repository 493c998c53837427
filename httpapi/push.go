package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
)

// mountPushes registers the push endpoints, which read rows straight from the
// body instead of going through the generated decoder.
func (s *Server) mountPushes(rt *router) {
	mountPush(s, rt, "customers", push[analytics.CustomerRow]{decode: ingest.DecodeCustomers, put: s.engine.PutCustomers})
	mountPush(s, rt, "plans", push[analytics.PlanRow]{decode: ingest.DecodePlans, put: s.engine.PutPlans, running: s.engine.Recomputing})
	mountPush(s, rt, "invoices", push[analytics.InvoiceRow]{decode: ingest.DecodeInvoices, put: s.engine.PutInvoices, warn: prorationWarning})
}

func mountPush[T any](s *Server, rt *router, kind string, p push[T]) {
	p.bodies, p.replies, p.source = &s.bodies, &s.replies, s.engine.Source
	handler := s.errs.Handle(p.serve).ServeHTTP
	rt.HandleFunc("POST /data-sources/{id}/"+kind, handler)
	rt.HandleFunc("POST /data/"+kind, handler)
}

// push takes rows of one kind.
type push[T any] struct {
	decode func(body []byte) (*ingest.Batch[T], error)
	put    func(ctx context.Context, account, source string, rows []T) ([]analytics.FieldError, error)
	// warn says what a row stores that may not mean what was intended; nil when
	// rows of the kind need no warnings.
	warn func(row *T) (field, message string)
	// running tells what rows of the kind may have set going; nil for nothing.
	running func(ctx context.Context, account string) (*analytics.Recompute, error)
	source  func(ctx context.Context, account, id string) (analytics.Source, error)
	bodies  *httpx.Buffers
	replies *replyPool
}

// serve stores the rows of a request and answers when they are durable.
func (p *push[T]) serve(w http.ResponseWriter, r *http.Request) error {
	echo, err := echoOf(r)
	if err != nil {
		return err
	}
	body, release, err := p.bodies.Read(r, ingest.MaxBodyBytes)
	if err != nil {
		return err
	}
	defer release() // the engine keeps nothing of the body once put returns
	batch, err := p.decode(body)
	if err != nil {
		return err
	}
	o, err := p.store(r, batch)
	if err != nil {
		return err
	}
	if o.failed > 0 && o.failed == len(o.docs) {
		return rowsError(o.failures, batch.Single)
	}
	p.replies.with(func(reply []byte) []byte {
		reply = appendImport(reply, o, echo == "errors")
		httpx.WriteBody(w, http.StatusOK, reply)
		return reply
	})
	return nil
}

func echoOf(r *http.Request) (string, error) {
	switch echo := r.URL.Query().Get("echo"); echo {
	case "", "all", "errors":
		return echo, nil
	default:
		return "", httpx.Field("echo", "must be all or errors")
	}
}

// store hands the good rows to the engine, one call per data source. The calls
// are commits of their own: an error in one leaves the earlier ones stored but
// not acknowledged, and sending the request again completes them.
func (p *push[T]) store(r *http.Request, batch *ingest.Batch[T]) (outcome, error) {
	ctx := r.Context()
	o := outcome{docs: batch.Docs, failures: batch.Errors}
	for _, g := range groupRows(r, batch, &o) {
		failures, err := p.put(p.loudness(ctx, g.source), callerOf(ctx).Account, g.source, g.rows)
		if field := sourceFault(g, err); field != "" {
			for i := range g.rows {
				o.failures = append(o.failures, analytics.FieldError{Index: g.index[i], Field: "data_source", Message: field})
			}
			continue
		}
		if err != nil {
			return outcome{}, err
		}
		for _, f := range failures {
			f.Index = g.index[f.Index]
			o.failures = append(o.failures, f)
		}
		p.addWarnings(&o, g)
	}
	slices.SortStableFunc(o.failures, func(a, b analytics.FieldError) int { return cmp.Compare(a.Index, b.Index) })
	slices.SortStableFunc(o.warnings, func(a, b analytics.FieldError) int { return cmp.Compare(a.Index, b.Index) })
	last := -1
	for _, f := range o.failures {
		if f.Index != last {
			o.failed, last = o.failed+1, f.Index
		}
	}
	if p.running == nil {
		return o, nil
	}
	running, err := p.running(ctx, callerOf(ctx).Account)
	if err == nil && running != nil {
		o.recompute, err = json.Marshal(recomputeToWire(running))
	}
	return o, err
}

// loudness is ctx, made silent for rows that come from files: subscribers are
// not told of history.
func (p *push[T]) loudness(ctx context.Context, source string) context.Context {
	if source == "" {
		return ctx
	}
	s, err := p.source(ctx, callerOf(ctx).Account, source)
	if err == nil && s.Type == analytics.SourceCSV {
		return analytics.Silently(ctx)
	}
	return ctx // put tells what is wrong with a source that cannot be found
}

func (p *push[T]) addWarnings(o *outcome, g group[T]) {
	if p.warn == nil {
		return
	}
	for i := range g.rows {
		if field, message := p.warn(&g.rows[i]); message != "" {
			o.warnings = append(o.warnings, analytics.FieldError{Index: g.index[i], Field: field, Message: message})
		}
	}
}

// group is the rows of a request that go to one data source.
type group[T any] struct {
	source string // "" for the account's only api source
	rows   []T
	index  []int // of each row in the request
	named  bool  // the path names the source, so that it must exist
}

// groupRows splits the good rows by data source: the one in the path, else the
// row's own, else the one in the query.
func groupRows[T any](r *http.Request, batch *ingest.Batch[T], o *outcome) []group[T] {
	if source := r.PathValue("id"); source != "" {
		return []group[T]{rowsOfPath(source, batch, o)}
	}
	usual := r.URL.Query().Get("data_source")
	if usual == "" {
		usual = r.URL.Query().Get("source")
	}
	if g, ok := oneGroup(batch, usual); ok {
		return []group[T]{g}
	}
	var groups []group[T]
	at := make(map[string]int)
	for i := range batch.Rows {
		source := cmp.Or(batch.Sources[i], usual)
		n, ok := at[source]
		if !ok {
			n = len(groups)
			at[source] = n
			groups = append(groups, group[T]{source: source})
		}
		groups[n].rows = append(groups[n].rows, batch.Rows[i])
		groups[n].index = append(groups[n].index, batch.Index[i])
	}
	return groups
}

// oneGroup returns all rows as they are when they go to one data source, which
// is the rule and saves copying them.
func oneGroup[T any](batch *ingest.Batch[T], usual string) (group[T], bool) {
	if len(batch.Rows) == 0 {
		return group[T]{}, false
	}
	first := cmp.Or(batch.Sources[0], usual)
	differs := func(own string) bool { return cmp.Or(own, usual) != first }
	if slices.ContainsFunc(batch.Sources, differs) {
		return group[T]{}, false
	}
	return group[T]{source: first, rows: batch.Rows, index: batch.Index}, true
}

// rowsOfPath returns the rows for the source in the path. A row that names
// another source is refused: one of the two is a mistake.
func rowsOfPath[T any](source string, batch *ingest.Batch[T], o *outcome) group[T] {
	g := group[T]{source: source, rows: batch.Rows, index: batch.Index, named: true}
	agrees := func(own string) bool { return own == "" || own == source }
	if !slices.ContainsFunc(batch.Sources, func(own string) bool { return !agrees(own) }) {
		return g
	}
	g.rows, g.index = nil, nil
	for i, own := range batch.Sources {
		if agrees(own) {
			g.rows, g.index = append(g.rows, batch.Rows[i]), append(g.index, batch.Index[i])
			continue
		}
		o.failures = append(o.failures, analytics.FieldError{
			Index: batch.Index[i], Field: "data_source", Message: fmt.Sprintf("is %q in the row and %q in the path; leave it out", clip(own), clip(source)),
		})
	}
	return g
}

// sourceFault says what is wrong with the data source that rows name
// themselves, "" when nothing is.
func sourceFault[T any](g group[T], err error) string {
	switch {
	case g.named:
		return ""
	case errors.Is(err, analytics.ErrUnknownSource):
		return fmt.Sprintf("no data source has the id %q; GET /data/data-sources lists them", clip(g.source))
	case errors.Is(err, analytics.ErrSourceRequired):
		return "is required unless the account has exactly one data source of type api; GET /data/data-sources lists them"
	default:
		return ""
	}
}

// prorationWarning points out a prorated invoice that cannot move MRR.
func prorationWarning(row *analytics.InvoiceRow) (field, message string) {
	e := &row.Event
	if e.Proration == ledger.NotProrated || len(row.Lines) > 0 || !e.Start.IsZero() && !e.End.IsZero() {
		return "", ""
	}
	return "period_start", "a prorated invoice without period_start and period_end counts as cash alone; MRR stays as it was"
}

// rowsError is the answer when no row could be stored.
func rowsError(failures []analytics.FieldError, single bool) error {
	first := failures[0]
	text := faultText(first)
	if !single {
		text = fmt.Sprintf("row %d: %s", first.Index, text)
		if first.ID != "" {
			text = fmt.Sprintf("row %d (%s): %s", first.Index, clip(first.ID), faultText(first))
		}
	}
	if more := len(failures) - 1; more > 0 {
		text = fmt.Sprintf("%s; and %d more", text, more)
	}
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_rows", Message: text, Details: details(failures, true)}
}
