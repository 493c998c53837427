package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/fxfeed"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// feedRates keeps the exchange rates up to date while the platform runs. The
// demo has rates of its own, which real ones would contradict.
func (pf *platform) feedRates(p process, cfg config.Serve, store *sqlstore.Store) error {
	if !cfg.FXFeed || cfg.Demo {
		return nil
	}
	feed, err := fxfeed.New(fxfeed.Config{
		Store: store.Analytics(), Client: &http.Client{Timeout: 5 * time.Minute}, Now: p.now, Logger: pf.log,
	})
	if err != nil {
		return err
	}
	pf.tasks = append(pf.tasks, feed.Run)
	return nil
}

func (p process) ratesStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which exchange rates there are and how the daily feed is doing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd, func(ctx context.Context, store *sqlstore.Store) error {
				feed, err := store.Analytics().FeedStatus(ctx)
				if err != nil {
					return err
				}
				spans, err := store.Analytics().RateSpans(ctx)
				if err != nil {
					return err
				}
				if err := p.print(describeFeed(feed)); err != nil {
					return err
				}
				return p.printSpans(spans)
			})
		},
	}
	addSettings(cmd.Flags(), config.Admin)
	return cmd
}

func describeFeed(s fxfeed.Status) string {
	const source = "daily feed of the European Central Bank: "
	if s.CheckedAt.IsZero() {
		return source + "not asked yet; a running server asks unless --fx-feed is off"
	}
	at := s.CheckedAt.UTC().Format("2006-01-02 15:04 UTC")
	if s.FailedFor != "" {
		return source + "failed at " + at + ": " + s.FailedFor
	}
	return source + "asked at " + at + ", its latest rates are of " + s.Latest.String()
}

// printSpans lists pairs of currencies, and says which ones reports of today
// cannot use any more.
func (p process) printSpans(spans []sqlstore.RateSpan) error {
	if len(spans) == 0 {
		return p.print("no exchange rates: sales in one currency need none; import others with growpanel admin fx import FILE")
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(table, "BASE\tQUOTE\tDAYS\tFIRST\tLAST\t"); err != nil {
		return err
	}
	today := calendar.DayOf(p.now())
	for _, s := range spans {
		note := ""
		if s.Last+fx.MaxAge < today {
			note = "too old for today"
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", s.Base, s.Quote, s.Days, s.First, s.Last, note); err != nil {
			return err
		}
	}
	return table.Flush()
}
