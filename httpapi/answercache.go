package httpapi

import (
	"bytes"
	"sync"
	"weak"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

// answer is a report that is ready to be sent.
type answer struct {
	body     []byte // JSON
	dates    string // resolved range, YYYY-MM-DD/YYYY-MM-DD
	timezone string
	release  func() // gives back the buffer of body, nil for an answer of the cache
}

const (
	cacheBytes       = 32 << 20
	cacheAnswerBytes = 1 << 20
	cacheQueryBytes  = 4 << 10
)

// answerCache keeps answers of the newest snapshot of each account. An answer
// is found only through the very snapshot that it was computed from, so it can
// show neither another account nor a state that is no longer current. The
// pointer to the snapshot is weak: the cache keeps no snapshot alive, and a
// weak pointer never equals one to another object, not even at the same address.
type answerCache struct {
	mu       sync.Mutex
	accounts map[string]*accountAnswers
	bytes    int
}

type accountAnswers struct {
	snapshot weak.Pointer[report.Snapshot]
	byQuery  map[string]answer
	bytes    int
}

func newAnswerCache() *answerCache { return &answerCache{accounts: make(map[string]*accountAnswers)} }

func (c *answerCache) get(snapshot *report.Snapshot, query string) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, ok := c.accounts[snapshot.Account]
	if !ok || own.snapshot != weak.Make(snapshot) {
		return answer{}, false
	}
	a, ok := own.byQuery[query]
	return a, ok
}

// put keeps a copy of an answer, unless it is too large.
func (c *answerCache) put(snapshot *report.Snapshot, query string, a answer) {
	if len(a.body) > cacheAnswerBytes || len(query) > cacheQueryBytes {
		return
	}
	a.body, a.release = bytes.Clone(a.body), nil
	c.mu.Lock()
	defer c.mu.Unlock()
	own, ok := c.accounts[snapshot.Account]
	if !ok || own.snapshot != weak.Make(snapshot) {
		c.drop(snapshot.Account)
		own = &accountAnswers{snapshot: weak.Make(snapshot), byQuery: make(map[string]answer)}
		c.accounts[snapshot.Account] = own
	}
	if _, ok := own.byQuery[query]; ok {
		return
	}
	own.byQuery[query] = a
	own.bytes += len(a.body) + len(query)
	c.bytes += len(a.body) + len(query)
	for account := range c.accounts {
		if c.bytes <= cacheBytes {
			return
		}
		c.drop(account)
	}
}

// drop forgets an account's answers.
func (c *answerCache) drop(account string) {
	own, ok := c.accounts[account]
	if !ok {
		return
	}
	c.bytes -= own.bytes
	delete(c.accounts, account)
}
