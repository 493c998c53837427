package demo

import "fmt"

// ahead is how many days of rates lie beyond today, so that a demo that runs
// for long, and movements scheduled for later, find theirs.
const ahead = 400

// walk is a currency's price in dollars' worth: units of Quote per dollar, in
// steps of 1/10^decimals, moving around its middle.
type walk struct {
	quote    string
	middle   int
	decimals int
}

var walks = [...]walk{
	{quote: "eur", middle: 9210, decimals: 4},
	{quote: "gbp", middle: 7860, decimals: 4},
	{quote: "jpy", middle: 14950, decimals: 2},
}

// rates lists one rate per currency and day, from a few days before the first
// month on.
func rates(first, today day) []Rate {
	numbers := roll(0)
	at := [len(walks)]int{}
	for i, w := range walks {
		at[i] = w.middle
	}
	var all []Rate
	for d := first - 7; d <= today+ahead; d++ {
		for i, w := range walks {
			pull := (w.middle - at[i]) / 60
			step := w.middle / 250
			at[i] += pull + numbers.between(-step, step)
			all = append(all, Rate{Day: d.time(), Base: Currency, Quote: w.quote, Value: decimal(at[i], w.decimals)})
		}
	}
	return all
}

// decimal writes n/10^decimals.
func decimal(n, decimals int) string {
	scale := 1
	for range decimals {
		scale *= 10
	}
	return fmt.Sprintf("%d.%0*d", n/scale, decimals, n%scale)
}
