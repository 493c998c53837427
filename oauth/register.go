package oauth

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// registerRate is generous: assistants register from few addresses for all their
// users, and anew for each connection. In a day, which is how long a client that
// nobody uses is kept, one address can fill a tenth of the store.
func registerRate() Rate { return Rate{Burst: 120, Interval: 10 * time.Second} }

// registration answers dynamic registration (RFC 7591 §3.2.1). What is empty is
// absent: clients reject nulls and empty texts.
type registration struct {
	ClientID string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at"`
	Secret   string `json:"client_secret,omitempty"`
	// Present with a secret alone, and then 0 for never.
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"`
	*protocol.ClientMetadata
}

func (e *Endpoints) register(w http.ResponseWriter, r *http.Request) error {
	from := Address(r)
	if err := e.limit(r.Context(), "register", from, registerRate()); err != nil {
		return err
	}
	metadata, err := protocol.ReadRegistration(r)
	if err != nil {
		return err
	}
	client, secret, err := e.cfg.Clients.Register(r.Context(), metadata)
	if err != nil {
		return err
	}
	answer := registration{
		ClientID: client.ID, IssuedAt: e.cfg.Clients.cfg.Now().Unix(), ClientMetadata: metadata, Secret: secret.Reveal(),
	}
	if !secret.IsZero() {
		answer.SecretExpires = new(int64)
	}
	e.cfg.Audit(r.Context(), AuditEvent{Action: ActionRegistered, Client: client.Label(), Address: from})
	httpx.Annotate(r.Context(), slog.String("client", client.Label()))
	httpx.WriteJSON(w, http.StatusCreated, answer)
	return nil
}
