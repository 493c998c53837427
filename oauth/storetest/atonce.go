package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// runAtOnce takes random steps from several goroutines over two processes, with
// an API that fails at times. It checks what must never happen: two successors of
// one token, a revoked family that lives, a key without an outbox row, more than
// MaxFamilies in a connection.
func runAtOnce(t *testing.T, w *world, steps int) {
	t.Helper()
	const workers = 8
	seed := rand.Uint64()
	h := &hall{services: []*oauth.Grants{w.Grants, w.replica(t)}, successors: map[string]string{}}
	parallel(workers, func(i int) {
		p := &player{t: t, w: w, hall: h, dice: rand.New(rand.NewPCG(seed, uint64(i)))}
		for n := range steps / workers {
			p.step(fmt.Sprintf("tx-%d-%d", i, n))
			if t.Failed() {
				t.Errorf("seed %d", seed)
				return
			}
		}
	})
	w.api.FailBefore(nil)
	w.api.FailAfter(nil)
	h.settle(t, w)
}

// hall is what the goroutines share.
type hall struct {
	services []*oauth.Grants

	mu         sync.Mutex
	successors map[string]string // refresh token -> the one it gave
	families   []*shared
}

// shared is a family that several goroutines play with.
type shared struct {
	id     oauth.FamilyID
	client string

	mu      sync.Mutex
	tokens  []oauth.Tokens
	revoked bool // RevokeFamily has returned
}

type player struct {
	t    *testing.T
	w    *world
	hall *hall
	dice *rand.Rand
}

func (p *player) any() *oauth.Grants { return p.hall.services[p.dice.IntN(len(p.hall.services))] }

func (p *player) step(name string) {
	f := p.hall.pick(p.dice)
	n := p.dice.IntN(100)
	switch {
	case f == nil || n < 6:
		p.connect(name)
	case n < 55:
		p.refresh(f)
	case n < 85:
		p.check(f)
	case n < 89:
		p.revoke(f)
	case n < 92:
		if err := p.any().Sweep(p.t.Context()); err != nil {
			p.t.Errorf("Sweep: %v", err)
		}
	case n < 95:
		p.disturb()
	case n < 97:
		p.w.clock.Advance(time.Duration(p.dice.IntN(90)) * time.Second)
	default:
		p.wantOwners()
	}
}

func (h *hall) pick(dice *rand.Rand) *shared {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.families) == 0 {
		return nil
	}
	return h.families[len(h.families)-1-dice.IntN(min(len(h.families), 6))]
}

func (p *player) connect(name string) {
	f := &shared{client: fmt.Sprintf("client-%d", p.dice.IntN(3))}
	grant := testGrant()
	grant.Client = f.client
	code, err := p.any().IssueCode(p.t.Context(), oauth.CodeRequest{
		Transaction: name, Grant: grant, Challenge: oauthtest.Challenge(), UserToken: oauth.NewSecret("user-token"), KeyName: "key",
	})
	if errors.Is(err, errDown) || errors.Is(err, oauth.ErrMoved) {
		return // no API, or the clock was moved past the family's time meanwhile
	}
	if err != nil {
		p.t.Errorf("IssueCode: %v", err)
		return
	}
	tokens, err := p.any().RedeemCode(p.t.Context(), oauth.RedeemRequest{
		Code: code, Client: f.client, Verifier: oauth.NewSecret(oauthtest.Verifier),
	})
	if errors.Is(err, oauth.ErrInvalidGrant) {
		return // the clock was moved past the code's life meanwhile
	}
	if err != nil {
		p.t.Errorf("RedeemCode: %v", err)
		return
	}
	f.id, f.tokens = tokens.Family, []oauth.Tokens{tokens}
	p.hall.mu.Lock()
	defer p.hall.mu.Unlock()
	p.hall.families = append(p.hall.families, f)
}

// token returns one of the latest pairs, and whether the family was revoked
// before it was chosen.
func (p *player) token(f *shared) (pair oauth.Tokens, revoked bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens[len(f.tokens)-1-p.dice.IntN(min(len(f.tokens), 2))], f.revoked
}

func (p *player) refresh(f *shared) {
	pair, revoked := p.token(f)
	next, err := p.any().Refresh(p.t.Context(), oauth.RefreshRequest{Token: pair.Refresh, Client: f.client})
	if errors.Is(err, oauth.ErrInvalidGrant) {
		return
	}
	if err != nil {
		p.t.Errorf("Refresh: %v", err)
		return
	}
	if revoked {
		p.t.Errorf("family %s was refreshed after it was revoked", f.id)
	}
	f.mu.Lock()
	f.tokens = append(f.tokens, next)
	f.mu.Unlock()
	p.hall.mu.Lock()
	defer p.hall.mu.Unlock()
	before, known := p.hall.successors[pair.Refresh.Reveal()]
	if known && before != next.Refresh.Reveal() {
		p.t.Errorf("family %s: one refresh token gave two successors", f.id)
	}
	p.hall.successors[pair.Refresh.Reveal()] = next.Refresh.Reveal()
}

func (p *player) check(f *shared) {
	pair, revoked := p.token(f)
	access, err := p.any().CheckAccess(p.t.Context(), pair.Access)
	switch {
	case errors.Is(err, oauth.ErrInvalidToken):
	case err != nil:
		p.t.Errorf("CheckAccess: %v", err)
	case revoked:
		p.t.Errorf("family %s lets in after it was revoked", f.id)
	case access.Family != f.id || access.Client != f.client:
		p.t.Errorf("CheckAccess of family %s = %+v", f.id, access)
	}
}

func (p *player) revoke(f *shared) {
	if _, err := p.any().RevokeFamily(p.t.Context(), testUser, f.id, byUser); err != nil {
		p.t.Errorf("RevokeFamily: %v", err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = true
}

// disturb makes the API fail, lose its answers, or work.
func (p *player) disturb() {
	fail := func(oauthtest.Call) error { return errDown }
	switch p.dice.IntN(4) {
	case 0:
		p.w.api.FailBefore(fail)
	case 1:
		p.w.api.FailAfter(fail)
	default:
		p.w.api.FailBefore(nil)
		p.w.api.FailAfter(nil)
	}
}

// wantOwners checks that every key has its outbox row, unless it went meanwhile.
func (p *player) wantOwners() {
	for id := range p.w.api.Keys() {
		_, err := p.w.store.Revocation(p.t.Context(), id)
		if !errors.Is(err, oauth.ErrNotFound) {
			continue
		}
		if _, works := p.w.api.Keys()[id]; works {
			p.t.Errorf("family %s has a key and no outbox row", id)
		}
	}
}

// settle lets time pass until all work is done, and counts.
func (h *hall) settle(t *testing.T, w *world) {
	t.Helper()
	for range 3 {
		w.clock.Advance(2 * time.Hour)
		w.sweep(t)
	}
	families, _, err := w.store.Families(t.Context(), testUser, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	keys := w.api.Keys()
	live := map[string]int{}
	for _, f := range families {
		if _, has := keys[f.ID]; has != (f.State == oauth.Live) {
			t.Errorf("family %s is %s, has a key: %v", f.ID, f.State, has)
		}
		delete(keys, f.ID)
		if f.State == oauth.Live {
			live[f.Connection()]++
		}
	}
	if len(keys) > 0 {
		t.Errorf("%d keys belong to nobody", len(keys))
	}
	for connection, n := range live {
		if n > oauth.MaxFamilies {
			t.Errorf("connection %s has %d live families", connection, n)
		}
	}
	for _, f := range h.families {
		if f.revoked {
			for _, pair := range f.tokens {
				w.wantRefused(t, pair, f.client)
			}
		}
	}
}

func (w *world) wantRefused(t *testing.T, pair oauth.Tokens, client string) {
	t.Helper()
	if _, err := w.CheckAccess(t.Context(), pair.Access); !errors.Is(err, oauth.ErrInvalidToken) {
		t.Errorf("CheckAccess: %v, want ErrInvalidToken", err)
	}
	_, err := w.Refresh(t.Context(), oauth.RefreshRequest{Token: pair.Refresh, Client: client})
	wantError(t, "Refresh", err, oauth.ErrInvalidGrant)
}
