package notify_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/internal/sealed"
	"github.com/growpanel/growpanel-mcp/notify"
)

// TestDeliver_WithoutTheSecret starts with another secret for a day, and then
// with the old one again: nothing is lost.
func TestDeliver_WithoutTheSecret(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		b, hooks := w.subscribe(t, "good.example", analytics.CustomerCreated)
		on, slack := true, "http://hooks.slack.com/x"
		if _, err := w.hooks.SetIntegration(t.Context(), account, "slack", notify.IntegrationChange{Enabled: &on, URL: &slack}); err != nil {
			t.Fatal(err)
		}
		restart := func(box *sealed.Box) {
			w.stop()
			w.sealer = box
			w.serve()
			w.run(t)
		}
		right := w.sealer
		wrong, err := sealed.NewBox("links", bytes.Repeat([]byte("x"), sealed.MinSecretBytes))
		if err != nil {
			t.Fatal(err)
		}
		restart(wrong)
		w.push(t, "customers", `[{"id":"ann","name":"Ann"}]`)
		pass(24 * time.Hour)
		want(t, "told without the secret", b.told(t))
		if _, failure, err := w.hooks.Test(t.Context(), account, hooks[0].ID); err != nil || !errors.Is(failure, notify.ErrUnreadable) {
			t.Errorf("Test: %v, %v", failure, err)
		}
		if _, err := w.hooks.Rotate(t.Context(), account, hooks[0].ID); !errors.Is(err, notify.ErrUnreadable) {
			t.Errorf("Rotate: %v", err)
		}
		if list, err := w.hooks.List(t.Context(), account); err != nil || len(list) != 1 || list[0].URL != "" {
			t.Errorf("List: %v, %v", list, err)
		}
		if got, err := w.hooks.Integration(t.Context(), account, "slack"); err != nil || got.URL != "" || !got.Enabled || got.LastError == "" {
			t.Errorf("Slack is %+v, %v", got, err)
		}
		restart(right)
		pass(24 * time.Hour)
		want(t, "told with the secret again", b.told(t), "customer.created ann")
	})
}
