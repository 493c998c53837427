package args

import "strings"

// Nearest returns the word that name was most likely meant to be, or an empty
// string if none is close.
func Nearest(name string, words []string) string {
	name = fold(name)
	best, least := "", 0
	for _, word := range words {
		d := distance(name, fold(word))
		if best == "" || d < least {
			best, least = word, d
		}
	}
	if best != "" && least <= max(1, min(len(name), len(best))/2) {
		return best
	}
	return containing(name, words)
}

// containing returns the shortest word that contains name or is contained in
// it, for names such as "customer" for "customer_id".
func containing(name string, words []string) string {
	best := ""
	if len(name) < 3 {
		return best
	}
	for _, word := range words {
		folded := fold(word)
		if len(folded) < 3 || !strings.Contains(folded, name) && !strings.Contains(name, folded) {
			continue
		}
		if best == "" || len(word) < len(best) {
			best = word
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbor to turn a into b.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// fold makes spellings comparable: case, and what separates words.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(text)))
}

// snake turns the spellings of a name that models borrow from elsewhere, such
// as selected-date and baseCurrency, into the one used here.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '-' || r == ' ':
			b.WriteByte('_')
		case r >= 'A' && r <= 'Z':
			if i > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r + 'a' - 'A')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
