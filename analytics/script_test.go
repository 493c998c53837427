package analytics_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/report/reporttest"
	"github.com/growpanel/growpanel-mcp/store/sqlstore"
)

// TestEngine_Scripts runs the report scripts against the engine alone and on
// SQLite. On SQLite the account is opened anew for every report.
func TestEngine_Scripts(t *testing.T) {
	t.Parallel()
	for _, script := range reporttest.Scripts(t) {
		t.Run(script.Name, func(t *testing.T) {
			t.Parallel()
			reporttest.Run(t, script, &scripted{world: newWorld(t, newMemoryStore())})
		})
		t.Run(script.Name+" on SQLite", func(t *testing.T) {
			t.Parallel()
			db, err := sqlstore.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			reporttest.Run(t, script, &scripted{world: newWorld(t, db.Analytics()), forgetful: true})
		})
	}
}

// scripted is a world as the scripts see it.
type scripted struct {
	*world
	today     calendar.Day
	forgetful bool
}

var _ reporttest.Engine = (*scripted)(nil)

// Today implements reporttest.Engine.
func (s *scripted) Today(day calendar.Day) error {
	s.today = day
	return s.setClock()
}

// setClock makes it noon of today in the account's zone.
func (s *scripted) setClock() error {
	set, err := s.engine.Settings(s.t.Context(), account)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(set.Timezone)
	if err != nil {
		return err
	}
	year, month, day := s.today.YMD()
	s.now = time.Date(year, month, day, 12, 0, 0, 0, zone)
	return nil
}

// Push implements reporttest.Engine.
func (s *scripted) Push(rows []reporttest.Push) error {
	for i := range rows {
		var err error
		switch p := &rows[i]; {
		case p.Setting != nil:
			err = s.set(p.Setting)
		case p.Rate != nil:
			err = s.store.ImportRates(s.t.Context(), []fx.Rate{*p.Rate})
		case p.Plan != nil:
			err = s.row("plans", p.Plan)
		case p.Customer != nil:
			err = s.row("customers", p.Customer)
		default:
			err = s.row("invoices", p.Invoice)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scripted) row(kind string, value any) error {
	doc, err := json.Marshal(value)
	if err != nil {
		return err
	}
	failures, err := s.tryPut(s.t.Context(), s.source, kind, string(doc))
	if err == nil && len(failures) > 0 {
		err = fmt.Errorf("%s: %v", doc, failures)
	}
	return err
}

func (s *scripted) set(setting *reporttest.Setting) error {
	var patch analytics.SettingsPatch
	word, _ := setting.Value.(string)
	flag, _ := setting.Value.(bool)
	wide, _ := setting.Value.(int64)
	number := int(wide)
	switch setting.Name {
	case "timezone":
		patch.Timezone = &word
	case "base_currency":
		patch.BaseCurrency = &word
	case "first_day_of_week":
		patch.FirstDayOfWeek = &number
	case "churn_recognition":
		patch.ChurnRecognition = &word
	case "churn_grace_days":
		patch.ChurnGraceDays = &number
	case "non_renewal_churn":
		patch.NonRenewalChurn = &flag
	case "auto_churn_days":
		patch.AutoChurnDays = &number
	case "refund_mrr":
		patch.RefundMRR = &word
	case "subtract_one_time_discounts":
		patch.SubtractOneTimeDiscounts = &flag
	case "trial_days":
		patch.TrialDays = &number
	default:
		return fmt.Errorf("no setting %q", setting.Name)
	}
	if _, err := s.engine.UpdateSettings(s.t.Context(), account, patch); err != nil {
		return err
	}
	return s.setClock()
}

// Delete implements reporttest.Engine.
func (s *scripted) Delete(row reporttest.Delete) error {
	switch row.Kind {
	case "customer":
		return s.engine.DeleteCustomer(s.t.Context(), account, "", row.ID)
	case "plan":
		return s.engine.DeletePlan(s.t.Context(), account, "", row.ID)
	case "invoice":
		return s.engine.DeleteInvoice(s.t.Context(), account, "", row.ID)
	default:
		return errors.New("no rows of kind " + row.Kind)
	}
}

// Report implements reporttest.Engine.
func (s *scripted) Report(name string, params url.Values) (map[string]any, error) {
	if s.forgetful {
		s.reopen()
	}
	return reporttest.Answer(s.snapshot(), name, params)
}
