package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/report/reporttest"
	"github.com/growpanel/growpanel-mcp/apiclient"
)

// TestScripts runs the report scripts through the client, a socket, the API, the
// engine and an SQLite file.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, script := range reporttest.Scripts(t) {
		t.Run(script.Name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			client, err := apiclient.New(apiclient.Options{BaseURL: a.serve(t).URL, Key: apiclient.NewSecret(a.admin)})
			if err != nil {
				t.Fatal(err)
			}
			e := &scripted{api: a, ctx: t.Context(), client: client, source: a.newSource(t, "Script"), zone: time.UTC}
			reporttest.Run(t, script, e)
		})
	}
}

// scripted is the API as the scripts see it.
type scripted struct {
	*api
	ctx    context.Context //nolint:containedctx // the methods of reporttest.Engine take none
	client *apiclient.Client
	source string

	today calendar.Day
	zone  *time.Location
}

var _ reporttest.Engine = (*scripted)(nil)

// Today implements reporttest.Engine.
func (s *scripted) Today(day calendar.Day) error {
	s.today = day
	s.setClock()
	return nil
}

// setClock makes it noon of today in the account's zone.
func (s *scripted) setClock() {
	year, month, day := s.today.YMD()
	s.clock.Store(time.Date(year, month, day, 12, 0, 0, 0, s.zone).Unix())
}

// Push implements reporttest.Engine. Rows of one kind that follow each other go
// in one request.
func (s *scripted) Push(rows []reporttest.Push) error {
	for len(rows) > 0 {
		kind, n := kindOf(&rows[0]), 1
		for n < len(rows) && kindOf(&rows[n]) == kind {
			n++
		}
		if err := s.pushKind(kind, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func kindOf(p *reporttest.Push) string {
	switch {
	case p.Setting != nil:
		return "settings"
	case p.Rate != nil:
		return "rates"
	case p.Plan != nil:
		return "plans"
	case p.Customer != nil:
		return "customers"
	default:
		return "invoices"
	}
}

func (s *scripted) pushKind(kind string, rows []reporttest.Push) error {
	switch kind {
	case "settings":
		return s.change(rows)
	case "rates":
		var rates []fx.Rate
		for _, p := range rows {
			rates = append(rates, *p.Rate)
		}
		return s.rates.ImportRates(s.ctx, rates)
	}
	var values []any
	for _, p := range rows {
		switch kind {
		case "plans":
			values = append(values, p.Plan)
		case "customers":
			values = append(values, p.Customer)
		default:
			values = append(values, p.Invoice)
		}
	}
	body, err := s.call(http.MethodPost, []string{"data-sources", s.source, kind}, nil, values)
	if err != nil {
		return err
	}
	if failed, _ := body["failed"].(json.Number); failed != "0" {
		return fmt.Errorf("push %s: %v", kind, body["result"])
	}
	return nil
}

func (s *scripted) change(rows []reporttest.Push) error {
	settings := map[string]any{}
	for _, p := range rows {
		settings[p.Setting.Name] = p.Setting.Value
		if name, ok := p.Setting.Value.(string); ok && p.Setting.Name == "timezone" {
			zone, err := time.LoadLocation(name)
			if err != nil {
				return err
			}
			s.zone = zone
			s.setClock()
		}
	}
	_, err := s.call(http.MethodPost, []string{"settings"}, nil, settings)
	return err
}

// Delete implements reporttest.Engine.
func (s *scripted) Delete(row reporttest.Delete) error {
	_, err := s.call(http.MethodDelete, []string{"data", row.Kind + "s", row.ID}, nil, nil)
	return err
}

// Report implements reporttest.Engine.
func (s *scripted) Report(name string, params url.Values) (map[string]any, error) {
	segments := strings.SplitN(name, "/", 2)
	if segments[0] != "customers" && segments[0] != "plans" {
		segments = []string{"reports", name}
	}
	return s.call(http.MethodGet, segments, params, nil)
}

func (s *scripted) call(method string, segments []string, query url.Values, value any) (map[string]any, error) {
	var body []byte
	if value != nil {
		var err error
		if body, err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	res, err := s.client.Do(s.ctx, method, segments, query, body)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(res.Body))
	decoder.UseNumber()
	var answer map[string]any
	return answer, decoder.Decode(&answer)
}
