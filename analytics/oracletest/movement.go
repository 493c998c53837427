package oracletest

// Movement is the net change of a customer's MRR on one day.
type Movement struct {
	Day    Day
	Type   string
	Change int64
}

// MRR is the customer's total at the end of a day; the second result is false
// when it is not in one currency.
func (c *Customer) MRR(d Day) (total int64, currency string, single bool) {
	single = true
	for _, s := range c.Streams {
		for currencyOf, amount := range s.Totals(d) {
			if currency != "" && currency != currencyOf {
				single = false
			}
			currency = currencyOf
			total += amount
		}
	}
	return total, currency, single
}

// Totals is the stream's value at the end of a day, by currency: the sum of its
// items, never negative.
func (s *Stream) Totals(d Day) map[string]int64 {
	totals := map[string]int64{}
	for _, item := range s.Days[d] {
		totals[item.Currency] += item.Amount
	}
	for currency, amount := range totals {
		if amount <= 0 {
			delete(totals, currency)
		}
	}
	return totals
}

// Plans is the customer's value at the end of a day by plan, whatever the
// currency. It is false when credits leave open which plan they are for.
func (c *Customer) Plans(d Day) (byPlan map[string]int64, plain bool) {
	byPlan = map[string]int64{}
	for _, s := range c.Streams {
		inStream := map[Item]int64{}
		for _, item := range s.Days[d] {
			inStream[Item{Plan: item.Plan, Currency: item.Currency, Terms: item.Terms}] += item.Amount
		}
		for item, amount := range inStream {
			if amount < 0 || item.Plan == unclear {
				return nil, false
			}
			byPlan[item.Plan] += amount
		}
	}
	for plan, amount := range byPlan {
		if amount == 0 {
			delete(byPlan, plan)
		}
	}
	return byPlan, true
}

// Movements lists the customer's movements, scheduled ones included. It is
// false when they depend on exchange rates.
func (c *Customer) Movements() ([]Movement, bool) {
	var list []Movement
	var before int64
	var currency string
	paid := false
	for d := c.First; d <= c.Last; d++ {
		after, afterIn, single := c.MRR(d)
		if !single || before != 0 && after != 0 && currency != afterIn {
			return nil, false
		}
		if after != before {
			list = append(list, Movement{d, classify(before, after, paid), after - before})
		}
		paid = paid || after > 0
		before, currency = after, afterIn
	}
	return list, true
}

func classify(before, after int64, paid bool) string {
	switch {
	case before == 0 && paid:
		return "reactivation"
	case before == 0:
		return "new"
	case after == 0:
		return "churn"
	case after > before:
		return "expansion"
	default:
		return "contraction"
	}
}
