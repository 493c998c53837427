package fxfeed

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

const document = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube>
<Cube time="2026-03-20"><Cube currency="USD" rate="1.0796"/><Cube currency="JPY" rate="161.05"/><Cube currency="XXQ" rate="2"/></Cube>
<Cube time="2026-03-19"><Cube currency="USD" rate="1.08"/></Cube>
</Cube></gesmes:Envelope>`

func day(t *testing.T, text string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	want := []fx.Rate{
		{Day: day(t, "2026-03-20"), Base: "eur", Quote: "usd", Value: "1.0796"},
		{Day: day(t, "2026-03-20"), Base: "eur", Quote: "jpy", Value: "161.05"},
		{Day: day(t, "2026-03-19"), Base: "eur", Quote: "usd", Value: "1.08"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
}

func TestParse_TakesAllOrNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":        "",
		"a page":         "<html><body>Sorry</body></html>",
		"broken off":     document[:400],
		"no rates":       `<a><Cube><Cube time="2026-03-20"></Cube></Cube></a>`,
		"a wrong day":    strings.Replace(document, "2026-03-19", "2026-02-30", 1),
		"a negative":     strings.Replace(document, `"1.08"`, `"-1.08"`, 1),
		"a zero":         strings.Replace(document, `"1.08"`, `"0"`, 1),
		"no number":      strings.Replace(document, `"1.08"`, `"N/A"`, 1),
		"euros per euro": strings.Replace(document, `"JPY"`, `"EUR"`, 1),
	} {
		if got, err := Parse(strings.NewReader(text)); err == nil || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(document)
	f.Add("<Cube/>")
	f.Fuzz(func(t *testing.T, text string) {
		rates, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		if _, err := fx.NewTable(rates); err != nil || len(rates) == 0 {
			t.Errorf("%d rates that no table takes: %v", len(rates), err)
		}
	})
}

// memory is a Store that forgets with the test.
type memory struct {
	rates  map[fx.Rate]bool
	status Status
	broken error
}

func (m *memory) AddRates(_ context.Context, rates []fx.Rate) (added int, err error) {
	for _, r := range rates {
		if !m.rates[r] {
			m.rates[r] = true
			added++
		}
	}
	return added, m.broken
}

func (m *memory) FeedStatus(context.Context) (Status, error) { return m.status, nil }

func (m *memory) SaveFeedStatus(_ context.Context, s Status) error {
	m.status = s
	return nil
}

// feedOf returns a feed whose bank is a handler.
func feedOf(t *testing.T, now time.Time, bank http.HandlerFunc) (*Feed, *memory) {
	t.Helper()
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	store := &memory{rates: map[fx.Rate]bool{}, status: Status{Latest: calendar.NoDay}}
	f, err := New(Config{Store: store, Client: server.Client(), Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.history, f.recent = server.URL+"/history", server.URL+"/recent"
	return f, store
}

func TestFeed_FetchesTheHistoryOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 18, 0, 0, 0, time.UTC)
	var asked []string
	f, store := feedOf(t, now, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = io.WriteString(w, document)
	})
	for range 2 {
		if _, err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	store.status.Latest = day(t, "2025-12-01")
	if _, err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/history", "/recent", "/history"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	want := Status{CheckedAt: now, Latest: day(t, "2026-03-20")}
	if diff := cmp.Diff(want, store.status); diff != "" || len(store.rates) != 3 {
		t.Errorf("%d rates, status (-want +got):\n%s", len(store.rates), diff)
	}
}

func TestFeed_RemembersWhyItFailed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 18, 0, 0, 0, time.UTC)
	answer := ""
	f, store := feedOf(t, now, func(w http.ResponseWriter, _ *http.Request) {
		if answer == "" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = io.WriteString(w, answer)
	})
	store.status.Latest = day(t, "2026-03-01")
	for text, why := range map[string]string{"": "502", "<html/>": "no rates", document: "disk full"} {
		answer, store.broken = text, nil
		if text == document {
			store.broken = errors.New("disk full")
		}
		if _, err := f.Refresh(t.Context()); err == nil || !strings.Contains(store.status.FailedFor, why) {
			t.Errorf("%v; status %+v, want %q", err, store.status, why)
		}
		if store.status.Latest != day(t, "2026-03-01") || !store.status.CheckedAt.Equal(now) {
			t.Errorf("status %+v", store.status)
		}
	}
	answer, store.broken = document, nil
	if _, err := f.Refresh(t.Context()); err != nil || store.status.FailedFor != "" {
		t.Errorf("after a good answer: %v, %+v", err, store.status)
	}
}

func TestFeed_LatestIsTheNewestDay(t *testing.T) {
	t.Parallel()
	oldestFirst := strings.Replace(document, "2026-03-20", "2026-03-18", 1)
	for text, want := range map[string]string{document: "2026-03-20", oldestFirst: "2026-03-19"} {
		f, _ := feedOf(t, time.Now(), func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		if got, err := f.Refresh(t.Context()); err != nil || got.Latest != day(t, want) {
			t.Errorf("latest %s, %v, want %s", got.Latest, err, want)
		}
	}
}

func TestFeed_TakesNoRatesOfAnError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusNonAuthoritativeInfo, http.StatusServiceUnavailable} {
		f, store := feedOf(t, time.Now(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, document)
		})
		if _, err := f.Refresh(t.Context()); err == nil || len(store.rates) > 0 || !strings.Contains(store.status.FailedFor, strconv.Itoa(status)) {
			t.Errorf("%d: %v, %d rates, status %+v", status, err, len(store.rates), store.status)
		}
	}
}

// A shutdown is no failure of the bank.
func TestFeed_ShutdownIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f, store := feedOf(t, time.Now(), func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := f.Refresh(ctx); !errors.Is(err, context.Canceled) || store.status != (Status{Latest: calendar.NoDay}) {
		t.Errorf("%v, status %+v", err, store.status)
	}
}

// bank answers without a network; nil is no answer.
type bank func() *http.Response

func (b bank) RoundTrip(*http.Request) (*http.Response, error) {
	if res := b(); res != nil {
		return res, nil
	}
	return nil, errors.New("connection refused")
}

func TestFeed_RunTriesAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const failures = 9
		last := time.Now()
		var waits []time.Duration
		client := &http.Client{Transport: bank(func() *http.Response {
			waits = append(waits, time.Since(last))
			last = time.Now()
			if len(waits) != failures+1 {
				return nil
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(document))}
		})}
		store := &memory{rates: map[fx.Rate]bool{}, status: Status{Latest: calendar.NoDay}}
		f, err := New(Config{Store: store, Client: client, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*24*time.Hour)
		defer cancel()
		f.Run(ctx)
		const m, h = time.Minute, time.Hour
		want := []time.Duration{5 * time.Second, m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, h, h, h} // the last one brings the rates
		if diff := cmp.Diff(want, waits[:failures+1]); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		// After the rates came the feed is patient until the next are due, and then as at first.
		if got := waits[failures+1:]; got[0] < 12*h || got[1] != m || got[2] != 2*m {
			t.Errorf("waits after a success: %v", got[:3])
		}
	})
}

func TestFeed_RunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f, _ := feedOf(t, time.Now(), func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx)
}

func TestFeed_UntilNext(t *testing.T) {
	t.Parallel()
	f, _ := feedOf(t, time.Now(), nil)
	berlin := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, f.zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct{ now, latest, next string }{
		{"2026-03-18 09:00", "2026-03-17", "2026-03-18 16:15"},
		{"2026-03-18 16:15", "2026-03-18", "2026-03-19 16:15"},
		{"2026-03-18 16:30", "2026-03-17", "2026-03-18 17:30"}, // late
		{"2026-03-18 17:00", "2026-03-18", "2026-03-19 16:15"},
		{"2026-03-20 17:00", "2026-03-20", "2026-03-23 16:15"}, // Friday
		{"2026-03-21 12:00", "2026-03-20", "2026-03-23 16:15"},
		{"2026-03-28 20:00", "2026-03-27", "2026-03-30 16:15"}, // the clock changes
	} {
		now := berlin(tt.now)
		if got := now.Add(f.untilNext(now, day(t, tt.latest))); !got.Equal(berlin(tt.next)) {
			t.Errorf("at %s knowing %s: next at %s, want %s", tt.now, tt.latest, got, tt.next)
		}
	}
}
