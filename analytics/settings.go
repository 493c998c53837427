package analytics

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// Settings are an account's metric settings under the contract's names.
type Settings struct {
	BaseCurrency             string `json:"base_currency"`     // lower-case ISO 4217
	Timezone                 string `json:"timezone"`          // IANA name
	FirstDayOfWeek           int    `json:"first_day_of_week"` // 0 Sunday, 1 Monday
	ChurnRecognition         string `json:"churn_recognition"` // end_of_period or immediate
	ChurnGraceDays           int    `json:"churn_grace_days"`  // 0 to 90
	NonRenewalChurn          bool   `json:"non_renewal_churn"`
	AutoChurnDays            *int   `json:"auto_churn_days"` // nil: off
	RefundMRR                string `json:"refund_mrr"`      // reduce or ignore
	SubtractOneTimeDiscounts bool   `json:"subtract_one_time_discounts"`
	TrialDays                int    `json:"trial_days"` // 0 to 365
	Locale                   string `json:"locale"`     // BCP 47 tag such as en-US
}

// DefaultSettings are those of a new account.
func DefaultSettings() Settings {
	d := ledger.DefaultSettings()
	return Settings{
		BaseCurrency: d.Base.Code(), Timezone: "UTC", FirstDayOfWeek: 1,
		ChurnRecognition: "end_of_period", ChurnGraceDays: d.GraceDays, NonRenewalChurn: d.NonRenewalChurn,
		RefundMRR: "reduce", SubtractOneTimeDiscounts: d.SubtractOneTimeDiscounts, TrialDays: d.TrialDays, Locale: "en",
	}
}

// SettingsPatch changes the settings whose fields are not nil.
type SettingsPatch struct {
	BaseCurrency             *string
	Timezone                 *string
	FirstDayOfWeek           *int
	ChurnRecognition         *string
	ChurnGraceDays           *int
	NonRenewalChurn          *bool
	AutoChurnDays            *int // NoAutoChurn switches it off
	RefundMRR                *string
	SubtractOneTimeDiscounts *bool
	TrialDays                *int
	Locale                   *string
}

// NoAutoChurn switches auto_churn_days off in a SettingsPatch.
const NoAutoChurn = ledger.NoAutoChurn

// apply returns s with the patch in it.
func (p SettingsPatch) apply(s Settings) Settings {
	set(&s.BaseCurrency, p.BaseCurrency)
	set(&s.Timezone, p.Timezone)
	set(&s.FirstDayOfWeek, p.FirstDayOfWeek)
	set(&s.ChurnRecognition, p.ChurnRecognition)
	set(&s.ChurnGraceDays, p.ChurnGraceDays)
	set(&s.NonRenewalChurn, p.NonRenewalChurn)
	set(&s.RefundMRR, p.RefundMRR)
	set(&s.SubtractOneTimeDiscounts, p.SubtractOneTimeDiscounts)
	set(&s.TrialDays, p.TrialDays)
	set(&s.Locale, p.Locale)
	if p.AutoChurnDays != nil {
		s.AutoChurnDays = nil
		if days := *p.AutoChurnDays; days != NoAutoChurn {
			s.AutoChurnDays = &days
		}
	}
	s.BaseCurrency = strings.ToLower(s.BaseCurrency)
	return s
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// locales matches the BCP 47 tags in common use.
var locales = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

const (
	maxGraceDays     = 90
	maxTrialDays     = 365
	maxAutoChurnDays = 3650
)

// ledger returns the settings as replay needs them, or an *InvalidError that
// names every field that is wrong.
func (s Settings) ledger() (ledger.Settings, error) {
	var bad []FieldError
	check := func(ok bool, field, format string, args ...any) {
		if !ok {
			bad = append(bad, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
		}
	}
	base, err := money.Parse(s.BaseCurrency)
	check(err == nil, "base_currency", "must be a three-letter ISO 4217 currency code such as usd")
	zone, err := loadZone(s.Timezone)
	check(err == nil, "timezone", "must be an IANA time zone such as Europe/Copenhagen")
	check(s.FirstDayOfWeek == 0 || s.FirstDayOfWeek == 1, "first_day_of_week", "must be 0 (Sunday) or 1 (Monday)")
	check(s.ChurnRecognition == "end_of_period" || s.ChurnRecognition == "immediate", "churn_recognition", "must be end_of_period or immediate")
	check(0 <= s.ChurnGraceDays && s.ChurnGraceDays <= maxGraceDays, "churn_grace_days", "must be from 0 to %d", maxGraceDays)
	check(s.RefundMRR == "reduce" || s.RefundMRR == "ignore", "refund_mrr", "must be reduce or ignore")
	check(0 <= s.TrialDays && s.TrialDays <= maxTrialDays, "trial_days", "must be from 0 to %d", maxTrialDays)
	check(locales.MatchString(s.Locale), "locale", "must be a language tag such as en or da-DK")
	auto := NoAutoChurn
	if s.AutoChurnDays != nil {
		auto = *s.AutoChurnDays
		check(1 <= auto && auto <= maxAutoChurnDays, "auto_churn_days", "must be from 1 to %d, or null for off", maxAutoChurnDays)
	}
	if len(bad) > 0 {
		return ledger.Settings{}, &InvalidError{Fields: bad}
	}
	recognition := ledger.EndOfPeriod
	if s.ChurnRecognition == "immediate" {
		recognition = ledger.Immediate
	}
	return ledger.Settings{
		Zone: zone, Base: base, Recognition: recognition, GraceDays: s.ChurnGraceDays, NonRenewalChurn: s.NonRenewalChurn,
		AutoChurnDays: auto, RefundsReduceMRR: s.RefundMRR == "reduce",
		SubtractOneTimeDiscounts: s.SubtractOneTimeDiscounts, TrialDays: s.TrialDays,
	}, nil
}

// loadZone refuses "" and "Local", which would depend on the machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone of the IANA database", name)
	}
	zone, err := time.LoadLocation(name)
	if err == nil && name == "UTC" {
		zone = time.UTC
	}
	return zone, err
}

func (s Settings) weekStart() time.Weekday { return time.Weekday(s.FirstDayOfWeek) }
