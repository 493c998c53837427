// Package fxfeed keeps the exchange rates up to date with the daily reference
// rates of the European Central Bank.
package fxfeed

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// Where the bank publishes the rates since 1999, and those of the last 90 days.
const (
	HistoryURL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.xml"
	RecentURL  = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
)

const (
	fetchTimeout = 2 * time.Minute
	maxDocument  = 64 << 20 // the whole history is about 8 MB
	// The recent document is enough while what is known ends inside of it.
	recentDays = 60

	// A server that starts has better things to do.
	startDelay = 5 * time.Second

	firstRetry, lastRetry = time.Minute, time.Hour
	// The rates of a day come at about 16:00 in Frankfurt, on working days.
	publishedAt = 16*time.Hour + 15*time.Minute
	jitter      = 15 * time.Minute
)

// Status is how the feed is doing.
type Status struct {
	CheckedAt time.Time    // of the last attempt; zero before the first
	FailedFor string       // why it failed; "" when it did not
	Latest    calendar.Day // of the rates that the bank had; NoDay before the first success
}

// Store keeps rates and the feed's own state.
type Store interface {
	// AddRates adds the rates of days and pairs that have none yet and returns how
	// many those were: what an operator imported stays.
	AddRates(ctx context.Context, rates []fx.Rate) (int, error)
	// FeedStatus returns the status that was saved last.
	FeedStatus(ctx context.Context) (Status, error)
	// SaveFeedStatus keeps the status.
	SaveFeedStatus(ctx context.Context, s Status) error
}

// Config is what a Feed needs; all fields are required.
type Config struct {
	Store  Store
	Client *http.Client
	Now    func() time.Time // real time
	Logger *slog.Logger
}

// Feed fetches rates. Run owns it.
type Feed struct {
	cfg     Config
	zone    *time.Location // the bank's
	history string
	recent  string
}

// New returns a feed, or an error when the time zone of the bank is not known.
func New(cfg Config) (*Feed, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("load the time zone of the rates: %w", err)
	}
	return &Feed{cfg: cfg, zone: zone, history: HistoryURL, recent: RecentURL}, nil
}

// Run fetches soon what is missing and then every day's rates when they appear, until ctx ends. A bank that cannot be reached is asked again, at most
// every minute; reports meanwhile use what is known.
func (f *Feed) Run(ctx context.Context) {
	retry := firstRetry
	for wait := startDelay; sleep(ctx, wait); {
		status, err := f.Refresh(ctx)
		if err != nil {
			f.cfg.Logger.WarnContext(ctx, "exchange rates could not be fetched", "error", err, "again_in", retry)
			wait, retry = retry, min(2*retry, lastRetry)
			continue
		}
		retry = firstRetry
		wait = f.untilNext(f.cfg.Now(), status.Latest) + rand.N(jitter) //nolint:gosec // spreads load, hides nothing
	}
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Refresh fetches once and stores what is new. The status that it returns, and
// saves, tells of a failure as well.
func (f *Feed) Refresh(ctx context.Context) (Status, error) {
	status, err := f.cfg.Store.FeedStatus(ctx)
	if err != nil {
		return status, fmt.Errorf("read the status of the feed: %w", err)
	}
	added, latest, err := f.fetch(ctx, status.Latest)
	status.CheckedAt, status.FailedFor = f.cfg.Now(), ""
	if err != nil {
		status.FailedFor = err.Error()
	} else {
		status.Latest = latest
	}
	if ctx.Err() != nil {
		return status, ctx.Err()
	}
	if saveErr := f.cfg.Store.SaveFeedStatus(ctx, status); saveErr != nil && err == nil {
		err = fmt.Errorf("save the status of the feed: %w", saveErr)
	}
	if added > 0 {
		f.cfg.Logger.InfoContext(ctx, "exchange rates added", "rates", added, "latest", latest)
	}
	return status, err
}

// fetch reads the document that continues what is known.
func (f *Feed) fetch(ctx context.Context, known calendar.Day) (added int, latest calendar.Day, err error) {
	url := f.history
	if known.Valid() && known+recentDays > calendar.DayOf(f.cfg.Now()) {
		url = f.recent
	}
	rates, err := f.get(ctx, url)
	if err != nil {
		return 0, calendar.NoDay, fmt.Errorf("fetch %s: %w", url, err)
	}
	latest = calendar.NoDay
	for _, r := range rates {
		if latest == calendar.NoDay || r.Day > latest {
			latest = r.Day
		}
	}
	added, err = f.cfg.Store.AddRates(ctx, rates)
	if err != nil {
		return 0, calendar.NoDay, fmt.Errorf("store exchange rates: %w", err)
	}
	return added, latest, nil
}

func (f *Feed) get(ctx context.Context, url string) ([]fx.Rate, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := f.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // what was read is what counts
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", res.Status)
	}
	return Parse(io.LimitReader(res.Body, maxDocument))
}

// untilNext returns how long to wait for the rates after the latest known ones.
func (f *Feed) untilNext(now time.Time, latest calendar.Day) time.Duration {
	now = now.In(f.zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, f.zone)
	due := today.Add(publishedAt)
	if now.After(due) && latest < calendar.DayOf(now) && working(now) {
		return time.Hour // late today, or a holiday
	}
	for !due.After(now) || !working(due) {
		due = due.AddDate(0, 0, 1)
	}
	return due.Sub(now)
}

func working(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }
