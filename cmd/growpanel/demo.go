package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/config"
	"github.com/growpanel/growpanel-mcp/httpapi"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/demo"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// demoKey is the key of the demo company on every machine, so that the
// configurations in README.md can be pasted as they are. It exists in a demo's
// own data folder alone, and a demo is reachable from its own machine alone.
const demoKey = "de300000-0000-4000-8000-000000000001.de300000-0000-4000-8000-000000000002"

// The demo user has a second account, so that picking one can be tried. Their
// password is no more secret than demoKey.
const (
	demoUser          = "demo@example.com"
	demoPassword      = "growpanel-demo"
	demoSecondAccount = "Harbor Books"
)

const (
	demoSourcePrefix = "Billing since "
	demoRefresh      = time.Hour
	demoBatch        = 10_000
)

// demoFolder is where a demo keeps its data, apart from real accounts. One with
// a pinned today has a folder per day: its history must not reach beyond it.
func demoFolder(cfg config.Serve) string {
	name := "demo"
	if !cfg.Now.IsZero() {
		name += "-" + cfg.Now.UTC().Format(time.DateOnly)
	}
	return filepath.Join(cfg.Data, name)
}

// openDemo fills the demo account before anybody is served, and keeps it filled.
// Its own requests are neither logged nor counted against the account's limits.
func (pf *platform) openDemo(ctx context.Context, p process, cfg config.Serve, store *sqlstore.Store, served httpapi.Config) error {
	served.Logger, served.Limits = slog.New(slog.DiscardHandler), httpapi.RateLimits{}
	client, err := inProcess(httpapi.New(served))
	if err != nil {
		return err
	}
	if client, err = client.WithKey(apiclient.NewSecret(demoKey)); err != nil {
		return err
	}
	d := &demonstration{store: store, users: served.Identity, api: client, today: today(p.now, cfg), log: pf.log}
	company, err := d.prepare(ctx)
	if err != nil {
		return err
	}
	if cfg.Now.IsZero() {
		pf.tasks = append(pf.tasks, d.keepUp)
	}
	pf.ready = func() error { return announce(p.out, company, pf.url(apiName), pf.url(mcpName)) }
	return nil
}

// demonstration keeps the demo account up to date.
type demonstration struct {
	store *sqlstore.Store
	users *identity.Service
	api   *apiclient.Client // with the demo key
	today func() time.Time
	log   *slog.Logger
}

// prepare creates the demo account with its key and rates and pushes its
// history.
func (d *demonstration) prepare(ctx context.Context) (*demo.Company, error) {
	token, err := identity.ParseToken(demoKey)
	if err != nil {
		return nil, err
	}
	account, err := d.users.EnsureAccount(ctx, demo.Name)
	if err != nil {
		return nil, err
	}
	owner, err := d.owner(ctx, account)
	if err != nil {
		return nil, err
	}
	if err := d.users.AdoptKey(ctx, identity.NewKey{Account: account.ID, User: owner, Name: "demo", Role: identity.Admin}, token); err != nil {
		return nil, err
	}
	company, err := d.push(ctx)
	if err != nil {
		return nil, fmt.Errorf("push the demo company: %w", err)
	}
	return company, nil
}

// owner finds or creates the demo user, an owner of the demo account and of one
// more, and returns their id.
func (d *demonstration) owner(ctx context.Context, account identity.Account) (string, error) {
	u, err := d.users.UserByEmail(ctx, demoUser)
	if errors.Is(err, identity.ErrNotFound) {
		u, err = d.users.CreateUser(ctx, demoUser, demoPassword, identity.Profile{FirstName: "Demo"})
	}
	if err != nil {
		return "", err
	}
	second, err := d.users.EnsureAccount(ctx, demoSecondAccount)
	if err != nil {
		return "", err
	}
	for _, id := range []string{account.ID, second.ID} {
		if err := d.users.AddMember(ctx, id, u.ID, identity.Owner); err != nil && !errors.Is(err, identity.ErrExists) {
			return "", err
		}
	}
	return u.ID, nil
}

// keepUp pushes what happened since, as long as ctx lives: without new invoices
// the whole company would be taken to have left within weeks.
func (d *demonstration) keepUp(ctx context.Context) {
	ticker := time.NewTicker(demoRefresh)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := d.push(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "the demo company could not be brought up to date", "error", err)
		}
	}
}

// push sends the company's rows by the same API as any billing system. Rows
// that are there already cost nothing.
func (d *demonstration) push(ctx context.Context) (*demo.Company, error) {
	source, first, err := d.source(ctx)
	if err != nil {
		return nil, err
	}
	company := demo.New(first, d.today())
	if err := d.store.Analytics().ImportRates(ctx, toRates(company.Rates)); err != nil {
		return nil, err
	}
	if err := pushRows(ctx, d.api, source, "plans", company.Plans); err != nil {
		return nil, err
	}
	if err := pushRows(ctx, d.api, source, "customers", company.Customers); err != nil {
		return nil, err
	}
	if err := pushRows(ctx, d.api, source, "invoices", company.Invoices); err != nil {
		return nil, err
	}
	return company, nil
}

// source finds or creates the data source. Its name says when the company
// began, so that a demo started again later continues the same history.
func (d *demonstration) source(ctx context.Context) (id string, first time.Time, err error) {
	var list struct {
		Result []struct{ ID, Name string }
	}
	if err := call(ctx, d.api, http.MethodGet, nil, nil, &list, "data", "data-sources"); err != nil {
		return "", first, err
	}
	for _, source := range list.Result {
		month, ours := strings.CutPrefix(source.Name, demoSourcePrefix)
		if first, err := time.Parse("2006-01", month); ours && err == nil {
			return source.ID, first, nil
		}
	}
	first = demo.FirstMonth(d.today())
	var created struct{ ID string }
	body := map[string]string{"name": demoSourcePrefix + first.Format("2006-01"), "type": "api"}
	if err := call(ctx, d.api, http.MethodPost, nil, body, &created, "data", "data-sources"); err != nil {
		return "", first, err
	}
	return created.ID, first, nil
}

// pushRows sends rows in batches and fails when one of them is refused.
func pushRows[Row any](ctx context.Context, api *apiclient.Client, source, kind string, rows []Row) error {
	for start := 0; start < len(rows); start += demoBatch {
		batch := rows[start:min(start+demoBatch, len(rows))]
		var answer struct {
			Failed int
			Result []json.RawMessage
		}
		onlyErrors := url.Values{"echo": {"errors"}}
		if err := call(ctx, api, http.MethodPost, onlyErrors, batch, &answer, "data-sources", source, kind); err != nil {
			return err
		}
		if answer.Failed > 0 {
			return fmt.Errorf("%d %s were refused, the first: %s", answer.Failed, kind, answer.Result[0])
		}
	}
	return nil
}

// call sends one request with a JSON body and reads a JSON answer.
func call(ctx context.Context, api *apiclient.Client, method string, query url.Values, body, answer any, segments ...string) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	response, err := api.Do(ctx, method, segments, query, content)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(response.Body, answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", strings.Join(segments, "/"), err)
	}
	return nil
}

func toRates(rows []demo.Rate) []fx.Rate {
	rates := make([]fx.Rate, len(rows))
	for i, row := range rows {
		rates[i] = fx.Rate{Day: calendar.DayOf(row.Day), Base: row.Base, Quote: row.Quote, Value: row.Value}
	}
	return rates
}

const localText = "a demo answers its own machine alone"

// localOnly refuses pages of other sites and names that lead to this machine:
// the key of a demo is known to everybody.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := (&url.URL{Host: r.Host}).Hostname()
		origin, err := url.Parse(r.Header.Get("Origin"))
		if !config.LoopbackHost(host) || err != nil || origin.String() != "" && !config.LoopbackHost(origin.Hostname()) {
			httpx.WriteBody(w, http.StatusForbidden, []byte(`{"error":"`+localText+`","message":"`+localText+`","code":"forbidden"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}
