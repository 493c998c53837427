package sqlstore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/fxfeed"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

func TestRates_TheFeedLeavesImportedOnes(t *testing.T) {
	t.Parallel()
	store, err := sqlstore.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := store.Analytics()
	first := calendar.Date(2026, time.January, 1)
	rate := func(n int, value string) fx.Rate {
		return fx.Rate{Day: first + calendar.Day(n), Base: "eur", Quote: "usd", Value: value}
	}
	if err := s.ImportRates(t.Context(), []fx.Rate{rate(0, "1.5")}); err != nil {
		t.Fatal(err)
	}
	before, _ := s.RatesVersion(t.Context())
	var feed []fx.Rate
	for n := range 25_000 { // more than one write
		feed = append(feed, rate(n, "1.1"))
	}
	if added, err := s.AddRates(t.Context(), feed); err != nil || added != len(feed)-1 {
		t.Errorf("added %d of %d: %v", added, len(feed), err)
	}
	after, _ := s.RatesVersion(t.Context())
	if added, err := s.AddRates(t.Context(), feed); err != nil || added != 0 {
		t.Errorf("added %d once more: %v", added, err)
	}
	if again, _ := s.RatesVersion(t.Context()); after == before || again != after {
		t.Errorf("the version went %d, %d, %d: want a new one for new rates alone", before, after, again)
	}
	spans, err := s.RateSpans(t.Context())
	want := []sqlstore.RateSpan{{Base: "eur", Quote: "usd", First: first, Last: first + 24_999, Days: 25_000}}
	if diff := cmp.Diff(want, spans); diff != "" || err != nil {
		t.Errorf("%v, spans (-want +got):\n%s", err, diff)
	}
	rates, err := s.Rates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rates {
		if (r.Day == first) != (r.Value == "1.5") {
			t.Fatalf("the rate of %s is %s", r.Day, r.Value)
		}
	}
}

func TestRates_FeedStatus(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store, err := sqlstore.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	want := fxfeed.Status{Latest: calendar.NoDay}
	for _, next := range []fxfeed.Status{
		{CheckedAt: time.Unix(1_780_000_000, 0).UTC(), FailedFor: "no route", Latest: calendar.NoDay},
		{CheckedAt: time.Unix(1_780_000_060, 0).UTC(), Latest: calendar.Date(2026, time.May, 4)},
	} {
		got, err := store.Analytics().FeedStatus(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, status (-want +got):\n%s", err, diff)
		}
		if err := store.Analytics().SaveFeedStatus(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		want = next
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if store, err = sqlstore.Open(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	got, err := store.Analytics().FeedStatus(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, status after a restart (-want +got):\n%s", err, diff)
	}
}
