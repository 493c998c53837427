package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// Engine is where rows go. *analytics.Engine is one.
type Engine interface {
	Source(ctx context.Context, account, id string) (analytics.Source, error)
	PutCustomers(ctx context.Context, account, source string, rows []analytics.CustomerRow) ([]analytics.FieldError, error)
	PutPlans(ctx context.Context, account, source string, rows []analytics.PlanRow) ([]analytics.FieldError, error)
	PutInvoices(ctx context.Context, account, source string, rows []analytics.InvoiceRow) ([]analytics.FieldError, error)
	Announce(ctx context.Context, account, kind string, data any, identity ...string) error
}

// Config is what an Importer needs.
type Config struct {
	Engine   Engine
	Sealer   Sealer
	Outgoing httpx.OutgoingConfig // what the operator allows
	Now      func() time.Time
	Logger   *slog.Logger
	// Sleep waits between tries, or returns early with the error of its context.
	// Nil for the time it is asked for.
	Sleep func(context.Context, time.Duration) error
}

// Importer fetches the rows of data sources, as jobs.
type Importer struct {
	cfg    Config
	client *http.Client
}

// NewImporter makes an importer.
func NewImporter(cfg Config) *Importer {
	cfg.Outgoing = outgoing(cfg.Outgoing)
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	return &Importer{cfg: cfg, client: httpx.NewOutgoing(cfg.Outgoing)}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// JobKind is the kind of the jobs of an Importer.
const JobKind = "import"

const (
	importAttempts = 8
	importTimeout  = 12 * time.Hour
	importWorkers  = 4
	firstRest      = 30 * time.Second // between attempts
	longestRest    = 30 * time.Minute
	maxPages       = 10_000 // of one type
)

// Handler runs the importer's jobs.
func (i *Importer) Handler() jobs.Handler {
	return jobs.Handler{
		Run: i.run, Workers: importWorkers, Attempts: importAttempts, Timeout: importTimeout,
		Backoff: jobs.Exponential(firstRest, longestRest),
	}
}

// payload is what a job is about.
type payload struct {
	Source string `json:"source"`
	// Full is set for an import that somebody asked for: it fetches history, so
	// subscribers are told of its end alone. Scheduled ones bring news.
	Full bool `json:"full,omitempty"`
}

// Checkpoint is how far an import has come: all pages before Page of Type, and
// all types before Type, are stored.
type Checkpoint struct {
	Type    string    `json:"type"`
	Page    int       `json:"page"`
	Ended   bool      `json:"ended,omitempty"`  // whether Type has no page Page: all of it is stored
	Digest  string    `json:"digest,omitempty"` // of the page before, if it is of the same type
	Fetched int64     `json:"fetched"`          // rows, of all types
	Stored  int64     `json:"stored"`
	Failed  int64     `json:"failed"`
	Faults  []Fault   `json:"faults,omitempty"` // the first maxFaults of all
	Code    string    `json:"code,omitempty"`   // of the Problem that the last attempt met
	Active  time.Time `json:"active"`           // when it last got on
}

// Fault is a row that could not be stored.
type Fault struct {
	Type    string `json:"type"`
	Page    int    `json:"page"`
	Index   int    `json:"index"` // of the row in its page
	ID      string `json:"id"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

const maxFaults = 100

// work is one attempt of an import.
type work struct {
	*Importer
	task    *jobs.Task
	source  string
	fetcher *fetcher
	at      Checkpoint
}

// run does one attempt, from where the last one stopped.
func (i *Importer) run(ctx context.Context, t *jobs.Task) error {
	var p payload
	if err := json.Unmarshal(t.Payload, &p); err != nil {
		return jobs.Permanent(fmt.Errorf("read the job: %w", err))
	}
	w := &work{Importer: i, task: t, source: p.Source}
	if len(t.Progress) > 0 {
		if err := json.Unmarshal(t.Progress, &w.at); err != nil {
			return jobs.Permanent(fmt.Errorf("read the job's progress: %w", err))
		}
	}
	writes := ctx
	if p.Full {
		writes = analytics.Silently(ctx)
	}
	err := w.all(writes)
	if err == nil {
		return w.announce(ctx)
	}
	problem, ok := errors.AsType[*Problem](err)
	if !ok {
		return err
	}
	w.at.Code = problem.Code
	if saved := t.Save(ctx, w.at); saved != nil {
		return errors.Join(problem, saved)
	}
	if problem.Code == codeGone {
		if err := t.StopRepeating(ctx); err != nil {
			return errors.Join(problem, err)
		}
	}
	if problem.Final {
		return jobs.Permanent(problem)
	}
	return problem
}

// announce tells the account's subscribers that the import has ended.
func (w *work) announce(ctx context.Context) error {
	source, err := w.cfg.Engine.Source(ctx, w.task.Account, w.source)
	if err != nil {
		return w.storeProblem(ctx, err)
	}
	data := analytics.ImportData{DataSource: source.ID, Name: source.Name, Fetched: w.at.Fetched, Stored: w.at.Stored, Failed: w.at.Failed}
	return w.cfg.Engine.Announce(ctx, w.task.Account, analytics.ImportCompleted, data, w.task.ID)
}

// all imports every type of the connection.
func (w *work) all(ctx context.Context) error {
	source, err := w.cfg.Engine.Source(ctx, w.task.Account, w.source)
	if err != nil {
		return w.storeProblem(ctx, err)
	}
	c, err := ReadConnection(source)
	if err != nil {
		return jobs.Permanent(err)
	}
	if c == nil {
		return &Problem{Code: codeUnconnected, Text: "the data source is not connected to an endpoint", Final: true}
	}
	if w.fetcher, err = w.newFetcher(w.task.Account, w.source, c); err != nil {
		return err
	}
	w.at.Code = ""
	for _, kind := range remaining(c.Types, w.at.Type) {
		if kind != w.at.Type {
			w.at.Type, w.at.Page, w.at.Digest, w.at.Ended = kind, 1, "", false
		}
		if w.at.Ended {
			continue // an endpoint without pages would send the same rows again
		}
		if err := w.each(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// remaining returns the types from the one that an import had come to.
func remaining(all []string, from string) []string {
	for i, kind := range all {
		if kind == from {
			return all[i:]
		}
	}
	return all
}

func (w *work) each(ctx context.Context, kind string) error {
	engine := w.cfg.Engine
	switch kind {
	case "customers":
		return importType(ctx, w, kind, ingest.DecodeCustomers, engine.PutCustomers)
	case "plans":
		return importType(ctx, w, kind, ingest.DecodePlans, engine.PutPlans)
	default:
		return importType(ctx, w, kind, ingest.DecodeInvoices, engine.PutInvoices)
	}
}

// put stores rows of one kind.
type put[T any] func(ctx context.Context, account, source string, rows []T) ([]analytics.FieldError, error)

// importType imports the pages of one type from the checkpoint on. A page is
// stored before the checkpoint moves past it: a crash between the two stores
// the same rows again, which changes nothing.
func importType[T any](ctx context.Context, w *work, kind string, decode func([]byte) (*ingest.Batch[T], error), store put[T]) error {
	for {
		if w.at.Page > maxPages {
			return w.standing(fmt.Sprintf("the endpoint goes on after %d pages", maxPages))
		}
		body, err := w.fetcher.page(ctx, kind, w.at.Page)
		if err != nil {
			return err
		}
		p, err := readPage(kind, body, decode)
		if err != nil {
			return w.unreadable(err)
		}
		if len(p.Docs) > 0 && p.digest == w.at.Digest {
			return w.standing("the endpoint sent the same rows as on the page before: it must heed ?page=")
		}
		if err := storePage(ctx, w, p, store); err != nil {
			return err
		}
		w.at.Page, w.at.Digest, w.at.Active = w.at.Page+1, p.digest, w.cfg.Now().UTC()
		w.at.Ended = !p.more || len(p.Docs) == 0
		if err := w.task.Save(ctx, w.at); err != nil {
			return err
		}
		if w.at.Ended {
			return nil
		}
	}
}

func storePage[T any](ctx context.Context, w *work, p *page[T], store put[T]) error {
	faults := p.Errors
	if len(p.Rows) > 0 {
		refused, err := store(ctx, w.task.Account, w.source, p.Rows)
		if err != nil {
			return w.storeProblem(ctx, err)
		}
		for _, f := range refused {
			f.Index = p.Index[f.Index]
			faults = append(faults, f)
		}
	}
	failed := map[int]bool{}
	for _, f := range faults {
		failed[f.Index] = true
		if len(w.at.Faults) < maxFaults {
			w.at.Faults = append(w.at.Faults, Fault{
				Type: w.at.Type, Page: w.at.Page, Index: f.Index, ID: clip(f.ID), Field: clip(f.Field), Message: f.Message,
			})
		}
	}
	w.at.Fetched += int64(len(p.Docs))
	w.at.Failed += int64(len(failed))
	w.at.Stored += int64(len(p.Docs) - len(failed))
	return nil
}

func (w *work) standing(text string) *Problem {
	return &Problem{Type: w.at.Type, Page: w.at.Page, Code: codeStanding, Text: text, Final: true}
}

// unreadable says why a body is no page. It may be one the next time: what
// stands between sends pages of its own when something is down.
func (w *work) unreadable(err error) *Problem {
	p := &Problem{Type: w.at.Type, Page: w.at.Page, Code: codeMalformed, Text: "the answer is not a page: " + err.Error()}
	if large, ok := errors.AsType[*ingest.TooLargeError](err); ok {
		p.Code, p.Text, p.Final = codeTooLarge, large.Message, true
	}
	return p
}

// storeProblem says why rows could not be stored. What is the matter with the
// store is for the operator alone.
func (w *work) storeProblem(ctx context.Context, err error) error {
	p := &Problem{Type: w.at.Type, Page: w.at.Page, Code: codeStore, Text: "the rows could not be stored"}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, analytics.ErrUnknownSource):
		p.Code, p.Text, p.Final = codeGone, "the data source does not exist any more", true
	default:
		w.cfg.Logger.ErrorContext(ctx, "rows of an import could not be stored", slog.String("job", w.task.ID), slog.Any("error", err))
	}
	return p
}
