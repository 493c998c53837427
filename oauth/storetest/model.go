package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/oauth"
	"github.com/growpanel/growpanel-mcp/oauth/oauthtest"
)

// RunModel compares a store under two processes with a model that is a map of
// families: random steps one after another, each answer predicted; then random
// steps at once, of which only what must never happen is known. The seed is in
// every failure.
func RunModel(t *testing.T, newPeer func(t testing.TB) Peer) {
	steps := soakSteps(t, 800)
	t.Run("in_turn", func(t *testing.T) {
		t.Parallel()
		newModel(t, newPeer(t)).run(steps)
	})
	t.Run("at_once", func(t *testing.T) {
		t.Parallel()
		runAtOnce(t, newWorld(t, newPeer(t)), steps)
	})
}

// soakSteps is how many steps to take.
func soakSteps(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("GROWPANEL_SOAK_STEPS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("GROWPANEL_SOAK_STEPS is %q, want a number of steps", text)
	}
	return n
}

// model predicts what a deployment answers.
type model struct {
	t        *testing.T
	w        *world
	services []*oauth.Grants
	dice     *rand.Rand
	seed     uint64
	start    time.Time
	families []*modelFamily
	consents int
	down     bool // the API
}

// modelFamily is a family as the model knows it. Times are offsets of the
// clock; real time passes as well, so nothing is asked close to an end.
type modelFamily struct {
	id       oauth.FamilyID
	grant    oauth.Grant
	code     oauth.Secret
	redeemed time.Duration
	refresh  []oauth.Secret // by generation
	access   []modelAccess
	minted   int
	used     bool // the newest generation
	keyGone  bool // a person deleted the key
	ended    bool
	rotated  time.Duration
	expires  time.Duration
	ends     time.Duration
}

type modelAccess struct {
	token   oauth.Secret
	gen     int
	serial  int
	expires time.Duration
}

func newModel(t *testing.T, peer Peer) *model {
	t.Helper()
	w := newWorld(t, peer)
	seed := rand.Uint64()
	return &model{
		t: t, w: w, services: []*oauth.Grants{w.Grants, w.replica(t)},
		dice: rand.New(rand.NewPCG(seed, 1)), seed: seed, start: time.Now(),
	}
}

func (m *model) run(steps int) {
	for range steps {
		m.step()
		if m.t.Failed() {
			m.t.Fatalf("seed %d", m.seed)
		}
	}
	m.finish()
}

func (m *model) any() *oauth.Grants { return m.services[m.dice.IntN(len(m.services))] }

func (m *model) now() time.Duration { return m.w.clock.Offset() }

func (m *model) step() {
	if len(m.families) == 0 {
		m.connect()
		return
	}
	f := m.families[len(m.families)-1-m.dice.IntN(min(len(m.families), 12))]
	switch n := m.dice.IntN(100); {
	case n < 8:
		m.connect()
	case n < 50:
		m.refresh(f)
	case n < 72:
		m.check(f)
	case n < 84:
		m.advance()
	case n < 87:
		m.revoke(f)
	case n < 89:
		m.replayCode(f)
	case n < 91:
		m.deleteKey(f)
	case n < 94:
		m.toggleAPI()
	case n < 97:
		m.sweep()
	default:
		m.inspect(f)
	}
}

// advance moves the clock by amounts that no sum of which ends close to a limit
// by itself; awayFrom takes care of the rest.
func (m *model) advance() {
	steps := []time.Duration{time.Second, 9 * time.Second, 50 * time.Second, 10 * time.Minute, 5 * time.Hour, 3 * day, 25 * day}
	m.w.clock.Advance(steps[m.dice.IntN(len(steps))])
}

// awayFrom moves the clock past moments that are too close to tell on which side
// the store is, because real time has passed since the model's start as well.
func (m *model) awayFrom(moments ...time.Duration) {
	slack := time.Since(m.start) + time.Minute
	for moved := true; moved; {
		moved = false
		for _, at := range moments {
			if d := at - m.now(); d > -slack && d < slack {
				m.w.clock.Advance(d + slack + time.Second)
				moved = true
			}
		}
	}
}

func (m *model) connect() {
	m.setAPI(false)
	m.consents++
	f := &modelFamily{grant: testGrant()}
	f.grant.User = fmt.Sprintf("user-%d", m.dice.IntN(4))
	f.grant.Client = fmt.Sprintf("client-%d", m.consents/3) // at most MaxFamilies per connection
	r := oauth.CodeRequest{
		Transaction: fmt.Sprintf("tx-%d", m.consents), Grant: f.grant, Challenge: oauthtest.Challenge(),
		UserToken: oauth.NewSecret("user-token"), KeyName: "key",
	}
	code, err := m.any().IssueCode(m.t.Context(), r)
	if err != nil {
		m.t.Errorf("IssueCode: %v", err)
		return
	}
	tokens, err := m.any().RedeemCode(m.t.Context(), oauth.RedeemRequest{
		Code: code, Client: f.grant.Client, Verifier: oauth.NewSecret(oauthtest.Verifier),
	})
	if err != nil {
		m.t.Errorf("RedeemCode: %v", err)
		return
	}
	f.id, f.code, f.redeemed = tokens.Family, code, m.now()
	f.ends = m.now() + oauth.DefaultMaxLife
	m.rotate(f, tokens)
	m.families = append(m.families, f)
}

// rotate notes the first or next pair of tokens.
func (m *model) rotate(f *modelFamily, tokens oauth.Tokens) {
	f.refresh = append(f.refresh, tokens.Refresh)
	f.used, f.rotated = false, m.now()
	f.expires = min(m.now()+oauth.DefaultRefreshTTL, f.ends)
	m.mint(f, tokens)
}

func (m *model) mint(f *modelFamily, tokens oauth.Tokens) {
	f.minted++
	f.access = append(f.access, modelAccess{
		token: tokens.Access, gen: len(f.refresh) - 1, serial: f.minted,
		expires: min(m.now()+oauth.DefaultAccessTTL, f.expires),
	})
}

func (m *model) alive(f *modelFamily) bool { return !f.ended && m.now() < f.expires }

// refresh presents a token of any generation, mostly of the last three.
func (m *model) refresh(f *modelFamily) {
	cur := len(f.refresh) - 1
	gen := max(0, cur-m.dice.IntN(3)*m.dice.IntN(2))
	if gen == cur-1 {
		m.awayFromReplay(f)
	}
	m.awayFrom(f.expires)
	tokens, err := m.any().Refresh(m.t.Context(), oauth.RefreshRequest{Token: f.refresh[gen], Client: f.grant.Client})
	replay := gen == cur-1 && (!f.used || m.now()-f.rotated < 2*time.Minute)
	switch {
	case !m.alive(f):
		m.want("Refresh of an ended family", err, oauth.ErrInvalidGrant)
	case gen != cur && !replay:
		m.want("Refresh with an old token", err, oauth.ErrInvalidGrant)
		f.ended = true
	case f.keyGone && !m.down:
		m.want("Refresh without a key", err, oauth.ErrKeyGone)
		f.ended = true
	case err != nil:
		m.t.Errorf("Refresh with generation %d of %d: %v", gen, cur, err)
	case replay:
		if tokens.Refresh.Reveal() != f.refresh[cur].Reveal() {
			m.t.Error("a replay gave another successor")
		}
		m.mint(f, tokens)
	default:
		m.rotate(f, tokens)
	}
}

// awayFromReplay decides on which side of the two minutes a replay is.
func (m *model) awayFromReplay(f *modelFamily) {
	slack := time.Since(m.start) + 10*time.Second
	if age := m.now() - f.rotated; f.used && age > 2*time.Minute-slack && age < 2*time.Minute {
		m.w.clock.Advance(2 * time.Minute)
	}
}

// check presents any access token.
func (m *model) check(f *modelFamily) {
	a := f.access[len(f.access)-1-m.dice.IntN(min(len(f.access), 24))]
	m.awayFrom(a.expires, f.expires)
	access, err := m.any().CheckAccess(m.t.Context(), a.token)
	if !m.alive(f) || m.now() >= a.expires || a.serial+oauth.MaxAccessTokens <= f.minted {
		m.want("CheckAccess with a dead token", err, oauth.ErrInvalidToken)
		return
	}
	if err != nil || access.Family != f.id || access.Grant != f.grant || access.APIKey.IsZero() {
		m.t.Errorf("CheckAccess = %+v, %v", access, err)
		return
	}
	if a.gen == len(f.refresh)-1 && a.gen > 0 {
		f.used = true
	}
}

func (m *model) inspect(f *modelFamily) {
	gen := m.dice.IntN(len(f.refresh))
	m.awayFrom(f.expires)
	info, err := m.any().Inspect(m.t.Context(), f.refresh[gen])
	if want := m.alive(f) && gen == len(f.refresh)-1; err != nil || info.Active != want {
		m.t.Errorf("Inspect of generation %d = %v, %v, want %v", gen, info.Active, err, want)
	}
}

// revoke ends a family in one of the ways there are.
func (m *model) revoke(f *modelFamily) {
	m.awayFrom(f.expires)
	before := m.alive(f)
	var revoked oauth.Revoked
	var err error
	switch m.dice.IntN(3) {
	case 0:
		revoked, err = m.any().RevokeFamily(m.t.Context(), f.grant.User, f.id, byUser)
		if err == nil && before && revoked.Families != 1 {
			m.t.Errorf("RevokeFamily ended %d families", revoked.Families)
		}
	case 1:
		gen := m.dice.IntN(len(f.refresh))
		err = m.any().RevokeToken(m.t.Context(), f.refresh[gen], f.grant.Client, netip.Addr{})
	case 2:
		err = m.any().RevokeToken(m.t.Context(), f.refresh[0], "another client", netip.Addr{})
		if err != nil {
			m.t.Errorf("RevokeToken by another client: %v", err)
		}
		return
	}
	if err != nil && !(errors.Is(err, oauth.ErrNotFound) && !before) {
		m.t.Errorf("revoke: %v", err)
	}
	f.ended = true
}

func (m *model) replayCode(f *modelFamily) {
	m.awayFrom(f.expires, f.redeemed+10*time.Second)
	_, err := m.any().RedeemCode(m.t.Context(), oauth.RedeemRequest{
		Code: f.code, Client: f.grant.Client, Verifier: oauth.NewSecret(oauthtest.Verifier),
	})
	m.want("RedeemCode again", err, oauth.ErrInvalidGrant)
	f.ended = true
}

func (m *model) deleteKey(f *modelFamily) {
	m.w.api.DeleteKey(f.id)
	f.keyGone = true
}

func (m *model) toggleAPI() { m.setAPI(!m.down) }

func (m *model) setAPI(down bool) {
	m.down = down
	m.w.api.FailBefore(nil)
	if down {
		m.w.api.FailBefore(func(oauthtest.Call) error { return errDown })
	}
}

// sweep must change nothing that the model can see, and leave no key without an
// owner.
func (m *model) sweep() {
	if err := m.any().Sweep(m.t.Context()); err != nil {
		m.t.Errorf("Sweep: %v", err)
	}
	m.wantOwners()
}

// wantOwners checks that every key has its outbox row.
func (m *model) wantOwners() {
	for id := range m.w.api.Keys() {
		if _, err := m.w.store.Revocation(m.t.Context(), id); err != nil {
			m.t.Errorf("Revocation of family %s, whose key works: %v", id, err)
		}
	}
}

// finish checks that exactly the families that live have keys once the API is
// back.
func (m *model) finish() {
	m.setAPI(false)
	for _, f := range m.families {
		m.awayFrom(f.expires)
	}
	for range 2 {
		m.w.clock.Advance(2 * time.Hour)
		m.sweep()
	}
	keys := m.w.api.Keys()
	for _, f := range m.families {
		if _, has := keys[f.id]; has != (m.alive(f) && !f.keyGone) {
			m.t.Errorf("family %s: alive %v, has a key %v; seed %d", f.id, m.alive(f), has, m.seed)
		}
		delete(keys, f.id)
	}
	if len(keys) > 0 {
		m.t.Errorf("%d keys belong to nobody; seed %d", len(keys), m.seed)
	}
}

func (m *model) want(what string, err, want error) {
	m.t.Helper()
	if !errors.Is(err, want) {
		m.t.Errorf("%s: %v, want %v", what, err, want)
	}
}
