package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// exportFlags are the options of exports and the parameters they become.
var exportFlags = []struct{ flag, param, usage string }{
	{"date", "date", "`range`: 20260101-20260331, last-12-months, this-year, ...; of customers, when they were created"},
	{"base-currency", "baseCurrency", "report in this `currency`"},
}

// exports are the commands whose answer is a file.
func (c *client) exports() *cobra.Command {
	growth := c.export("mrr-growth", "Growth of MRR by day since the start of each month")
	growth.Flags().String("category", "", "only movements of these `types`: \"new churn\"")
	return group("exports", "Export data as CSV to standard output",
		c.export("customers", "Customers with their state and revenue"),
		c.export("mrr-movements", "Every MRR movement, the oldest first"),
		growth)
}

func (c *client) export(name, short string) *cobra.Command {
	values := make([]string, len(exportFlags))
	var params []string
	cmd := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		Long:    short + ". Amounts are in minor units.",
		Example: fmt.Sprintf("  growpanel exports %s --date 20240101-20241231 > %s.csv\n  growpanel exports %s --param country=de --param status=active", name, name, name),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := pairs(params)
			if err != nil {
				return err
			}
			for i, f := range exportFlags {
				if values[i] != "" {
					query.Set(f.param, values[i])
				}
			}
			if f := cmd.Flags().Lookup("category"); f != nil && f.Value.String() != "" {
				query.Set("category", f.Value.String())
			}
			return c.download(cmd.Context(), []string{"exports", name + ".csv"}, query)
		},
	}
	for i, f := range exportFlags {
		cmd.Flags().StringVar(&values[i], f.flag, "", f.usage)
	}
	cmd.Flags().StringArrayVar(&params, "param", nil, "any other parameter as `key=value`, such as plan=pro; may be repeated")
	return cmd
}

// download copies a file to the output as it comes.
func (c *client) download(ctx context.Context, segments []string, query url.Values) error {
	api, err := c.Connect(apiclient.NewSecret(c.key), c.url)
	if err != nil {
		return err
	}
	if c.verbose {
		_, _ = fmt.Fprintln(c.Err, http.MethodGet, api.BaseURL()+"/"+segments[0]+"/"+segments[1], query.Encode())
	}
	header, err := api.Stream(ctx, segments, query, c.Out)
	if err != nil {
		return explain(err)
	}
	if c.verbose {
		_, _ = fmt.Fprintln(c.Err, "←", header.Get("X-GrowPanel-Count"), "rows")
	}
	return nil
}
