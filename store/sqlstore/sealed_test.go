package sqlstore_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/notify"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// wantNowhere looks for texts in every file of a folder but the copy that an
// upgrade keeps to go back to.
func wantNowhere(t *testing.T, folder string, texts ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(e.Name(), ".schema-") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s has %q", e.Name(), text)
			}
		}
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("looked through %d files, %v", files, err)
	}
}

func TestHooks_AreSealedInTheFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, folder)
	hooks := s.Hooks(newBox(t, "a"))
	hook := notify.Hook{
		ID: "wh_1", Channel: notify.Webhook, Event: analytics.MovementNew, URL: "https://example.com/first-secret", Keys: []notify.Secret{"whsec_second-secret"}, Created: time.Now(),
	}
	if err := hooks.CreateHooks(t.Context(), "acme", []notify.Hook{hook}, 10, "2026-03-04"); err != nil {
		t.Fatal(err)
	}
	if err := hooks.SetKeys(t.Context(), "acme", "wh_1", []notify.Secret{"whsec_third-secret", "whsec_second-secret"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	slack := notify.Settings{Text: []byte(`{}`), Secret: `{"url":"https://hooks.slack.com/fourth-secret"}`}
	hook.ID, hook.Channel = "in_1", notify.Slack
	if err := hooks.SetIntegration(t.Context(), "acme", "slack", slack, notify.Slack, []notify.Hook{hook}, "2026-03-04"); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, folder, "first-secret", "second-secret", "third-secret", "fourth-secret")
}

// A row that is copied to another hook's place, or another account's, opens
// nothing there; neither does another secret. The rows themselves can be seen.
func TestHooks_ThatNoSecretOpens(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, folder)
	hooks := s.Hooks(newBox(t, "a"))
	hook := notify.Hook{ID: "wh_1", Channel: notify.Webhook, Event: analytics.MovementNew, URL: "https://example.com/x", Keys: []notify.Secret{"whsec_x"}, Created: time.Now()}
	if err := hooks.CreateHooks(t.Context(), "acme", []notify.Hook{hook}, 10, "2026-03-04"); err != nil {
		t.Fatal(err)
	}
	settings := notify.Settings{Text: []byte(`{}`), Secret: `{"url":"x"}`}
	if err := hooks.SetIntegration(t.Context(), "acme", "slack", settings, notify.Slack, nil, "2026-03-04"); err != nil {
		t.Fatal(err)
	}
	change(t, folder, `INSERT INTO hook SELECT account_id, 'wh_2', no, channel, 'x', sealed, rotated_at, threshold, created_at, paused, created_via FROM hook;
		INSERT INTO hook SELECT 'beta', id, no, channel, event, sealed, rotated_at, threshold, created_at, paused, created_via FROM hook WHERE id = 'wh_1';
		INSERT INTO integration SELECT account_id, 'teams', settings, sealed FROM integration`)
	lost := s.Hooks(newBox(t, "b"))
	for name, at := range map[string]struct {
		store       *sqlstore.Hooks
		account, id string
		unreadable  bool
	}{
		"its own place": {hooks, "acme", "wh_1", false}, "another hook": {hooks, "acme", "wh_2", true}, "another account": {hooks, "beta", "wh_1", true},
		"another secret": {lost, "acme", "wh_1", true},
	} {
		h, err := at.store.Hook(t.Context(), at.account, at.id)
		if err != nil || h.Unreadable != at.unreadable || (h.URL == "") != at.unreadable || (len(h.Keys) == 0) != at.unreadable {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
	for name, store := range map[string]*sqlstore.Hooks{"slack": lost, "teams": hooks} {
		if got, err := store.Integration(t.Context(), "acme", name); err != nil || !got.Unreadable || got.Secret != "" || string(got.Text) != "{}" {
			t.Errorf("integration %s: %+v, %v", name, got, err)
		}
	}
	if err := lost.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h, err := hooks.Hook(t.Context(), "acme", "wh_1"); err != nil || h.URL.Reveal() != "https://example.com/x" {
		t.Errorf("a start with the wrong secret destroyed the hook: %+v, %v", h, err)
	}
}

// plainHooks are readable hooks, and one that was deleted, as versions before
// schema 9 kept them.
const plainHooks = `PRAGMA secure_delete = OFF;
		INSERT INTO account (id, name, created_at) VALUES ('acme', 'Acme', '2026-03-04T00:00:00.000Z');
		INSERT INTO person (id, email, password, first_name, last_name, locale, timezone, created_at) VALUES ('u', 'u', '', '', '', '', '', '2026-03-04T00:00:00.000Z');
		INSERT INTO api_key (id, account_id, person_id, name, role, kind, client_name, created_via, hash, created_at)
			VALUES ('key_1', 'acme', 'u', '', 'admin', 'connection', '', '', x'00', '2026-03-04T00:00:00.000Z');
		INSERT INTO hook VALUES ('acme', 'wh_1', 1, 'webhook', 'movement.new', 'https://example.com/old-secret-1', '["whsec_old-secret-2","whsec_old-secret-3"]', '2026-03-04T00:00:00.000Z', 7, '2026-03-04T00:00:00.000Z', 'because', 'key_1');
		INSERT INTO hook VALUES ('acme', 'wh_2', 2, 'webhook', 'movement.new', 'https://example.com/old-secret-4', '["whsec_old-secret-5"]', NULL, 0, '2026-03-04T00:00:00.000Z', '', '');
		INSERT INTO hook VALUES ('acme', 'ml_1', 3, 'mail/u', 'movement.new', '', '[]', NULL, 0, '2026-03-04T00:00:00.000Z', '', '');
		INSERT INTO integration VALUES ('acme', 'webhook', '{"enabled":true,"url":"https://example.com/old-secret-6","threshold":5,"events":["new"],"keys":["whsec_old-secret-7"]}');
		INSERT INTO integration VALUES ('acme', 'slack', '{"enabled":false,"url":"","threshold":0,"events":[]}');
		INSERT INTO integration VALUES ('acme', 'notifications/u', '{"daily_report":true}');
		DELETE FROM hook WHERE id = 'wh_2'`

func TestReseal_SealsWhatOlderVersionsKeptReadable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	oldFile(t, folder, 8, plainHooks)
	if content, err := os.ReadFile(filepath.Join(folder, sqlstore.FileName)); err != nil || !bytes.Contains(content, []byte("old-secret-1")) || !bytes.Contains(content, []byte("old-secret-4")) {
		t.Fatalf("the old file is not as older versions left it: %v", err)
	}
	s := open(t, folder)
	hooks := s.Hooks(newBox(t, "a"))
	for range 2 {
		if err := hooks.Reseal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // while it is open, and once it was closed
		wantNowhere(t, folder, "old-secret-")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Whoever has put a new secret before the old one needs that no more after a start.
	if err := open(t, folder).Hooks(newBox(t, "b", "a")).Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	hooks = open(t, folder).Hooks(newBox(t, "b"))
	at := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	for id, want := range map[string]notify.Hook{
		"wh_1": {
			ID: "wh_1", Account: "acme", Channel: notify.Webhook, Event: analytics.MovementNew, URL: "https://example.com/old-secret-1",
			Keys: []notify.Secret{"whsec_old-secret-2", "whsec_old-secret-3"}, Rotated: at, Threshold: 7, Created: at, Paused: "because", CreatedVia: "key_1",
		},
		"ml_1": {ID: "ml_1", Account: "acme", Channel: "mail/u", Event: analytics.MovementNew, Created: at},
	} {
		if got, err := hooks.Hook(t.Context(), "acme", id); err != nil || !cmp.Equal(got, want) {
			t.Errorf("hook %s: %v\n%s", id, err, cmp.Diff(want, got))
		}
	}
	for name, want := range map[string]notify.Settings{
		"webhook":         {Text: []byte(`{"enabled":true,"threshold":5,"events":["new"]}`), Secret: `{"url":"https://example.com/old-secret-6","keys":["whsec_old-secret-7"]}`},
		"slack":           {Text: []byte(`{"enabled":false,"threshold":0,"events":[]}`)},
		"notifications/u": {Text: []byte(`{"daily_report":true}`)},
	} {
		if got, err := hooks.Integration(t.Context(), "acme", name); err != nil || !cmp.Equal(got, want) {
			t.Errorf("settings of %s: %v\n%s", name, err, cmp.Diff(want, got))
		}
	}
}

// An operator may revoke a connection before the first start after an upgrade.
func TestReseal_LeavesOutWhatARevokedConnectionCreated(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	oldFile(t, folder, 8, plainHooks)
	s := open(t, folder)
	if err := s.Identity().DeleteKey(t.Context(), "acme", "key_1", nil); err != nil {
		t.Fatal(err)
	}
	hooks := s.Hooks(newBox(t, "a"))
	if err := hooks.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h, err := hooks.Hook(t.Context(), "acme", "wh_1"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("the webhook of a revoked connection: %+v, %v", h, err)
	}
	if _, err := hooks.Hook(t.Context(), "acme", "ml_1"); err != nil {
		t.Errorf("what somebody else created: %v", err)
	}
}

// What is deleted is overwritten, and gone from the files once the log is.
func TestStore_OverwritesWhatIsDeleted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, folder)
	doc := []byte(`{"name":"Nora Nine"}`)
	row := analytics.Row{Table: analytics.TableCustomer, Seq: 1, ID: "cus_1", Doc: doc}
	other := analytics.Row{Table: analytics.TableCustomer, Seq: 2, ID: "cus_2", Doc: []byte(`{"name":"Other"}`)}
	for i, c := range []analytics.Changeset{{Insert: []analytics.Row{row, other}}, {Delete: []analytics.Key{{Table: row.Table, Seq: row.Seq}}}} {
		c.Version = uint64(i + 1)
		if err := s.Analytics().Commit(t.Context(), "acme", c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, sqlstore.FileName))
	if err != nil || !bytes.Contains(content, []byte("Other")) {
		t.Fatalf("the customer who stays is not in the file: %v", err)
	}
	wantNowhere(t, folder, "Nora Nine")
}

func TestRewriteConnections(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	row := func(seq int64, id, doc string) analytics.Row {
		return analytics.Row{Table: analytics.TableSource, Seq: seq, ID: id, Doc: []byte(doc)}
	}
	for _, account := range []string{"acme", "beta"} {
		c := analytics.Changeset{Version: 1, Insert: []analytics.Row{
			row(1, "ds_1", `{"id":"ds_1","name":"A","connection":{"a":1}}`), row(2, "ds_2", `{"id":"ds_2","connection":{"a":2}}`), row(3, "ds_3", `{"id":"ds_3"}`),
		}}
		if err := s.Analytics().Commit(t.Context(), account, c); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Analytics().RewriteConnections(t.Context(), func(account, source string, connection []byte) ([]byte, error) {
		if account != "acme" || source != "ds_1" || string(connection) != `{"a":1}` {
			return nil, nil
		}
		return []byte(`{"b":"ü"}`), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for account, first := range map[string]string{"acme": `{"id":"ds_1","name":"A","connection":{"b":"ü"}}`, "beta": `{"id":"ds_1","name":"A","connection":{"a":1}}`} {
		var got []string
		if _, err := s.Analytics().Load(t.Context(), account, func(r analytics.LoadedRow) error { got = append(got, r.Doc); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{first, `{"id":"ds_2","connection":{"a":2}}`, `{"id":"ds_3"}`}, got); diff != "" {
			t.Errorf("data sources of %s (-want +got):\n%s", account, diff)
		}
	}
	refused := errors.New("refused")
	if err := s.Analytics().RewriteConnections(t.Context(), func(string, string, []byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("the error of rewrite: %v", err)
	}
}
