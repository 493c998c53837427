package oracletest

import (
	"math/big"
	"slices"
)

// refund reduces the contribution of the invoice that it refunds.
func (r *replay) refund(i Invoice, d Day) {
	target := r.target(i)
	if target != nil {
		r.facts.Refunded[i.ID] = target.invoice.ID
	}
	if r.set.RefundsIgnored || target == nil || target.invoice.Amount == 0 {
		return
	}
	s := target.stream
	if s.ends == noDay && d > s.through+s.grace {
		return
	}
	id, billed := target.invoice.ID, abs(target.invoice.Amount)
	if !slices.ContainsFunc(s.parts, func(p part) bool { return p.invoice == id }) {
		return
	}
	r.refunded[id] = min(billed, r.refunded[id]+min(abs(i.Amount), billed))
	for k := range s.parts {
		if p := &s.parts[k]; p.invoice == id {
			p.left = p.amount - round(new(big.Rat).Mul(big.NewRat(p.amount, 1), big.NewRat(r.refunded[id], billed)))
		}
	}
}

// target finds the invoice that a refund gives back.
func (r *replay) target(i Invoice) *applied {
	var target *applied
	for k := range r.applied {
		a := &r.applied[k]
		switch {
		case i.RefundOf != "":
			if a.invoice.ID == i.RefundOf {
				target = a
			}
		case i.Subscription != "":
			if a.stream.Subscription == i.Subscription {
				target = a
			}
		case i.Plan != "":
			if a.invoice.Plan == i.Plan {
				target = a
			}
		default:
			target = a
		}
	}
	return target
}

func abs(n int64) int64 { return max(n, -n) }
