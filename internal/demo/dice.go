package demo

import "math/rand/v2"

// dice are the random numbers of one customer, or of the exchange rates.
type dice struct{ *rand.Rand }

// roll returns the dice of one stream of numbers. They are fixed on purpose:
// the same company must come out every time.
func roll(stream int) dice {
	return dice{rand.New(rand.NewPCG(0x67726f77, uint64(stream)))} //nolint:gosec // G404: not a secret, and meant to repeat
}

// chance is true in so many of a thousand cases.
func (d dice) chance(permille int) bool { return d.IntN(1000) < permille }

// between returns a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// pick returns one of the items.
func pick[T any](d dice, items []T) T { return items[d.IntN(len(items))] }

// weighted returns an index, each with the chance of its weight.
func (d dice) weighted(weights ...int) int {
	sum := 0
	for _, weight := range weights {
		sum += weight
	}
	at := d.IntN(sum)
	for i, weight := range weights {
		if at < weight {
			return i
		}
		at -= weight
	}
	return len(weights) - 1
}
