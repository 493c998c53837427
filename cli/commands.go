package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// group is a command that only holds others: on its own it prints its help and
// fails, so that a script notices.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: HelpAndFail,
	}
	cmd.AddCommand(commands...)
	return cmd
}

// HelpAndFail is what a command does that only holds others.
func HelpAndFail(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	if err := cmd.Help(); err != nil {
		return err
	}
	return errors.New("choose one of the commands above")
}

// arguments checks a command's arguments against the <names> of its use line;
// [names] behind them are optional.
func arguments(cmd *cobra.Command, args []string) error {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	names := strings.Fields(rest)
	for i, name := range names {
		if strings.HasPrefix(name, "[") {
			return nil
		}
		if i >= len(args) {
			return fmt.Errorf("missing argument %s: see %s --help", name, cmd.CommandPath())
		}
	}
	if len(args) > len(names) {
		return fmt.Errorf("unexpected argument %q: see %s --help", args[len(names)], cmd.CommandPath())
	}
	return nil
}

// get is a command without arguments that reads one route.
func (c *client) get(use, short string, segments ...string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: segments})
		},
	}
}

// byID is a command with one argument, the last segment of its route.
func (c *client) byID(use, short, method string, segments ...string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), request{method: method, segments: append(slices.Clip(segments), args[0])})
		},
	}
}

// send is a command that needs a body; with an argument in use it goes last in
// the route.
func (c *client) send(use, short, method string, segments ...string) *cobra.Command {
	return c.sending(true, use, short, method, segments...)
}

// maySend is send with a body that may be left out.
func (c *client) maySend(use, short, method string, segments ...string) *cobra.Command {
	return c.sending(false, use, short, method, segments...)
}

func (c *client) sending(needsBody bool, use, short, method string, segments ...string) *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := c.body(flag, needsBody)
			if err != nil {
				return err
			}
			return c.call(cmd.Context(), request{method: method, segments: append(slices.Clip(segments), args...), body: body})
		},
	}
	bodyFlag(cmd, &flag)
	return cmd
}

func bodyFlag(cmd *cobra.Command, flag *string) {
	cmd.Flags().StringVar(flag, "body", "", "request body: `JSON`, @file, or standard input when not given")
}

// knownReports are the reports that the API serves; others are passed through,
// so that a newer server needs no newer client.
var knownReports = []string{
	"summary", "mrr", "movement-table", "retention", "cohort", "customer-concentration",
	"mrr-growth", "mrr-growth-table", "mrr-table", "mrr-subtypes", "mrr-table-subtypes", "cmrr-summary",
	"churn-scheduled", "churn-scheduled-movements", "churn-scheduled-summary", "churn-reasons", "churn-reasons-summary",
	"cancellation-timing", "cancellation-timing-detail", "map", "latest-activity", "custom-variables", "leads", "leads-summary", "leads-table", "leads-days",
	"transactions", "transactions-table", "transactions-detail", "transactions-summary", "invoices-detail",
	"cashflow-failed-payments", "cashflow-failed-payments-summary", "cashflow-failed-payments-detail", "cashflow-failed-payments-table",
	"cashflow-refunds", "cashflow-refunds-table", "cashflow-refunds-detail",
	"cashflow-failure-rate", "cashflow-failure-rate-summary", "cashflow-outstanding-unpaid",
}

// reportFlags are the options of reports and the parameters they become.
var reportFlags = []struct{ flag, param, usage string }{
	{"date", "date", "`range`: 20260101-20260331, 2026-01-01, last-12-months, this-year, ..."},
	{"interval", "interval", "`unit` of a row: day, week, month, quarter or year"},
	{"breakdown", "breakdown", "`dimension` to split by: plan, currency, country, billing_freq, ..."},
	{"base-currency", "baseCurrency", "report in this `currency`"},
	{"currency", "currency", "only this subscription `currency`"},
	{"region", "region", "only these `countries` or named regions: eu, latam, ..."},
	{"country", "country", "only these `countries`"},
	{"plan", "plan", "only these plan groups or plan `ids`"},
	{"data-source", "data_source", "only these data source `ids`"},
	{"billing-freq", "billing_freq", "only this billing `frequency`"},
	{"status", "status", "only customers of this `status`"},
	{"customer", "customer", "only this customer `id`"},
	{"segment", "segment", "only what this `segment` keeps"},
	{"age", "age", "only customers of this many `months`: 6-12, 12-"},
	{"market", "market", "only these `markets`: dach, nordics, ..."},
	{"compare", "compare", "add an earlier `period`: last-period or last-year"},
	{"committed", "committed", "`true` includes scheduled movements"},
	{"selected-date", "selected-date", "only movements of the period with this `day`"},
	{"selected-type", "selected-type", "only movements of this `type`"},
	{"type", "type", "only movements of this `type`, which mrr-subtypes needs"},
	{"category", "category", "only movements of these `types`"},
	{"compare-month", "compareMonth", "`month` to compare growth with: 2026-01"},
	{"key", "key", "`name` of the custom variable, which custom-variables needs"},
	{"search", "search", "only customers or values with this `text`"},
	{"days", "days", "`number` of days that latest-activity looks back"},
	{"sort", "sort", "`field` to sort by"},
	{"order", "order", "`direction`: asc or desc"},
	{"limit", "limit", "at most this `many` rows"},
	{"offset", "offset", "skip this `many` rows"},
	{"show", "show", "accepted for scripts and ignored: `query`"},
}

func (c *client) reports() *cobra.Command {
	values := make([]string, len(reportFlags))
	var params []string
	cmd := &cobra.Command{
		Use:   "reports <name>",
		Short: "Fetch a report by name",
		Long:  "Fetch a report by name.\n\nReports: " + strings.Join(knownReports, ", "),
		Example: "  growpanel reports summary\n" +
			"  growpanel reports mrr --date last-12-months --breakdown plan\n" +
			"  growpanel reports movement-table --selected-type churn --param country=de",
		Args:      arguments,
		ValidArgs: knownReports,
		RunE: func(cmd *cobra.Command, args []string) error {
			query, err := pairs(params)
			if err != nil {
				return err
			}
			for i, f := range reportFlags {
				if values[i] != "" {
					query.Set(f.param, values[i])
				}
			}
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"reports", args[0]}, query: query})
		},
	}
	for i, f := range reportFlags {
		cmd.Flags().StringVar(&values[i], f.flag, "", f.usage)
	}
	cmd.Flags().StringArrayVar(&params, "param", nil, "any other parameter as `key=value`, such as custom_industry=saas; may be repeated")
	return cmd
}

// pairs reads key=value arguments; the first = splits and the last value wins.
func pairs(args []string) (url.Values, error) {
	query := url.Values{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q: must be key=value", arg)
		}
		query.Set(key, value)
	}
	return query, nil
}

func (c *client) customers() *cobra.Command {
	var limit, offset int
	var date, search string
	list := &cobra.Command{
		Use: "list", Short: "List customers", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
			if date != "" {
				query.Set("date", date)
			}
			if search != "" {
				query.Set("search", search)
			}
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"customers"}, query: query})
		},
	}
	list.Flags().StringVar(&date, "date", "", "only those created in this `range`: 20260101-20260331, last-12-months, this-year, ...")
	list.Flags().IntVar(&limit, "limit", 50, "at most this `many`, up to 500")
	list.Flags().IntVar(&offset, "offset", 0, "skip this `many`")
	list.Flags().StringVar(&search, "search", "", "only those whose name, e-mail or id contains this `text`")
	return group("customers", "List and look up customers", list,
		c.byID("get <id>", "Show one customer", http.MethodGet, "customers"),
		c.resync())
}

func (c *client) resync() *cobra.Command {
	return &cobra.Command{
		Use: "resync <id>", Short: "Fetch again what the customer's data source fetches", Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), request{method: http.MethodPost, segments: []string{"customers", args[0], "resync"}})
		},
	}
}

func (c *client) plans() *cobra.Command {
	return group("plans", "List plans and plan groups", c.get("list", "List plans", "plans"))
}

func (c *client) settings() *cobra.Command {
	return group("settings", "Read and change the account's settings",
		c.get("get", "Show the settings, and how far a change of them is", "settings"),
		c.send("update", "Change settings; metrics are recomputed, of large accounts in the background", http.MethodPost, "settings"),
		c.notifications(),
		c.integration("webhook", "The URL that all movements are posted to", http.MethodPost),
		c.integration("slack", "Posts to Slack", http.MethodPost),
		c.integration("teams", "Posts to Microsoft Teams", http.MethodPost),
		c.integration("stripe", "Stripe, where the server has it", http.MethodPost),
		c.integration("hubspot", "HubSpot, where the server has it", http.MethodPost),
		c.integration("looker-studio", "Looker Studio, where the server has it", http.MethodPost))
}

func (c *client) notifications() *cobra.Command {
	cmd := c.integration("notifications", "Your own e-mails about the account", http.MethodPut)
	var period string
	preview := &cobra.Command{
		Use: "preview", Short: "Show the report e-mail as it would be sent now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if period != "" {
				query.Set("report", period)
			}
			return c.call(cmd.Context(), request{method: http.MethodGet, segments: []string{"settings", "notifications", "preview"}, query: query})
		},
	}
	preview.Flags().StringVar(&period, "report", "", "`daily`, weekly or monthly")
	cmd.AddCommand(preview)
	return cmd
}

// integration shows settings, or changes them when it has a body.
func (c *client) integration(name, short, change string) *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use: name, Short: short + "; shows how it is set up, or changes that with --body", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := request{method: http.MethodGet, segments: []string{"settings", name}}
			if flag != "" {
				body, err := c.body(flag, true)
				if err != nil {
					return err
				}
				r.method, r.body = change, body
			}
			return c.call(cmd.Context(), r)
		},
	}
	bodyFlag(cmd, &flag)
	return cmd
}

func (c *client) api() *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use:   "api <method> <path> [key=value ...]",
		Short: "Call any API route",
		Long: "Call any API route. With GET, key=value arguments are query parameters; with\n" +
			"POST and PUT they make a JSON body unless --body is given.",
		Example: "  growpanel api GET /reports/mrr date=20260101-20260331 interval=month\n" +
			"  growpanel api POST /settings churn_grace_days=5",
		Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.apiRequest(strings.ToUpper(args[0]), args[1], args[2:], flag)
			if err != nil {
				return err
			}
			return c.call(cmd.Context(), r)
		},
	}
	bodyFlag(cmd, &flag)
	return cmd
}

func (c *client) apiRequest(method, path string, args []string, flag string) (request, error) {
	r := request{method: method}
	var err error
	if r.segments, r.query, err = splitPath(path); err != nil {
		return r, err
	}
	values, err := pairs(args)
	if err != nil {
		return r, err
	}
	switch method {
	case http.MethodGet:
		maps.Copy(r.query, values)
		return r, nil
	case http.MethodDelete:
		return r, nil
	case http.MethodPost, http.MethodPut:
		if flag == "" && len(values) > 0 {
			r.body, err = object(values)
			return r, err
		}
		r.body, err = c.body(flag, false)
		return r, err
	default:
		return r, fmt.Errorf("%s: the method must be GET, POST, PUT or DELETE", method)
	}
}

// splitPath reads an absolute path with an optional query; it names no host.
func splitPath(path string) ([]string, url.Values, error) {
	wrong := fmt.Errorf("%q: the path must begin with one slash, such as /reports/mrr", path)
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return nil, nil, wrong
	}
	u, err := url.Parse(path)
	if err != nil || u.Host != "" {
		return nil, nil, wrong
	}
	var segments []string
	for s := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, nil, wrong
		}
		segments = append(segments, plain)
	}
	return segments, u.Query(), nil
}

// object builds a JSON object; values that are JSON themselves stay what they
// are, others are strings.
func object(values url.Values) ([]byte, error) {
	fields := make(map[string]json.RawMessage, len(values))
	for key, value := range values {
		if json.Valid([]byte(value[0])) {
			fields[key] = json.RawMessage(value[0])
			continue
		}
		text, err := json.Marshal(value[0])
		if err != nil {
			return nil, err
		}
		fields[key] = text
	}
	return json.Marshal(fields)
}
