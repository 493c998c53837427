package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

const (
	clientIDPrefix = "gpcl_"
	secretPrefix   = "gpcs_"
	// maxClientID is more than any id that was registered here has, in bytes.
	maxClientID = 64
)

// Client is who asks for access.
type Client struct {
	ID string
	protocol.ClientMetadata
	// Publisher is the host that publishes the client's metadata document; ""
	// for a client that registered itself, about which nothing is proven.
	Publisher string

	secretHash [sha256.Size]byte
}

// Label names the client in logs: ids that are URLs are hashed.
func (c *Client) Label() string { return auditName(c.ID) }

// ClientsConfig is what Clients needs; all fields are required.
type ClientsConfig struct {
	Store   ClientStore
	Records Records
	Limits  RateLimits
	// Outgoing fetches what strangers name: it must reach public addresses alone,
	// follow no redirect and have a short timeout.
	Outgoing *http.Client
	// Issuer is the issuer, TokenEndpoint the URL of /token: an assertion may be
	// meant for either.
	Issuer, TokenEndpoint string
	// KeepFor is how long a client that is in use is kept after its last use.
	KeepFor time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Clients knows who may ask for access: clients that registered (RFC 7591) and
// clients whose id is the URL of a metadata document. It is safe for concurrent
// use.
type Clients struct {
	cfg       ClientsConfig
	published *published
}

// NewClients returns the clients of a store.
func NewClients(cfg ClientsConfig) *Clients {
	return &Clients{cfg: cfg, published: newPublished(cfg)}
}

// Register keeps a new client and returns it with its secret, which is zero for
// a client that needs none. ErrFull when there is no room, ErrUnavailable when
// the store cannot be asked.
func (c *Clients) Register(ctx context.Context, m *protocol.ClientMetadata) (*Client, Secret, error) {
	client := &Client{ID: clientIDPrefix + rand.Text(), ClientMetadata: *m}
	metadata, err := json.Marshal(m)
	if err != nil {
		return nil, Secret{}, fmt.Errorf("encode client metadata: %w", err)
	}
	record := RegisteredClient{
		ID: client.ID, RedirectURIs: m.RedirectURIs, AuthMethod: string(m.AuthMethod), Name: m.Name,
		Metadata: metadata, CreatedAt: c.cfg.Now().UTC().Truncate(time.Millisecond),
	}
	var secret Secret
	if m.AuthMethod.UsesSecret() {
		random := newTokenSecret()
		secret = NewSecret(secretPrefix + base64.RawURLEncoding.EncodeToString(random[:]))
		client.secretHash = sha256.Sum256([]byte(secret.Reveal()))
		record.SecretHash = client.secretHash[:]
	}
	if err := c.cfg.Store.CreateClient(ctx, record); err != nil {
		return nil, Secret{}, fmt.Errorf("register client: %w", err)
	}
	return client, secret, nil
}

// Client returns a client. ErrNotFound for one that is unknown; a
// *protocol.Error for a metadata document, or its URL, that is not acceptable;
// ErrUnavailable when the store or the document cannot be read right now.
func (c *Clients) Client(ctx context.Context, id string) (*Client, error) {
	if protocol.IsDocumentURL(id) {
		return c.fromDocument(ctx, id)
	}
	if len(id) > maxClientID {
		return nil, ErrNotFound // nothing that was registered here is as long
	}
	record, err := c.cfg.Store.Client(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look up client: %w", err)
	}
	client := &Client{ID: record.ID}
	if err := json.Unmarshal(record.Metadata, &client.ClientMetadata); err != nil {
		return nil, fmt.Errorf("decode metadata of client %s: %w", record.ID, err)
	}
	copy(client.secretHash[:], record.SecretHash)
	return client, nil
}

func (c *Clients) fromDocument(ctx context.Context, id string) (*Client, error) {
	if fault := protocol.CheckDocumentURL(id); fault != nil {
		return nil, fault
	}
	u, err := url.Parse(id)
	if err != nil {
		return nil, ErrNotFound
	}
	client := &Client{ID: id, Publisher: u.Host}
	read := func(body []byte) error {
		m, err := protocol.ParseDocument(id, body)
		if err == nil {
			client.ClientMetadata = *m
		}
		return err
	}
	if err := c.published.get(ctx, id, protocol.MaxDocument, read); err != nil {
		return nil, fmt.Errorf("metadata document: %w", err)
	}
	return client, nil
}

// Used notes that a client has tokens, so that it is kept. A failure is logged:
// the client has what it asked for.
func (c *Clients) Used(ctx context.Context, client *Client) {
	var err error
	if client.Publisher == "" {
		err = c.cfg.Store.TouchClient(ctx, client.ID)
	} else {
		err = c.published.keep(ctx, client.ID, c.cfg.KeepFor)
	}
	if err != nil {
		c.cfg.Logger.WarnContext(ctx, "use of a client not noted", slog.String("client", client.Label()), slog.Any("error", err))
	}
}

// errClient is what every client is told that does not prove to be who it says:
// the reason is for the log.
func errClient(reason string) error {
	return fmt.Errorf("%w: %s", &protocol.Error{Code: protocol.InvalidClient, Description: "the client is unknown or did not authenticate itself"}, reason)
}

// Authenticate returns the client that a request's credentials belong to. A
// *protocol.Error with invalid_client for any other, so that it registers anew;
// ErrUnavailable when that cannot be told right now.
func (c *Clients) Authenticate(ctx context.Context, presented protocol.Credentials) (*Client, error) {
	id := presented.ClientID
	if presented.Method == protocol.AuthPrivateKeyJWT {
		subject, ok := assertionSubject(presented.Assertion())
		if !ok || id != "" && id != subject {
			return nil, errClient("assertion without the client as its subject")
		}
		id = subject
	}
	client, err := c.Client(ctx, id)
	if _, bad := errors.AsType[*protocol.Error](err); bad || errors.Is(err, ErrNotFound) {
		return nil, errClient(err.Error())
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !client.MayUse(presented.Method):
		return nil, errClient("method " + string(presented.Method) + " is not the client's")
	case presented.Method.UsesSecret() && !presented.SecretIs(client.secretHash):
		return nil, errClient("wrong secret")
	case presented.Method == protocol.AuthPrivateKeyJWT:
		if err := c.checkAssertion(ctx, client, presented.Assertion()); err != nil {
			return nil, err
		}
	}
	return client, nil
}
