package oracletest

// leaving are the ends behind the day on which a member left today, or is going to
// lose a subscription first: those that hold today. There are none for a member
// that has not left and is not going to, nor for one whose last value was
// refunded.
func (c *Company) leaving(m *Member) []*Ending {
	day := noDay
	live := m.at(c.Today)
	if len(live) == 0 {
		day = c.left(m)
	}
	var known []*Ending
	for _, e := range m.History.Endings {
		if e.Request > c.Today || e.Voided != noDay && e.Voided <= c.Today {
			continue
		}
		known = append(known, e)
		pays := len(ofStream(live, e.Stream)) > 0
		if pays && e.End > c.Today && (day == noDay || e.End < day) {
			day = e.End
		}
	}
	var ends []*Ending
	for _, e := range known {
		if day != noDay && e.End == day {
			ends = append(ends, e)
		}
	}
	return ends
}

// Reason is why a member left or is leaving, "" for none. It is not sure where
// several of its subscriptions end that day, each for a reason of its own.
func (c *Company) Reason(m *Member) (reason string, sure bool) {
	sure = true
	for k, e := range c.leaving(m) {
		r := m.reason(e)
		sure = sure && (k == 0 || r == reason)
		reason = r
	}
	return reason, sure
}

// cancelDate is the day on which a member left, or that of the request to end all
// that it still pays for. It is not sure where only a part ends.
func (c *Company) cancelDate(m *Member) (d Day, sure bool) {
	live, ends := m.at(c.Today), c.leaving(m)
	switch {
	case len(live) == 0:
		return c.left(m), true
	case len(ends) == 0:
		return noDay, true
	}
	ending := 0
	for _, e := range ends {
		ending += len(ofStream(live, e.Stream))
		sure = e.Request == ends[0].Request
	}
	return ends[0].Request, sure && ending == len(live)
}
