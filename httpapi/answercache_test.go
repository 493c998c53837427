package httpapi

import (
	"runtime"
	"strconv"
	"testing"
	"weak"

	"github.com/growpanel/growpanel-mcp/analytics/report"
)

func TestAnswerCache_AnswersOnlyThroughTheSameSnapshot(t *testing.T) {
	t.Parallel()
	c := newAnswerCache()
	acme, beta := &report.Snapshot{Account: "acme", Version: 7}, &report.Snapshot{Account: "beta", Version: 7}
	c.put(acme, "mrr?", answer{body: []byte("acme")})
	for name, s := range map[string]*report.Snapshot{
		"another account":          beta,
		"a newer version":          {Account: "acme", Version: 8},
		"the same version rebuilt": {Account: "acme", Version: 7},
	} {
		if a, ok := c.get(s, "mrr?"); ok {
			t.Errorf("%s got %q", name, a.body)
		}
	}
	if a, ok := c.get(acme, "mrr?"); !ok || string(a.body) != "acme" {
		t.Errorf("the same snapshot got %q, %v", a.body, ok)
	}
	if _, ok := c.get(acme, "mrr?plan=pro"); ok {
		t.Errorf("another query was answered")
	}
}

func TestAnswerCache_ANewSnapshotReplacesTheOld(t *testing.T) {
	t.Parallel()
	c := newAnswerCache()
	before, after := &report.Snapshot{Account: "acme"}, &report.Snapshot{Account: "acme"}
	c.put(before, "mrr?", answer{body: []byte("before")})
	c.put(after, "mrr?", answer{body: []byte("after")})
	if _, ok := c.get(before, "mrr?"); ok {
		t.Errorf("the old snapshot is still answered")
	}
	if a, _ := c.get(after, "mrr?"); string(a.body) != "after" {
		t.Errorf("the new snapshot got %q", a.body)
	}
	if want := len("after") + len("mrr?"); c.bytes != want {
		t.Errorf("the cache counts %d bytes, want %d", c.bytes, want)
	}
}

func TestAnswerCache_IsBounded(t *testing.T) {
	t.Parallel()
	c := newAnswerCache()
	body := make([]byte, cacheAnswerBytes)
	for i := range 100 {
		s := &report.Snapshot{Account: strconv.Itoa(i % 7)}
		c.put(s, "mrr?", answer{body: body})
		c.put(s, "mrr?interval=day", answer{body: body})
		if c.bytes > cacheBytes {
			t.Fatalf("the cache holds %d bytes, want at most %d", c.bytes, cacheBytes)
		}
	}
	large := &report.Snapshot{Account: "large"}
	c.put(large, "mrr?", answer{body: make([]byte, cacheAnswerBytes+1)})
	c.put(large, string(make([]byte, cacheQueryBytes+1)), answer{})
	if _, ok := c.accounts["large"]; ok {
		t.Errorf("an answer above the limit was kept")
	}
}

func TestAnswerCache_KeepsNoSnapshotAlive(t *testing.T) {
	t.Parallel()
	c := newAnswerCache()
	watched := func() weak.Pointer[report.Snapshot] {
		s := &report.Snapshot{Account: "acme", Symbols: []string{"x"}}
		c.put(s, "mrr?", answer{body: []byte("{}")})
		return weak.Make(s)
	}()
	runtime.GC()
	if watched.Value() != nil {
		t.Errorf("the snapshot is still alive")
	}
	runtime.KeepAlive(c)
}
