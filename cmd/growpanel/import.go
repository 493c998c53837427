package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/cli"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/ingest"
	"github.com/growpanel/growpanel-mcp/ingest/csvfile"
	"github.com/growpanel/growpanel-mcp/internal/sqldb"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// importCSV imports files straight into a data folder. It needs the folder for
// itself: a server that has it open keeps its accounts in memory.
func (p process) importCSV() *cobra.Command {
	var account, source string
	cmd := &cobra.Command{
		Use:   "import --account NAME --data-source NAME",
		Short: "Import customers, plans and invoices from CSV files, while no server runs",
		Long: "Import customers, plans and invoices from CSV files into a data folder that no server\n" +
			"has open; beside a running server use `growpanel data import`.",
		Args: cobra.NoArgs,
	}
	flags := cli.AddImportFlags(cmd)
	cmd.Flags().StringVar(&account, "account", "", "`NAME` or id of the account; created if there is none")
	cmd.Flags().StringVar(&source, "data-source", "CSV files", "`NAME` or id of the data source; created as type csv if there is none")
	if err := cmd.MarkFlagRequired("account"); err != nil {
		panic(err) // the flag is defined above
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		sink := &folderSink{now: p.now}
		defer func() { err = errors.Join(err, sink.close()) }()
		env := cli.Env{Out: p.out, Err: cmd.ErrOrStderr(), OutTTY: p.outTTY}
		return flags.Run(cmd.Context(), account+"/"+source, env, func() (csvfile.Sink, error) {
			cfg, err := config.LoadServe(p.source(cmd.Flags()), config.Admin)
			if err != nil {
				return nil, err
			}
			return sink, sink.open(cmd.Context(), p, cfg, account, source)
		})
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

// folderSink puts rows into a data folder.
type folderSink struct {
	engine          *analytics.Engine
	now             func() time.Time
	account, source string
	closers         []func() error
}

func (s *folderSink) open(ctx context.Context, p process, cfg config.Serve, account, source string) error {
	lock, err := sqldb.LockFolder(cfg.Data)
	if err != nil {
		return fmt.Errorf("%w; beside a running server use growpanel data import", err)
	}
	s.closers = append(s.closers, lock.Release)
	store, err := sqlstore.Open(ctx, cfg.Data)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, store.Close)
	owner, err := p.identity(store).EnsureAccount(ctx, account)
	if err != nil {
		return err
	}
	s.engine = analytics.New(analytics.Config{Store: store.Analytics(), Outbox: store.Analytics(), Rows: ingest.Documents{}, Now: p.now})
	s.closers = append(s.closers, func() error { s.engine.Close(); return nil })
	s.account = owner.ID
	s.source, err = s.ensureSource(ctx, source)
	return err
}

// ensureSource returns the id of a data source that is named by name or id.
func (s *folderSink) ensureSource(ctx context.Context, name string) (string, error) {
	sources, err := s.engine.Sources(ctx, s.account)
	if err != nil {
		return "", err
	}
	for _, source := range sources {
		if source.ID == name || source.Name == name {
			return source.ID, nil
		}
	}
	created, err := s.engine.CreateSource(ctx, s.account, analytics.NewSource{Name: name, Type: analytics.SourceCSV})
	return created.ID, err
}

// End implements csvfile.Sink. What it announces is delivered by the next
// server.
func (s *folderSink) End(ctx context.Context, result csvfile.Result) error {
	source, err := s.engine.Source(ctx, s.account, s.source)
	if err != nil {
		return err
	}
	data := analytics.ImportData{
		DataSource: source.ID, Name: source.Name, Fetched: result.Stored + result.Failed, Stored: result.Stored, Failed: result.Failed,
	}
	return s.engine.Announce(ctx, s.account, analytics.ImportCompleted, data, source.ID, s.now().UTC().Format(time.RFC3339Nano))
}

func (s *folderSink) close() error {
	var all []error
	for _, closer := range slices.Backward(s.closers) {
		all = append(all, closer())
	}
	return errors.Join(all...)
}

// Push implements csvfile.Sink.
func (s *folderSink) Push(ctx context.Context, kind csvfile.Kind, rows [][]byte) ([]csvfile.RowFault, error) {
	ctx = analytics.Silently(ctx) // history is no news
	body := csvfile.Body(rows)
	switch kind {
	case csvfile.Customers:
		return storeRows(ctx, s, body, ingest.DecodeCustomers, s.engine.PutCustomers)
	case csvfile.Plans:
		return storeRows(ctx, s, body, ingest.DecodePlans, s.engine.PutPlans)
	default:
		return storeRows(ctx, s, body, ingest.DecodeInvoices, s.engine.PutInvoices)
	}
}

func storeRows[T any](
	ctx context.Context, s *folderSink, body []byte, decode func([]byte) (*ingest.Batch[T], error),
	put func(ctx context.Context, account, source string, rows []T) ([]analytics.FieldError, error),
) ([]csvfile.RowFault, error) {
	batch, err := decode(body)
	if err != nil {
		return nil, err
	}
	refused, err := put(ctx, s.account, s.source, batch.Rows)
	if err != nil {
		return nil, err
	}
	var faults []csvfile.RowFault
	for _, f := range batch.Errors {
		faults = append(faults, csvfile.RowFault{Index: f.Index, Field: f.Field, Message: f.Message})
	}
	for _, f := range refused {
		faults = append(faults, csvfile.RowFault{Index: batch.Index[f.Index], Field: f.Field, Message: f.Message})
	}
	return faults, nil
}
