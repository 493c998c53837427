package notify

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/jobs"
)

// Integration is how an account's webhook, Slack or Teams is set up.
type Integration struct {
	Enabled   bool
	URL       Secret // "" while not connected
	Threshold int64  // minor units of the base currency
	Events    []string
	LastError string // of the newest post, "" if it did not fail
	Key       Secret // of a webhook, set when its URL was set for the first time just now
}

// IntegrationChange changes the settings whose fields are not nil.
type IntegrationChange struct {
	Enabled   *bool
	URL       *string
	Threshold *int64
	Events    []string
}

// Errors about the names of integrations.
var (
	ErrUnknownIntegration = errors.New("there is no such integration")
	ErrNotAvailable       = errors.New("the integration is not available on this server")
)

// channelOf returns the channel of an integration.
func channelOf(name string) (Channel, error) {
	switch name {
	case "webhook":
		return Forward, nil
	case "slack":
		return Slack, nil
	case "teams":
		return Teams, nil
	case "stripe", "hubspot", "looker-studio":
		return "", fmt.Errorf("%s: %w", name, ErrNotAvailable)
	default:
		return "", ErrUnknownIntegration
	}
}

// postEvents are the events of integrations by the words of their settings.
func postEvents() map[string]string {
	return map[string]string{
		"new": analytics.MovementNew, "expansion": analytics.MovementExpansion, "contraction": analytics.MovementContraction,
		"churn": analytics.MovementChurn, "reactivation": analytics.MovementReactivation,
		"scheduled_cancellation": analytics.ScheduledCancellation, "failed_payment": analytics.FailedPayment,
	}
}

// PostWords are what integrations can post, in the order of the contract.
func PostWords() []string {
	return []string{"new", "expansion", "contraction", "churn", "reactivation", "scheduled_cancellation", "failed_payment"}
}

// stored is an integration as the store keeps it.
type stored struct {
	Enabled   bool     `json:"enabled"`
	Threshold int64    `json:"threshold"`
	Events    []string `json:"events"`

	to         receiver // kept apart, sealed
	unreadable bool     // to could not be opened
}

// receiver is where an integration posts to.
type receiver struct {
	URL  string   `json:"url"`
	Keys []string `json:"keys,omitempty"`
}

func (s *Service) stored(ctx context.Context, account, name string) (stored, error) {
	set := stored{Events: PostWords()}
	kept, err := s.store.Integration(ctx, account, name)
	if err != nil || kept.Text == nil {
		return set, err
	}
	err = json.Unmarshal(kept.Text, &set)
	if err == nil && kept.Secret != "" {
		err = json.Unmarshal([]byte(kept.Secret.Reveal()), &set.to)
	}
	if err != nil {
		return set, fmt.Errorf("read the settings of %s: %w", name, err)
	}
	set.unreadable = kept.Unreadable
	return set, nil
}

// settings are an integration for the store.
func (s stored) settings() (Settings, error) {
	text, err := json.Marshal(s)
	if err != nil || s.to.URL == "" && len(s.to.Keys) == 0 {
		return Settings{Text: text}, err
	}
	secret, err := json.Marshal(s.to)
	return Settings{Text: text, Secret: Secret(secret)}, err
}

// Integration returns the settings of an integration. ErrUnknownIntegration,
// ErrNotAvailable.
func (s *Service) Integration(ctx context.Context, account, name string) (Integration, error) {
	channel, err := channelOf(name)
	if err != nil {
		return Integration{}, err
	}
	set, err := s.stored(ctx, account, name)
	if err != nil {
		return Integration{}, err
	}
	i := set.shown()
	if set.unreadable {
		i.LastError = unreadable
		return i, nil
	}
	i.LastError, err = s.lastError(ctx, account, channel)
	return i, err
}

const unreadable = "the secret of this server does not open the URL: enter it again"

func (s stored) shown() Integration {
	return Integration{Enabled: s.Enabled, URL: Secret(s.to.URL), Threshold: s.Threshold, Events: s.Events}
}

// lastError returns why the newest post of a channel failed.
func (s *Service) lastError(ctx context.Context, account string, channel Channel) (string, error) {
	hooks, err := s.store.Hooks(ctx, account, channel)
	if err != nil {
		return "", err
	}
	var newest jobs.Job
	for _, h := range hooks {
		list, err := s.queue.Jobs(ctx, account, jobs.Filter{Lane: h.Lane(), Limit: 1})
		if err != nil {
			return "", err
		}
		if len(list) > 0 && list[0].Started.After(newest.Started) {
			newest = list[0]
		}
	}
	if newest.State == jobs.Done {
		return "", nil
	}
	return newest.Error, nil
}

// SetIntegration changes the settings of an integration and returns them.
// ErrUnknownIntegration, ErrNotAvailable, *FieldError.
func (s *Service) SetIntegration(ctx context.Context, account, name string, change IntegrationChange) (Integration, error) {
	channel, err := channelOf(name)
	if err != nil {
		return Integration{}, err
	}
	set, err := s.stored(ctx, account, name)
	if err != nil {
		return Integration{}, err
	}
	if err := s.apply(&set, channel, change); err != nil {
		return Integration{}, err
	}
	var shown Secret
	if channel == Forward && set.to.URL != "" && len(set.to.Keys) == 0 {
		shown = NewKey()
		set.to.Keys = []string{shown.Reveal()}
	}
	settings, err := set.settings()
	if err != nil {
		return Integration{}, fmt.Errorf("encode the settings of %s: %w", name, err)
	}
	hooks, err := s.hooksOf(ctx, account, channel, set)
	if err != nil {
		return Integration{}, err
	}
	today, err := s.engine.Today(ctx, account)
	if err != nil {
		return Integration{}, err
	}
	if err := s.store.SetIntegration(ctx, account, name, settings, channel, hooks, today); err != nil {
		return Integration{}, err
	}
	i := set.shown()
	i.Key = shown
	i.LastError, err = s.lastError(ctx, account, channel)
	return i, err
}

// apply changes settings, or says what is wrong with the change.
func (s *Service) apply(set *stored, channel Channel, change IntegrationChange) error {
	if change.URL != nil && *change.URL != "" {
		where := s.hooks
		if channel != Forward {
			where = s.channel(channel)
		}
		if err := checkURL(where, "url", *change.URL); err != nil {
			return err
		}
	}
	if change.URL != nil {
		set.to.URL = *change.URL
	}
	if change.Threshold != nil {
		if *change.Threshold < 0 {
			return &FieldError{"threshold", "must be 0 or more"}
		}
		set.Threshold = *change.Threshold
	}
	if change.Events != nil {
		set.Events = []string{}
		for _, word := range change.Events {
			if !slices.Contains(PostWords(), word) {
				return &FieldError{"events", fmt.Sprintf("%q cannot be posted; use %s", clip(word), strings.Join(PostWords(), ", "))}
			}
			if !slices.Contains(set.Events, word) {
				set.Events = append(set.Events, word)
			}
		}
	}
	if change.Enabled != nil {
		set.Enabled = *change.Enabled
	}
	if set.Enabled && set.to.URL == "" {
		return &FieldError{"url", "is required to enable it"}
	}
	return nil
}

// hooksOf returns the hooks that settings ask for. Those that were there before
// keep their ids, and so what waits for them.
func (s *Service) hooksOf(ctx context.Context, account string, channel Channel, set stored) ([]Hook, error) {
	if !set.Enabled {
		return nil, nil
	}
	old, err := s.store.Hooks(ctx, account, channel)
	if err != nil {
		return nil, err
	}
	var keys []Secret
	for _, k := range set.to.Keys {
		keys = append(keys, Secret(k))
	}
	var hooks []Hook
	for _, word := range set.Events {
		h := Hook{
			ID: "in_" + rand.Text(), Account: account, Channel: channel, Event: postEvents()[word], URL: Secret(set.to.URL), Keys: keys,
			Threshold: set.Threshold, Created: s.now().UTC().Truncate(time.Millisecond),
		}
		for _, o := range old {
			if o.Event == h.Event {
				h.ID, h.Created = o.ID, o.Created
			}
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}
