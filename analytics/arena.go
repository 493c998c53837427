package analytics

import (
	"hash/maphash"
	"strings"

	"github.com/growpanel/growpanel-mcp/analytics/ledger"
)

// arenaChunk is the size of one block of an arena. Positions hold the block in
// their upper 16 bits and the offset in the lower.
const arenaChunk = 1 << 16

// arena keeps short texts close together: one length byte and the text each.
// Texts are never removed; those of deleted rows stay until the account is
// opened again.
type arena struct {
	chunks []*strings.Builder
}

// add stores s, at most 255 bytes, and returns its position. Position 0 is
// never used.
func (a *arena) add(s string) uint32 {
	last := len(a.chunks) - 1
	if last < 0 || a.chunks[last].Len()+1+len(s) > arenaChunk {
		last++
		chunk := &strings.Builder{}
		if last == 0 {
			chunk.WriteByte(0)
		} else {
			chunk.Grow(arenaChunk)
		}
		a.chunks = append(a.chunks, chunk)
	}
	chunk := a.chunks[last]
	pos := uint32(last)<<16 | uint32(chunk.Len())
	chunk.WriteByte(byte(len(s)))
	chunk.WriteString(s)
	return pos
}

// at returns the text at pos. It stays valid when more is added.
func (a *arena) at(pos uint32) string {
	text := a.chunks[pos>>16].String()[pos&(arenaChunk-1):]
	return text[1 : 1+int(text[0])]
}

// view returns at for the texts that are in the arena now. It may be used while
// more is added: a chunk never moves, and what was written stays.
func (a *arena) view() func(pos uint32) string {
	chunks := make([]string, len(a.chunks))
	for i, chunk := range a.chunks {
		chunks[i] = chunk.String()
	}
	return func(pos uint32) string {
		if int(pos>>16) >= len(chunks) {
			return ""
		}
		text := chunks[pos>>16][pos&(arenaChunk-1):]
		return text[1 : 1+int(text[0])]
	}
}

// symbols interns the texts that many rows share.
type symbols struct {
	byText map[string]ledger.Symbol
	texts  []string
}

func newSymbols() symbols {
	return symbols{byText: map[string]ledger.Symbol{"": 0}, texts: []string{""}}
}

// of returns the symbol of s.
func (t *symbols) of(s string) ledger.Symbol {
	if sym, ok := t.byText[s]; ok {
		return sym
	}
	s = strings.Clone(s)
	sym := ledger.Symbol(len(t.texts))
	t.texts = append(t.texts, s)
	t.byText[s] = sym
	return sym
}

// like returns the symbol of s, at once if it is the one that is guessed.
func (t *symbols) like(guess ledger.Symbol, s string) ledger.Symbol {
	if t.texts[guess] == s {
		return guess
	}
	return t.of(s)
}

// text returns the interned copy of s, which does not keep a request's body
// alive.
func (t *symbols) text(s string) string { return t.texts[t.of(s)] }

// index finds row numbers by the hash of their key. It is a table with linear
// probing in the order of the hashes; a slot holds the upper half of the hash
// above the row number, 0 when free. Row numbers start at 1.
type index struct {
	slots []uint64
	used  int
}

const minSlots = 16

// roomy returns how many slots n rows need: a quarter more.
func roomy(n int) int { return max(minSlots, n+n/4+1) }

// home returns the place where the row of a slot would best be.
func (x *index) home(slot uint64) int { return int(slot >> 32 * uint64(len(x.slots)) >> 32) }

func (x *index) next(i int) int {
	if i++; i < len(x.slots) {
		return i
	}
	return 0
}

// find calls match for the rows whose key may have hash h, until one matches.
func (x *index) find(h uint64, match func(row uint32) bool) (uint32, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	for i := x.home(h); x.slots[i] != 0; i = x.next(i) {
		if slot := x.slots[i]; slot>>32 == h>>32 && match(uint32(slot)) {
			return uint32(slot), true
		}
	}
	return 0, false
}

// insert adds a row that is not in the index.
func (x *index) insert(h uint64, row uint32) {
	if roomy(x.used+1) > len(x.slots) {
		x.grow()
	}
	x.place(h>>32<<32 | uint64(row))
	x.used++
}

// reserve makes room for n rows in an empty index.
func (x *index) reserve(n int) { x.slots = make([]uint64, roomy(n)) }

func (x *index) place(slot uint64) {
	i := x.home(slot)
	for x.slots[i] != 0 {
		i = x.next(i)
	}
	x.slots[i] = slot
}

// grow makes room for a quarter more: doubling would leave half of the table
// empty. Both tables are in the order of the hashes, so it reads and writes
// memory from one end to the other.
func (x *index) grow() {
	old := x.slots
	x.reserve(x.used + x.used/4 + 1)
	for _, slot := range old {
		if slot != 0 {
			x.place(slot)
		}
	}
}

// remove takes a row out and closes the gap, so that probing never has to step
// over removed rows.
func (x *index) remove(h uint64, row uint32) {
	want := h>>32<<32 | uint64(row)
	hole := x.home(h)
	for x.slots[hole] != want {
		if x.slots[hole] == 0 {
			return
		}
		hole = x.next(hole)
	}
	x.used--
	for i := x.next(hole); x.slots[i] != 0; i = x.next(i) {
		if x.gap(x.home(x.slots[i]), i) >= x.gap(hole, i) {
			x.slots[hole] = x.slots[i]
			hole = i
		}
	}
	x.slots[hole] = 0
}

// gap returns how many steps lead from one place to another.
func (x *index) gap(from, to int) int {
	if to < from {
		to += len(x.slots)
	}
	return to - from
}

// keyHash hashes an id within its data source.
func keyHash(seed maphash.Seed, source uint32, id string) uint64 {
	return maphash.String(seed, id) ^ uint64(source)*0x9e3779b97f4a7c15
}
