package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

const (
	minFresh     = 5 * time.Minute
	maxFresh     = 24 * time.Hour
	defaultFresh = time.Hour // when the answer does not say
	fetchTimeout = 5 * time.Second
	maxFetches   = 16 // at once, of this process

	// fetchBurst and fetchEvery limit how often one host is asked, so that nobody
	// can have us flood somebody else.
	fetchBurst = 60
	fetchEvery = time.Second
	// askEvery limits how often one network makes us fetch, so that nobody fills
	// the records with documents of hosts that they make up.
	askEvery = 10 * time.Second
)

// published reads the JSON documents that clients publish about themselves:
// metadata and keys. It keeps them as long as they say, within bounds, in the
// records that all replicas share.
type published struct {
	cfg   ClientsConfig
	slots chan struct{}
}

func newPublished(cfg ClientsConfig) *published {
	return &published{cfg: cfg, slots: make(chan struct{}, maxFetches)}
}

// copyOf is a document in the records.
type copyOf struct {
	Body       []byte        `json:"body"`
	FetchedAt  time.Time     `json:"fetched_at"`
	FreshUntil time.Time     `json:"fresh_until"`
	Keep       time.Duration `json:"keep,omitempty"` // set once its client is in use
}

// get reads the document at a URL of at most limit bytes. read looks at it and
// refuses it with an error, which is returned; a document is kept only if it was
// read. A client in use keeps its last good document while a new one cannot be
// had. The error wraps ErrUnavailable when it is not the document's fault.
func (p *published) get(ctx context.Context, address string, limit int64, read func([]byte) error) error {
	kept, found, err := p.kept(ctx, address)
	if err != nil {
		return err
	}
	if found && p.cfg.Now().Before(kept.FreshUntil) {
		return read(kept.Body)
	}
	err = p.refresh(ctx, address, limit, kept.Keep, read)
	if err == nil || !found || kept.Keep == 0 {
		return err
	}
	p.cfg.Logger.WarnContext(ctx, "document of a known client not renewed", slog.String("client", auditName(address)), slog.Any("error", err))
	return read(kept.Body)
}

// renew fetches a document again that is older than minAge, whatever it says
// about itself.
func (p *published) renew(ctx context.Context, address string, limit int64, minAge time.Duration, read func([]byte) error) error {
	kept, found, err := p.kept(ctx, address)
	if err != nil {
		return err
	}
	if found && p.cfg.Now().Sub(kept.FetchedAt) < minAge {
		return read(kept.Body)
	}
	return p.refresh(ctx, address, limit, kept.Keep, read)
}

// keep lets a document outlast its freshness.
func (p *published) keep(ctx context.Context, address string, life time.Duration) error {
	kept, found, err := p.kept(ctx, address)
	if err != nil || !found {
		return err
	}
	kept.Keep = life
	return p.put(ctx, address, kept)
}

func (p *published) kept(ctx context.Context, address string) (c copyOf, found bool, err error) {
	record, err := p.cfg.Records.Record(ctx, KindDocument, recordID(address))
	if errors.Is(err, ErrNotFound) {
		return copyOf{}, false, nil
	}
	if err != nil {
		return copyOf{}, false, fmt.Errorf("look up document: %w", err)
	}
	if err := json.Unmarshal(record.Value, &c); err != nil {
		return copyOf{}, false, nil //nolint:nilerr // of another version: it is fetched again
	}
	return c, true, nil
}

func (p *published) put(ctx context.Context, address string, c copyOf) error {
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	if err := p.cfg.Records.Put(ctx, KindDocument, recordID(address), value, max(c.Keep, maxFresh)); err != nil {
		return fmt.Errorf("keep document: %w", err)
	}
	return nil
}

func recordID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (p *published) refresh(ctx context.Context, address string, limit int64, keep time.Duration, read func([]byte) error) error {
	body, fresh, err := p.fetch(ctx, address, limit)
	if err != nil {
		return err
	}
	if err := read(body); err != nil {
		return err
	}
	now := p.cfg.Now().UTC()
	return p.put(ctx, address, copyOf{Body: body, FetchedAt: now, FreshUntil: now.Add(fresh), Keep: keep})
}

// notFetched is an answer that is not the document.
func notFetched(reason string) error {
	return &protocol.Error{Code: protocol.InvalidClientMetadata, Description: "the client's document " + reason}
}

func (p *published) fetch(ctx context.Context, address string, limit int64) (body []byte, fresh time.Duration, err error) {
	if err := p.mayFetch(ctx, address); err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("%w: too many documents are being fetched", ErrUnavailable)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, 0, notFetched("has no proper URL")
	}
	request.Header.Set("Accept", "application/json")
	response, err := p.cfg.Outgoing.Do(request)
	if err != nil {
		// Why it failed could tell a stranger about the network we are in.
		p.cfg.Logger.InfoContext(ctx, "client document not fetched", slog.String("client", auditName(address)), slog.Any("error", withoutURL(err)))
		return nil, 0, fmt.Errorf("%w: the client's document could not be fetched", ErrUnavailable)
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests:
		return nil, 0, fmt.Errorf("%w: the client's document is answered with %d", ErrUnavailable, response.StatusCode)
	case response.StatusCode != http.StatusOK:
		return nil, 0, notFetched("is not answered with 200")
	case mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json"):
		return nil, 0, notFetched("is not application/json")
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, 0, fmt.Errorf("%w: the client's document breaks off", ErrUnavailable)
	}
	if int64(len(body)) > limit {
		return nil, 0, notFetched("is too large")
	}
	return body, freshness(response.Header.Get("Cache-Control")), nil
}

// mayFetch counts the calls of one host, and those that one network causes.
func (p *published) mayFetch(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return notFetched("has no proper URL")
	}
	if from, ok := ctx.Value(addressKey{}).(netip.Addr); ok {
		wait, err := p.cfg.Limits.Take(ctx, "fetch-for:"+Bucket(from), Rate{Burst: fetchBurst, Interval: askEvery})
		if err != nil {
			return fmt.Errorf("count fetches: %w", err)
		}
		if wait > 0 {
			return fmt.Errorf("%w: too many documents for one network", ErrUnavailable)
		}
	}
	wait, err := p.cfg.Limits.Take(ctx, "fetch:"+recordID(u.Hostname()), Rate{Burst: fetchBurst, Interval: fetchEvery})
	if err != nil {
		return fmt.Errorf("count fetches: %w", err)
	}
	if wait > 0 {
		return fmt.Errorf("%w: too many documents of one host", ErrUnavailable)
	}
	return nil
}

// withoutURL drops the URL that net/http puts into its errors.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// freshness reads how long an answer may be kept (RFC 9111 §5.2.2), within what
// is sensible: a document that forbids caching is not fetched for every request.
func freshness(cacheControl string) time.Duration {
	fresh := defaultFresh
	for directive := range strings.SplitSeq(strings.ToLower(cacheControl), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache", "private":
			return minFresh
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil {
				fresh = time.Duration(seconds) * time.Second
			}
		}
	}
	return min(max(fresh, minFresh), maxFresh)
}
