package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

func (b *Browser) showConnections(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: "/connections"})
	if done || err != nil {
		return err
	}
	connections, err := b.cfg.Grants.Connections(r.Context(), u.ID)
	if err != nil {
		return err
	}
	page := pages.Connections{Session: b.head(w, r, u), RevokeAll: "/connections/revoke?all=yes", Done: b.flash(r, u)}
	for _, c := range connections {
		page.Mine = append(page.Mine, b.connectionView(c))
	}
	return b.pages.Write(w, http.StatusOK, page)
}

func (b *Browser) connectionView(c Connection) pages.Connection {
	view := pages.Connection{
		Client:  pages.NewClient(c.Grant.ClientName, c.Grant.Redirect, ""),
		Account: c.Grant.AccountName,
	}
	live := 0
	for _, f := range c.Families {
		view.Devices = append(view.Devices, b.deviceView(f))
		if f.State == Live {
			live++
		}
	}
	if live > 1 {
		view.Live, view.Revoke = live, "/connections/revoke?connection="+url.QueryEscape(c.ID)
	}
	return view
}

func (b *Browser) deviceView(f Family) pages.Device {
	now := b.cfg.Now()
	d := pages.Device{
		Created: pages.NewWhen(f.CreatedAt, now), LastUsed: pages.NewWhen(f.LastUsed, now), From: f.LastFrom,
		Access: accessWords(f.Grant),
	}
	if f.State == Live {
		d.Revoke = "/connections/revoke?device=" + f.ID.String()
		return d
	}
	d.State, d.Tone, d.Why = "Revoked, its key is being deleted", "warn", whyEnded(f.Reason)
	if f.Reason == ReasonExpired {
		d.State = "Expired, its key is being deleted"
	}
	if !f.KeyDeletedAt.IsZero() {
		d.State, d.Tone = strings.Replace(d.State, "its key is being deleted", "key deleted", 1), "plain"
	}
	return d
}

// accessWords is what a grant allows in a few words.
func accessWords(g Grant) string {
	if g.ReadOnly {
		return "Read only"
	}
	return pages.RoleName(g.Role)
}

// whyEnded explains an end that the user did not ask for on the connections
// page.
func whyEnded(reason Reason) string {
	switch reason {
	case ReasonOwner:
		return "An owner of the account revoked it."
	case ReasonOperator:
		return "The operator of this server revoked it."
	case ReasonClient:
		return "The app disconnected by itself."
	case ReasonReuse:
		return "Somebody presented a token that had been exchanged already. To be safe, all of its access ended. Connect the app again."
	case ReasonCodeReplay:
		return "Somebody presented its sign-in code a second time. To be safe, all of its access ended. Connect the app again."
	case ReasonKeyGone:
		return "Its key is gone: it was deleted, or you are no member of the account any more."
	case ReasonReplaced:
		return "The app was connected so often that this device, the longest unused, made room."
	case ReasonExpired:
		return "It was not used for too long, or has come to the end of its life. Connect the app again."
	case ReasonUser, ReasonCodeUnused:
	}
	return ""
}

// target is what somebody wants to revoke: one device, one connection or all.
type target struct {
	device     FamilyID
	connection string
	all        bool
	text       string // of the target, for the form's token
	field      pages.Field
}

// targetOf reads a target from a query or form. errExpired when it names none.
func targetOf(values url.Values) (target, error) {
	for _, name := range []string{"device", "connection", "all"} {
		value := values.Get(name)
		if value == "" {
			continue
		}
		t := target{text: name + " " + value, field: pages.Field{Name: name, Value: value}}
		switch name {
		case "device":
			id, err := ParseFamilyID(value)
			if err != nil {
				return target{}, errExpired
			}
			t.device = id
		case "connection":
			t.connection = value
		default:
			t.all = true
		}
		return t, nil
	}
	return target{}, errExpired
}

// covers reports whether the target is a family of a connection.
func (t target) covers(connection string, f Family) bool {
	return f.State == Live && (t.all || t.connection == connection || t.device == f.ID)
}

// chosen returns the live families that a target means, with the connection of
// the first.
func (b *Browser) chosen(r *http.Request, u User, t target) ([]Family, error) {
	connections, err := b.cfg.Grants.Connections(r.Context(), u.ID)
	if err != nil {
		return nil, err
	}
	var families []Family
	for _, c := range connections {
		for _, f := range c.Families {
			if t.covers(c.ID, f) {
				families = append(families, f)
			}
		}
	}
	return families, nil
}

// showRevoke asks before access is taken away, and shows what goes with it.
func (b *Browser) showRevoke(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: r.URL.RequestURI()})
	if done || err != nil {
		return err
	}
	t, err := targetOf(r.URL.Query())
	if err != nil {
		return b.redirect(w, "/connections")
	}
	families, err := b.chosen(r, u, t)
	if err != nil {
		return err
	}
	if len(families) == 0 {
		return b.redirect(w, "/connections") // has ended meanwhile; the page says so
	}
	page := b.revokeView(t, families)
	page.Session = b.head(w, r, u)
	page.Form = pages.Form{
		Action: "/connections/revoke", CSRF: b.token(b.browserOf(w, r), "revoke", u.ID, t.text), Hidden: []pages.Field{t.field},
	}
	created, err := b.created(r, families)
	if err != nil {
		return err
	}
	page.Created, page.Joined = createdViews(created)
	return b.pages.Write(w, http.StatusOK, page)
}

func (b *Browser) revokeView(t target, families []Family) pages.Revoke {
	first := families[0]
	client := pages.NewClient(first.ClientName, first.Redirect, "")
	now := b.cfg.Now()
	switch {
	case t.all:
		return pages.Revoke{
			Heading: "Revoke all connections?", Button: "Revoke all",
			Text: fmt.Sprintf("Every app loses access to your accounts at once, on all %d devices, and the keys behind them are deleted.", len(families)),
		}
	case len(families) > 1:
		return pages.Revoke{
			Heading: "Revoke “" + client.Name + "”?", Button: "Revoke all " + strconv.Itoa(len(families)) + " devices",
			Text: fmt.Sprintf("It loses access to %s at once, on all %d devices, and their keys are deleted.", first.AccountName, len(families)),
		}
	}
	page := pages.Revoke{
		Heading: "Revoke “" + client.Name + "”?", Button: "Revoke",
		Text: fmt.Sprintf("This device loses access to %s at once, and its key is deleted.", first.AccountName),
		Facts: []pages.Fact{
			{Name: "Connected", Value: pages.NewWhen(first.CreatedAt, now).Exact()},
			{Name: "Last used", Value: "never"},
			{Name: "Access", Value: accessWords(first.Grant)},
		},
	}
	if !first.LastUsed.IsZero() {
		page.Facts[1].Value = pages.NewWhen(first.LastUsed, now).Exact()
	}
	return page
}

// revoke ends what the form names. What was unticked is kept, and if that cannot
// be done, everything is kept: access ends in any case.
func (b *Browser) revoke(w http.ResponseWriter, r *http.Request) error {
	u, done, err := b.signedInUser(w, r, journey{next: "/connections"})
	if done || err != nil {
		return err
	}
	t, err := targetOf(r.PostForm)
	if err != nil {
		return err
	}
	if err := b.checkForm(r, "revoke", u.ID, t.text); err != nil {
		return err
	}
	families, err := b.chosen(r, u, t)
	if err != nil {
		return err
	}
	total, err := b.end(r, u, families)
	if err != nil {
		return err
	}
	return b.redirect(w, "/connections?done="+b.sealFlash(w, r, u, total))
}

// end ends families one by one, so that each loses only what was left ticked.
func (b *Browser) end(r *http.Request, u User, families []Family) (Revoked, error) {
	var total Revoked
	var errs []error
	for _, f := range families {
		ending := Ending{Reason: ReasonUser, Keep: kept(r)}
		revoked, err := b.cfg.Grants.RevokeFamily(r.Context(), u.ID, f.ID, ending)
		if err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
		total.Families += revoked.Families
		total.KeysDeleted += revoked.KeysDeleted
	}
	return total, errors.Join(errs...)
}

// sealFlash tells the connections page what was done, so that no link of others
// can make it say anything.
func (b *Browser) sealFlash(w http.ResponseWriter, r *http.Request, u User, done Revoked) string {
	text := strconv.Itoa(done.Families) + "." + strconv.Itoa(done.KeysDeleted)
	return text + "." + b.token(b.browserOf(w, r), "flash", u.ID, text)
}

// flash is what has just been done, in words; "" when nothing was.
func (b *Browser) flash(r *http.Request, u User) string {
	parts := strings.Split(r.URL.Query().Get("done"), ".")
	browser, ok := b.knownBrowser(r)
	if len(parts) != 3 || !ok || b.token(browser, "flash", u.ID, parts[0]+"."+parts[1]) != parts[2] {
		return ""
	}
	families, bad := strconv.Atoi(parts[0])
	deleted, worse := strconv.Atoi(parts[1])
	switch {
	case bad != nil || worse != nil:
		return ""
	case families == 0:
		return "Nothing was left to revoke."
	case families == 1 && deleted == 1:
		return "Revoked, and its key is deleted."
	case families == 1:
		return "Revoked: it has no access any more. Its key is being deleted; this page shows when it is gone."
	case deleted == families:
		return fmt.Sprintf("%d devices revoked, and their keys are deleted.", families)
	}
	return fmt.Sprintf("%d devices revoked: they have no access any more. %d keys are deleted, the others follow; this page shows when they are gone.", families, deleted)
}
