package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/jobs"
	"github.com/growpanel/growpanel-mcp/notify"
)

// HookStore is a store of hooks with the outbox that feeds them and the jobs
// that their deliveries are.
type HookStore struct {
	Hooks  notify.Store
	Outbox analytics.Outbox
	Jobs   jobs.Store
}

// RunHooks proves that stores keep the contracts of notify.Store and
// analytics.Outbox. open returns empty stores that no one else uses.
func RunHooks(t *testing.T, open func(t *testing.T) HookStore) {
	for name, test := range map[string]func(*testing.T, HookStore){
		"a hook is kept as it was created":               testHookRoundTrip,
		"a hook exists once, and an account has a limit": testHookRefused,
		"hooks of another account do not exist":          testHookIsolation,
		"events go to those who want them, once":         testTell,
		"a deleted hook takes its deliveries along":      testHookDelete,
		"a full queue pauses its hook":                   testHookFull,
		"what was told moves only forward":               testToldThrough,
		"an integration replaces its hooks and no other": testIntegration,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

const firstDay = "2026-03-04"

func hookOf(id, event string) notify.Hook {
	return notify.Hook{
		ID: id, Account: "acme", Channel: notify.Webhook, Event: event, URL: notify.Secret("https://example.com/" + id + "?ü='\""),
		Keys: []notify.Secret{"whsec_" + notify.Secret(id)}, Created: noon,
	}
}

func createHooks(t *testing.T, s HookStore, hooks ...notify.Hook) {
	t.Helper()
	if err := s.Hooks.CreateHooks(t.Context(), "acme", hooks, 100, firstDay); err != nil {
		t.Fatalf("CreateHooks: %v", err)
	}
}

// sameHook compares hooks with their secrets.
func sameHook(a, b notify.Hook) bool {
	return cmp.Equal(fmt.Sprintf("%#v", plain(a)), fmt.Sprintf("%#v", plain(b)))
}

func plain(h notify.Hook) []any {
	out := []any{h.ID, h.Account, string(h.Channel), h.Event, h.URL.Reveal(), h.Threshold, h.Created.UnixMilli(), h.Rotated.UnixMilli(), h.Paused}
	for _, k := range h.Keys {
		out = append(out, k.Reveal())
	}
	return out
}

func testHookRoundTrip(t *testing.T, s HookStore) {
	want := hookOf("wh_1", analytics.MovementNew)
	createHooks(t, s, want, hookOf("wh_2", analytics.MovementChurn))
	if got, err := s.Hooks.Hook(t.Context(), "acme", "wh_1"); err != nil || !sameHook(got, want) {
		t.Errorf("Hook: %v, %v", plain(got), err)
	}
	rotated := noon.Add(time.Hour)
	if err := s.Hooks.SetKeys(t.Context(), "acme", "wh_1", []notify.Secret{"whsec_new", "whsec_old"}, rotated); err != nil {
		t.Fatal(err)
	}
	if err := s.Hooks.Pause(t.Context(), "acme", "wh_1", "because"); err != nil {
		t.Fatal(err)
	}
	want.Keys, want.Rotated, want.Paused = []notify.Secret{"whsec_new", "whsec_old"}, rotated, "because"
	list, err := s.Hooks.Hooks(t.Context(), "acme", notify.Webhook)
	if err != nil || len(list) != 2 || !sameHook(list[0], want) || list[1].ID != "wh_2" {
		t.Errorf("Hooks: %v, %v", list, err)
	}
	for what, err := range map[string]error{
		"SetKeys": s.Hooks.SetKeys(t.Context(), "acme", "none", nil, noon), "Pause": s.Hooks.Pause(t.Context(), "acme", "none", ""),
		"DeleteHook": s.Hooks.DeleteHook(t.Context(), "acme", "none"),
	} {
		wantErr(t, what+" of no hook", err, notify.ErrNotFound)
	}
}

func testHookRefused(t *testing.T, s HookStore) {
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew))
	again := hookOf("wh_1", analytics.MovementNew)
	again.ID = "wh_9"
	err := s.Hooks.CreateHooks(t.Context(), "acme", []notify.Hook{hookOf("wh_2", analytics.MovementNew), again}, 100, firstDay)
	if duplicate, ok := errors.AsType[*notify.DuplicateError](err); !ok || duplicate.ID != "wh_1" {
		t.Errorf("the same again: %v", err)
	}
	wantErr(t, "one too many", s.Hooks.CreateHooks(t.Context(), "acme", []notify.Hook{hookOf("wh_3", analytics.MovementNew)}, 1, firstDay), notify.ErrTooMany)
	if list, err := s.Hooks.Hooks(t.Context(), "acme", notify.Webhook); err != nil || len(list) != 1 {
		t.Errorf("a refused call added hooks: %v, %v", list, err)
	}
}

func testHookIsolation(t *testing.T, s HookStore) {
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew))
	ctx := t.Context()
	_, err := s.Hooks.Hook(ctx, "beta", "wh_1")
	wantErr(t, "Hook", err, notify.ErrNotFound)
	wantErr(t, "DeleteHook", s.Hooks.DeleteHook(ctx, "beta", "wh_1"), notify.ErrNotFound)
	wantErr(t, "SetKeys", s.Hooks.SetKeys(ctx, "beta", "wh_1", nil, noon), notify.ErrNotFound)
	wantErr(t, "Pause", s.Hooks.Pause(ctx, "beta", "wh_1", "x"), notify.ErrNotFound)
	if err := s.Outbox.Tell(ctx, "beta", []analytics.Event{event(t, "beta", 1)}, calendar.Day(1)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Hooks.Pending(ctx, "acme", "wh_1"); n != 0 || err != nil {
		t.Errorf("an event of another account: %d, %v", n, err)
	}
	if w, err := s.Outbox.Watch(ctx, "beta"); err != nil || len(w.Types) != 0 {
		t.Errorf("Watch of another account: %v, %v", w, err)
	}
	if watching, err := s.Hooks.Watching(ctx, "", 10); err != nil || !cmp.Equal(watching, []string{"acme"}) {
		t.Errorf("Watching: %v, %v", watching, err)
	}
}

func event(t *testing.T, account string, n int) analytics.Event {
	t.Helper()
	e, err := analytics.NewEvent(account, analytics.MovementNew, noon, n, fmt.Sprint(n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tell(t *testing.T, s HookStore, events ...analytics.Event) {
	t.Helper()
	if err := s.Outbox.Tell(t.Context(), "acme", events, calendar.Date(2026, 3, 4)); err != nil {
		t.Fatalf("Tell: %v", err)
	}
}

func pending(t *testing.T, s HookStore, id string) int {
	t.Helper()
	n, err := s.Hooks.Pending(t.Context(), "acme", id)
	if err != nil {
		t.Fatalf("Pending: %v", err)
	}
	return n
}

func testTell(t *testing.T, s HookStore) {
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew), hookOf("wh_2", analytics.MovementNew), hookOf("wh_3", analytics.MovementChurn))
	e := event(t, "acme", 1)
	tell(t, s, e, event(t, "acme", 2))
	tell(t, s, e)
	for id, want := range map[string]int{"wh_1": 2, "wh_2": 2, "wh_3": 0} {
		if got := pending(t, s, id); got != want {
			t.Errorf("%s has %d deliveries, want %d", id, got, want)
		}
	}
	j, err := s.Jobs.Job(t.Context(), "acme", e.ID+".wh_1")
	if err != nil || string(j.Payload) != string(e.Body) || j.Kind != notify.JobKind || j.Lane != notify.Lane("wh_1") {
		t.Errorf("delivery %+v, %v", j, err)
	}
	w, err := s.Outbox.Watch(t.Context(), "acme")
	if err != nil || len(w.Types) != 2 {
		t.Errorf("Watch: %v, %v", w, err)
	}
}

func testHookDelete(t *testing.T, s HookStore) {
	slack := hookOf("in_1", analytics.MovementNew)
	slack.Channel = notify.Slack
	if err := s.Hooks.SetIntegration(t.Context(), "acme", "slack", notify.Settings{Text: []byte("{}")}, notify.Slack, []notify.Hook{slack}, firstDay); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "DeleteHook of an integration's", s.Hooks.DeleteHook(t.Context(), "acme", "in_1"), notify.ErrNotFound)
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew), hookOf("wh_2", analytics.MovementNew))
	tell(t, s, event(t, "acme", 1))
	if err := s.Hooks.DeleteHook(t.Context(), "acme", "wh_1"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Jobs.Jobs(t.Context(), "acme", jobs.Filter{Lane: notify.Lane("wh_1"), Limit: 10}); err != nil || len(list) > 0 {
		t.Errorf("deliveries of a deleted hook: %v, %v", list, err)
	}
	if n := pending(t, s, "wh_2"); n != 1 {
		t.Errorf("the other hook has %d deliveries", n)
	}
}

func testHookFull(t *testing.T, s HookStore) {
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew))
	events := make([]analytics.Event, notify.MaxPending)
	for i := range events {
		events[i] = analytics.Event{ID: fmt.Sprint("evt_", i), Type: analytics.MovementNew, At: noon, Body: []byte("1")}
	}
	tell(t, s, events...)
	if h, err := s.Hooks.Hook(t.Context(), "acme", "wh_1"); err != nil || h.Paused != "" {
		t.Fatalf("a queue that is just full: %q, %v", h.Paused, err)
	}
	tell(t, s, event(t, "acme", 1), event(t, "acme", 2))
	h, err := s.Hooks.Hook(t.Context(), "acme", "wh_1")
	if err != nil || h.Paused == "" || pending(t, s, "wh_1") != notify.MaxPending {
		t.Errorf("one more: paused %q, %v", h.Paused, err)
	}
	if w, err := s.Outbox.Watch(t.Context(), "acme"); err != nil || len(w.Types) > 0 {
		t.Errorf("a paused hook wants %v, %v", w.Types, err)
	}
}

func testToldThrough(t *testing.T, s HookStore) {
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew))
	first := calendar.Date(2026, 3, 4)
	for i, tt := range []struct{ tell, want calendar.Day }{{first, first}, {first + 2, first + 2}, {first + 1, first + 2}} {
		if err := s.Outbox.Tell(t.Context(), "acme", nil, tt.tell); err != nil {
			t.Fatal(err)
		}
		if w, err := s.Outbox.Watch(t.Context(), "acme"); err != nil || w.Through != tt.want {
			t.Errorf("step %d: told through %v, %v, want %v", i, w.Through, err, tt.want)
		}
	}
}

func testIntegration(t *testing.T, s HookStore) {
	ctx := t.Context()
	createHooks(t, s, hookOf("wh_1", analytics.MovementNew))
	slack := func(id, event string) notify.Hook {
		h := hookOf(id, event)
		h.Channel = notify.Slack
		return h
	}
	put := func(ctx context.Context, settings, secret string, hooks ...notify.Hook) {
		t.Helper()
		if err := s.Hooks.SetIntegration(ctx, "acme", "slack", notify.Settings{Text: []byte(settings), Secret: notify.Secret(secret)}, notify.Slack, hooks, firstDay); err != nil {
			t.Fatal(err)
		}
	}
	put(ctx, `{"a":1}`, "", slack("in_1", analytics.MovementNew), slack("in_2", analytics.MovementNew))
	tell(t, s, event(t, "acme", 1))
	put(ctx, `{"a":2}`, `{"url":"x"}`, slack("in_1", analytics.MovementNew))
	if got, err := s.Hooks.Integration(ctx, "acme", "slack"); err != nil || string(got.Text) != `{"a":2}` || got.Secret.Reveal() != `{"url":"x"}` {
		t.Errorf("settings %s, %s, %v", got.Text, got.Secret.Reveal(), err)
	}
	if got, err := s.Hooks.Integration(ctx, "beta", "slack"); err != nil || got.Text != nil || got.Secret != "" {
		t.Errorf("settings of another account: %s, %v", got.Text, err)
	}
	for id, want := range map[string]int{"wh_1": 1, "in_1": 1, "in_2": 0} {
		if got := pending(t, s, id); got != want {
			t.Errorf("%s has %d deliveries, want %d", id, got, want)
		}
	}
	page, err := s.Hooks.Integrations(ctx, "sla", "", "", 10)
	if err != nil || len(page) != 1 || page[0].Account != "acme" || page[0].Name != "slack" {
		t.Errorf("Integrations: %v, %v", page, err)
	}
	if page, err = s.Hooks.Integrations(ctx, "sla", "acme", "slack", 10); err != nil || len(page) != 0 {
		t.Errorf("the page after the last: %v, %v", page, err)
	}
	if list, err := s.Hooks.Hooks(ctx, "acme", notify.Webhook); err != nil || len(list) != 1 {
		t.Errorf("the webhooks: %v, %v", list, err)
	}
}
