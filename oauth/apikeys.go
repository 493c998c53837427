package oauth

import (
	"context"
	"errors"
	"net/http"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// APIKeys is API over the REST API, in this process or elsewhere.
type APIKeys struct {
	client *apiclient.Client
}

var _ API = (*APIKeys)(nil)

// NewAPIKeys returns the keys of an API. The client needs no key.
func NewAPIKeys(client *apiclient.Client) *APIKeys { return &APIKeys{client: client} }

// CreateKey implements API.
func (a *APIKeys) CreateKey(ctx context.Context, k NewKey) (CreatedKey, error) {
	client, err := a.client.WithKey(apiclient.NewSecret(k.UserToken.Reveal()))
	if err != nil {
		return CreatedKey{}, err
	}
	var answer struct {
		ID  string
		Key string `json:"api_key"`
	}
	err = exchange(apiclient.WithIdempotencyKey(ctx, k.Family.String()), client, http.MethodPost, map[string]string{
		"name": k.Name, "role": k.Role, "kind": "connection", "client_name": k.ClientName, "revocation_hash": k.RevocationHash,
	}, &answer, "account", "api-keys")
	return CreatedKey{ID: answer.ID, Key: NewSecret(answer.Key)}, err
}

// RevokeKey implements API.
func (a *APIKeys) RevokeKey(ctx context.Context, revocationSecret Secret, keep []string) error {
	if keep == nil {
		keep = []string{}
	}
	body := map[string]any{"revocation_secret": revocationSecret.Reveal(), "keep": keep}
	return exchange(ctx, a.client, http.MethodPost, body, nil, "connection-keys", "revoke")
}

// VerifyKey implements API.
func (a *APIKeys) VerifyKey(ctx context.Context, key Secret) error {
	client, err := a.client.WithKey(apiclient.NewSecret(key.Reveal()))
	if err != nil {
		return err
	}
	err = exchange(ctx, client, http.MethodGet, nil, nil, "integrations", "verify")
	if refused, ok := errors.AsType[*apiclient.Error](err); ok && refused.Status == http.StatusUnauthorized {
		return errors.Join(ErrKeyGone, err)
	}
	return err
}
