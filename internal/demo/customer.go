package demo

import (
	"fmt"
	"strings"
)

// client is a customer in play.
type client struct {
	dice
	company *Company
	today   day
	number  int
	id      string
	home    *country
	size    *size
	method  string
	product int
	term    int
	subs    int // subscriptions begun so far
}

// play creates a customer in a month and lives its life until today.
func (c *Company) play(number int, month, today day) {
	numbers := roll(number)
	created := month + day(numbers.IntN(28))
	if created > today {
		return
	}
	p := &client{dice: numbers, company: c, today: today, number: number, id: fmt.Sprintf("cus_%04d", number)}
	p.home = &countries[p.weighted(weights(countries[:], func(c country) int { return c.weight })...)]
	p.size = &sizes[p.weighted(weights(sizes[:], func(s size) int { return s.weight })...)]
	p.method = pick(p.dice, p.home.methods)
	p.product = p.weighted(p.size.product[:]...)
	p.term = p.weighted(p.size.term[:]...)

	row := p.row(created)
	c.Customers = append(c.Customers, row)
	at := len(c.Customers) - 1
	switch p.weighted(45, 47, 8) {
	case 0: // buys at once
		p.live(created)
	case 1: // tries first
		c.Customers[at].TrialStarted = created.String()
		if p.try(created) {
			p.live(created + trialDays)
		}
	default: // never gets beyond the sign-up form
	}
}

func weights[T any](items []T, weight func(T) int) []int {
	all := make([]int, len(items))
	for i, item := range items {
		all[i] = weight(item)
	}
	return all
}

// row makes up who the customer is. The number keeps names apart: both word
// lists are walked at different speeds.
func (p *client) row(created day) Customer {
	first := firstWords[p.number%len(firstWords)]
	second := secondWords[(p.number/len(firstWords)+p.number)%len(secondWords)]
	row := Customer{
		ID:      p.id,
		Name:    first + " " + second + " " + pick(p.dice, p.home.forms),
		Email:   "billing@" + strings.ToLower(first+second) + ".example",
		Created: created.String(),
		Country: p.home.code,
		Metadata: map[string]string{
			"industry": pick(p.dice, industries),
			"channel":  pick(p.dice, channels),
			"size":     p.size.name,
		},
	}
	if len(p.home.states) > 0 {
		row.State = pick(p.dice, p.home.states)
	}
	return row
}

// live plays paying from a day on: subscriptions with pauses between them.
func (p *client) live(from day) {
	for range 3 {
		ended := p.subscribe(from)
		if ended == stays || !p.chance(160) {
			return
		}
		from = ended + day(p.between(40, 240)) // comes back
	}
}
