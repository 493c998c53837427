package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// authorizeRate bounds the transactions of one network.
func authorizeRate() Rate { return Rate{Burst: 60, Interval: time.Second} }

// maxState bounds a client's state in bytes: it has to fit into a record, and
// into the URL that leads back.
const maxState = 8 << 10

// authorize checks a client's request, makes a transaction of it and leads to
// the consent page.
func (b *Browser) authorize(w http.ResponseWriter, r *http.Request) error {
	if err := b.limit(r.Context(), "authorize", b.cfg.Address(r), authorizeRate()); err != nil {
		return err
	}
	params, err := protocol.ParseParams(r.URL.RawQuery)
	if err != nil {
		return b.badRequest(w, err)
	}
	id, err := b.cfg.Protocol.ClientID(params)
	if err != nil {
		return b.badRequest(w, err)
	}
	client, err := b.cfg.Clients.Client(withAddress(r.Context(), b.cfg.Address(r)), id)
	if errors.Is(err, ErrNotFound) {
		return b.pages.Write(w, http.StatusBadRequest, pages.UnknownClient())
	}
	if err != nil {
		return b.badRequest(w, err)
	}
	request, err := b.cfg.Protocol.Check(params, &client.ClientMetadata)
	if err != nil {
		return b.refuseRequest(w, r, client, params.Get("redirect_uri"), err)
	}
	if len(request.State) > maxState {
		return b.pages.Write(w, http.StatusBadRequest, pages.BadRequest(fmt.Sprintf("state has more than %d bytes", maxState)))
	}
	t := &transaction{Request: *request, Name: client.Name, Publisher: client.Publisher, SignIn: request.Login}
	if err := b.begin(r.Context(), t, b.browserOf(w, r)); err != nil {
		return err
	}
	return b.redirect(w, "/consent?tx="+t.id)
}

// badRequest shows an error about which no client can be told.
func (b *Browser) badRequest(w http.ResponseWriter, err error) error {
	var fault *protocol.Error
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Code == protocol.InvalidClient:
		return b.pages.Write(w, http.StatusBadRequest, pages.UnknownClient())
	default:
		return b.pages.Write(w, http.StatusBadRequest, pages.BadRequest(fault.Description))
	}
}

// refuseRequest answers a faulty request of a known client. Only a browser with
// a session is sent back at once; anybody can register a redirect URI, and this
// must not become a way to lead strangers anywhere (RFC 9700 §4.11.2).
func (b *Browser) refuseRequest(w http.ResponseWriter, r *http.Request, client *Client, redirect string, err error) error {
	var back *protocol.RedirectError
	if !errors.As(err, &back) {
		if redirect != "" {
			return b.pages.Write(w, http.StatusBadRequest, pages.BadRedirect(client.Name, redirect))
		}
		return b.badRequest(w, err)
	}
	about := pages.NewClient(client.Name, back.RedirectURI, "")
	if _, err := b.user(r); err == nil {
		return b.sendBack(w, about, back.Location, true)
	}
	notice, err := pages.RequestRefused(about, back.Err.Description, back.Location)
	if err != nil {
		return err
	}
	return b.pages.Write(w, http.StatusBadRequest, notice)
}

// sendBack leads to the client with an answer: by a redirect, or by a page where
// only a page can open the app.
func (b *Browser) sendBack(w http.ResponseWriter, client pages.Client, location string, failed bool) error {
	if kind, _ := protocol.RedirectTarget(location); kind != protocol.RedirectApp {
		return b.redirect(w, location)
	}
	handover, err := pages.NewHandover(client, location, failed)
	if err != nil {
		return err
	}
	return b.pages.Write(w, http.StatusOK, handover)
}
