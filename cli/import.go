package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/ingest/csvfile"
)

// ImportFlags are the options of commands that import CSV files.
type ImportFlags struct {
	files      map[csvfile.Kind]*string
	maps       []string
	preset     string
	encoding   string
	delimiter  string
	dates      string
	amounts    string
	decimals   string
	currency   string
	checkpoint string
	report     string
	dryRun     bool
}

// AddImportFlags defines the options on a command.
func AddImportFlags(cmd *cobra.Command) *ImportFlags {
	f := &ImportFlags{files: map[csvfile.Kind]*string{}}
	flags := cmd.Flags()
	for kind, usage := range map[csvfile.Kind]string{
		csvfile.Customers: "CSV `file` of customers", csvfile.Plans: "CSV `file` of plans", csvfile.Invoices: "CSV `file` of invoices",
		csvfile.Subscriptions: "CSV `file` of subscriptions, with --preset stripe",
	} {
		f.files[kind] = flags.String(string(kind), "", usage)
	}
	flags.StringVar(&f.preset, "preset", "", "`stripe` reads the files that Stripe's dashboard exports")
	flags.StringArrayVar(&f.maps, "map", nil, "`FIELD=COLUMN`: which column gives a field; may be repeated. invoices.amount=Total is about one file, custom_plan=Tier makes a custom variable")
	flags.StringVar(&f.encoding, "encoding", "", "`encoding` of the files: "+strings.Join(csvfile.Encodings(), ", ")+" (default: found out)")
	flags.StringVar(&f.delimiter, "delimiter", "", "`character` between columns, or tab (default: found out)")
	flags.StringVar(&f.dates, "dates", "", "how days such as 01/02/2026 are written: `dmy` (31/01/2026) or mdy (01/31/2026)")
	flags.StringVar(&f.amounts, "amounts", "minor", "unit of amounts: `minor` (9900) or major (99.00)")
	flags.StringVar(&f.decimals, "decimals", "", "decimal mark of amounts with --amounts major: `point` (1,234.50) or comma (1.234,50) (default: found out where only one fits)")
	flags.StringVar(&f.currency, "currency", "", "`currency` of rows that state none")
	flags.StringVar(&f.checkpoint, "checkpoint", "", "`file` that remembers how far the import has come, to go on from there when it is run again")
	flags.StringVar(&f.report, "report", "", "CSV `file` to write every row to that could not be imported, and why")
	flags.BoolVar(&f.dryRun, "dry-run", false, "check the files and store nothing")
	return f
}

// options reads the flags. target is part of what tells imports apart.
func (f *ImportFlags) options(target string) (csvfile.Options, error) {
	o := csvfile.Options{Preset: f.preset, Encoding: f.encoding, Dates: f.dates, Decimals: f.decimals, Currency: f.currency, Map: map[csvfile.Kind]map[string]string{}}
	for _, kind := range []csvfile.Kind{csvfile.Customers, csvfile.Plans, csvfile.Subscriptions, csvfile.Invoices} {
		if *f.files[kind] == "" {
			continue
		}
		file, err := importFile(kind, *f.files[kind])
		if err != nil {
			return o, err
		}
		o.Files = append(o.Files, file)
	}
	switch f.amounts {
	case "minor":
	case "major":
		o.Major = true
	default:
		return o, fmt.Errorf("--amounts %q: must be minor or major", f.amounts)
	}
	delimiter := []rune(strings.NewReplacer("tab", "\t", `\t`, "\t").Replace(f.delimiter))
	switch len(delimiter) {
	case 0:
	case 1:
		o.Delimiter = delimiter[0]
	default:
		return o, fmt.Errorf("--delimiter %q: must be one character, or tab", f.delimiter)
	}
	if f.checkpoint != "" && !f.dryRun {
		o.Checkpoint = csvfile.CheckpointFile{Path: f.checkpoint, For: target}
	}
	return o, f.mapping(&o)
}

func importFile(kind csvfile.Kind, name string) (csvfile.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return csvfile.File{}, err
	}
	if !info.Mode().IsRegular() {
		return csvfile.File{}, fmt.Errorf("%s is not a regular file: an import reads its beginning twice", name)
	}
	return csvfile.File{Kind: kind, Name: name, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
}

// mapping reads --map. A field without a kind is about every file.
func (f *ImportFlags) mapping(o *csvfile.Options) error {
	for _, entry := range f.maps {
		field, column, ok := strings.Cut(entry, "=")
		if !ok || field == "" || column == "" {
			return fmt.Errorf("--map %q: must be FIELD=COLUMN", entry)
		}
		only := csvfile.Kind("")
		if kind, rest, dotted := strings.Cut(field, "."); dotted {
			only, field = csvfile.Kind(kind), rest
		}
		found := false
		for _, file := range o.Files {
			if only != "" && file.Kind != only || only == "" && !csvfile.HasField(file.Kind, field) {
				continue
			}
			if o.Map[file.Kind] == nil {
				o.Map[file.Kind] = map[string]string{}
			}
			o.Map[file.Kind][field], found = column, true
		}
		if !found {
			return fmt.Errorf("--map %q: no file that is imported has this field", entry)
		}
	}
	return nil
}

// Run imports the files of the flags into the sink that open returns, or only
// checks them. It prints how it goes on errs, and the result on out.
func (f *ImportFlags) Run(ctx context.Context, target string, env Env, open func() (csvfile.Sink, error)) error {
	o, err := f.options(target)
	if err != nil {
		return err
	}
	if err := o.CheckHeaders(); err != nil {
		return err
	}
	told, err := newFaultReport(env.Err, f.report)
	if err != nil {
		return err
	}
	o.Fault = told.add
	bar := &progressBar{out: env.Err, live: env.OutTTY}
	o.Progress = bar.show
	totals := invoiceTotals{}
	o.Stored = totals.add
	var sink csvfile.Sink = csvfile.NewCheck(o)
	if !f.dryRun {
		if sink, err = open(); err != nil {
			return errors.Join(err, told.close())
		}
	}
	result, err := csvfile.Import(ctx, o, sink)
	bar.end()
	if closed := told.close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("the import ended early, after %d rows that were stored: %w", result.Stored, err)
	}
	if said := totals.String(); said != "" {
		_, _ = fmt.Fprintln(env.Err, said) // the result follows
	}
	verb := "stored"
	if f.dryRun {
		verb = "good"
	}
	_, err = fmt.Fprintf(env.Out, "%d rows %s, %d failed, %d skipped\n", result.Stored, verb, result.Failed, result.Skipped)
	if err == nil && result.Failed > 0 {
		return fmt.Errorf("%d rows could not be imported", result.Failed)
	}
	return err
}

// importCSV is growpanel data import.
func (c *client) importCSV() *cobra.Command {
	var source, create string
	cmd := &cobra.Command{
		Use: "import", Short: "Import customers, plans and invoices from CSV files", Args: cobra.NoArgs,
		Long: "Import customers, plans and invoices from CSV files.\n\n" +
			"Columns are found by name; --map names others. Encoding and delimiter are found out.\n" +
			"Rows that exist are updated, so that an import can be run again.",
		Example: "  growpanel data import --data-source ds_1 --customers customers.csv --plans plans.csv --invoices invoices.csv --dry-run\n" +
			"  growpanel data import --create \"Stripe export\" --preset stripe \\\n" +
			"    --customers customers.csv --subscriptions subscriptions.csv --invoices invoices.csv",
	}
	flags := AddImportFlags(cmd)
	cmd.Flags().StringVar(&source, "data-source", "", "data source `id` to import into")
	cmd.Flags().StringVar(&create, "create", "", "import into the data source of type csv with this `name`, and create it if there is none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case source != "" && create != "":
			return errors.New("give one of --data-source and --create, not both")
		case source+create == "" && !flags.dryRun:
			return errors.New("say where to import into: --data-source ID, or --create NAME for a new one")
		}
		return flags.Run(cmd.Context(), source+create, c.Env, func() (csvfile.Sink, error) {
			api, err := c.Connect(apiclient.NewSecret(c.key), c.url)
			if err != nil {
				return nil, err
			}
			id := source
			if create != "" {
				if id, err = c.ensureSource(cmd.Context(), api, create); err != nil {
					return nil, err
				}
			}
			return &apiSink{api: api, source: id, sleep: sleep}, nil
		})
	}
	return cmd
}

// ensureSource returns the id of the csv data source of a name, a new one when
// there is none: an import that is run again goes on with the one it made.
func (c *client) ensureSource(ctx context.Context, api *apiclient.Client, name string) (string, error) {
	at := []string{"data", "data-sources"}
	res, err := api.Do(ctx, http.MethodGet, at, url.Values{"type": {"csv"}}, nil)
	if err != nil {
		return "", explain(err)
	}
	var list struct{ Result []struct{ ID, Name string } }
	if err := json.Unmarshal(res.Body, &list); err != nil {
		return "", fmt.Errorf("read the data sources: %w", err)
	}
	for _, source := range list.Result {
		if source.Name == name {
			return source.ID, nil
		}
	}
	body, err := json.Marshal(map[string]string{"name": name, "type": "csv"})
	if err != nil {
		return "", err
	}
	if res, err = api.Do(ctx, http.MethodPost, at, nil, body); err != nil {
		return "", explain(err)
	}
	var created struct{ ID string }
	if err := json.Unmarshal(res.Body, &created); err != nil {
		return "", fmt.Errorf("read the new data source: %w", err)
	}
	_, _ = fmt.Fprintf(c.Err, "created data source %s\n", created.ID)
	return created.ID, nil
}

// apiSink pushes rows through the API.
type apiSink struct {
	api    *apiclient.Client
	source string
	sleep  func(context.Context, time.Duration) error
}

const pushTries = 6

// Push implements csvfile.Sink.
func (s *apiSink) Push(ctx context.Context, kind csvfile.Kind, rows [][]byte) ([]csvfile.RowFault, error) {
	res, err := s.post(ctx, []string{"data-sources", s.source, string(kind)}, url.Values{"echo": {"errors"}}, csvfile.Body(rows))
	refused, ok := errors.AsType[*apiclient.Error](err)
	switch {
	case err == nil:
		return rowFaults(rows, res.Body)
	case ok && refused.Status == http.StatusBadRequest && refused.Code == "invalid_rows":
		return allFailed(len(rows), refused.Details), nil
	default:
		return nil, explain(err)
	}
}

// End implements csvfile.Sink. Only data sources of type csv want to be told.
func (s *apiSink) End(ctx context.Context, result csvfile.Result) error {
	body, err := json.Marshal(map[string]int64{"stored": result.Stored, "failed": result.Failed})
	if err != nil {
		return err
	}
	_, err = s.post(ctx, []string{"data", "data-sources", s.source, "imported"}, nil, body)
	if refused, ok := errors.AsType[*apiclient.Error](err); ok && refused.Status == http.StatusBadRequest {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	return nil
}

// post sends a request that may be sent twice without harm, and sends it again
// after what may pass.
func (s *apiSink) post(ctx context.Context, segments []string, query url.Values, body []byte) (*apiclient.Response, error) {
	pause := time.Second
	for try := 1; ; try++ {
		res, err := s.api.Do(ctx, http.MethodPost, segments, query, body)
		if err == nil {
			return res, nil
		}
		refused, ok := errors.AsType[*apiclient.Error](err)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case ok && refused.Status < 500 && refused.Status != http.StatusTooManyRequests, try == pushTries:
			return nil, err
		}
		wait := pause
		if ok {
			wait = max(wait, refused.RetryAfter)
		}
		if err := s.sleep(ctx, wait); err != nil {
			return nil, err
		}
		pause *= 2
	}
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

// allFailed reads the answer to a push of which no row was stored. It names the
// first faults alone.
func allFailed(rows int, details []apiclient.Detail) []csvfile.RowFault {
	var faults []csvfile.RowFault
	named := map[int]bool{}
	for _, d := range details {
		if d.Index != nil {
			named[int(*d.Index)] = true
			faults = append(faults, csvfile.RowFault{Index: int(*d.Index), Field: d.Field, Message: d.Message})
		}
	}
	for i := range rows {
		if !named[i] {
			faults = append(faults, csvfile.RowFault{Index: i, Message: "was refused like the rows before it"})
		}
	}
	return faults
}

// rowFaults reads the answer to a push: the rows that were refused come back,
// and are known by their ids.
func rowFaults(rows [][]byte, body []byte) ([]csvfile.RowFault, error) {
	var answer struct {
		Failed int
		Result []struct {
			ID     string
			Status string `json:"export_status"`
			Error  string `json:"export_error"`
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read the answer to a push: %w", err)
	}
	if answer.Failed == 0 {
		return nil, nil
	}
	places := make(map[string][]int, len(rows)) // of an id, which a file may have twice
	for i, row := range rows {
		var named struct{ ID string }
		if err := json.Unmarshal(row, &named); err == nil {
			places[named.ID] = append(places[named.ID], i)
		}
	}
	var faults []csvfile.RowFault
	for _, row := range answer.Result {
		if at := places[row.ID]; len(at) > 0 && row.Status == "error" {
			faults = append(faults, csvfile.RowFault{Index: at[0], Message: row.Error})
			places[row.ID] = at[1:]
		}
	}
	return faults, nil
}
