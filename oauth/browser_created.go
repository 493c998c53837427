package oauth

import (
	"errors"
	"net/http"
	"slices"

	"github.com/growpanel/growpanel-mcp/oauth/internal/pages"
)

// maxCreatedFamilies bounds the families whose creations a page asks the API
// for.
const maxCreatedFamilies = 20

// created lists what families have made with their keys. In an account that the
// user has left there is nothing to choose: it went with the membership.
func (b *Browser) created(r *http.Request, families []Family) ([]CreatedThing, error) {
	var all []CreatedThing
	for _, f := range families[:min(len(families), maxCreatedFamilies)] {
		things, err := b.cfg.Users.Created(r.Context(), b.sessionOf(r), f.Account, f.KeyID)
		if err != nil && !errors.Is(err, ErrNoMember) {
			return nil, err
		}
		all = append(all, things...)
	}
	return all, nil
}

// createdViews tells what can be deleted from the people who stay.
func createdViews(things []CreatedThing) (created, joined []pages.Created) {
	for _, thing := range things {
		date := thing.CreatedAt.UTC().Format("2 January 2006")
		detail := "created " + date
		if thing.Stays {
			detail = "since " + date
		}
		if thing.Role != "" {
			detail = pages.RoleName(thing.Role) + ", " + detail
		}
		view := pages.Created{Value: thing.ID, Kind: thing.Kind, Name: thing.Name, Detail: detail}
		if thing.Stays {
			joined = append(joined, view)
		} else {
			created = append(created, view)
		}
	}
	return created, joined
}

// kept lists what was shown of the things that families have made and not ticked
// to be deleted with them.
func kept(r *http.Request) []string {
	ticked := r.PostForm["delete"]
	return slices.DeleteFunc(slices.Clone(r.PostForm["shown"]), func(id string) bool { return slices.Contains(ticked, id) })
}
