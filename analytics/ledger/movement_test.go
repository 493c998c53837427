package ledger

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
)

// tell writes movements as "day type subtype before>after currency customers quantity".
func tell(moves []Movement) []string {
	var out []string
	for _, m := range moves {
		out = append(out, fmt.Sprintf("%s %s %s %d>%d %s %+d %+d", m.Day, m.Type, m.Subtype, m.Before, m.After, m.Currency, m.Customers, m.Quantity))
	}
	return out
}

func TestMover_Move(t *testing.T) {
	t.Parallel()
	immediate := func(s *Settings) { s.Recognition = Immediate }
	tests := []struct {
		name    string
		set     func(*Settings)
		history string
		today   string
		want    []string
	}{
		{"the chain of seed 000", nil, `
			2024-02-01 sub 9900
			2024-03-01 sub 29900 plan=ent
			2024-04-01 sub 4900 plan=basic
			2024-05-01 cancel
			2024-08-01 sub 9900`, "2024-09-20", []string{
			"2024-02-01 new new 0>9900 usd +1 +1",
			"2024-03-01 expansion plan_change 9900>29900 usd +0 +0",
			"2024-04-01 contraction plan_change 29900>4900 usd +0 +0",
			"2024-05-01 churn voluntary 4900>0 usd -1 -1",
			"2024-08-01 reactivation reactivation 0>9900 usd +1 +1",
			"2024-09-01 churn expired 9900>0 usd -1 -1",
		}},
		{"seats", nil, `
			2024-01-01 sub 1000 seats=1
			2024-02-01 sub 3000 seats=3
			2024-03-01 sub 2500 seats=3
			2024-04-01 sub 2000 seats=2`, "2024-04-02", []string{
			"2024-01-01 new new 0>1000 usd +1 +1",
			"2024-02-01 expansion quantity_change 1000>3000 usd +0 +2",
			"2024-03-01 contraction price_change 3000>2500 usd +0 +0",
			"2024-04-01 contraction quantity_change 2500>2000 usd +0 -1",
		}},
		{"another stream is an add-on and its end a removal", nil, `
			2024-01-01 sub 9900 stream=a
			2024-01-10 sub 4900 stream=b
			2024-02-01 sub 9900 stream=a`, "2024-02-20", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-01-10 expansion add_on 9900>14800 usd +0 +1",
			"2024-02-10 contraction removal 14800>9900 usd +0 -1",
		}},
		{"refunds explain what they take away", nil, `
			2024-01-01 sub 9900
			2024-01-10 refund -4950
			2024-01-12 refund -4950`, "2024-01-20", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-01-10 contraction refund 9900>4950 usd +0 +0",
			"2024-01-12 churn refund 4950>0 usd -1 -1",
		}},
		{"proration, then the rounding difference", nil, `
			2024-06-01 sub 10000 from=2024-06-01 to=2024-07-01
			2024-06-21 prorated 667 from=2024-06-21 to=2024-07-01
			2024-07-01 sub 12000 from=2024-07-01 to=2024-08-01`, "2024-07-02", []string{
			"2024-06-01 new new 0>10000 usd +1 +1",
			"2024-06-21 expansion proration 10000>12001 usd +0 +0",
			"2024-07-01 contraction price_change 12001>12000 usd +0 +0",
		}},
		{"a zero invoice is churn for nothing", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 0`, "2024-02-02", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-02-01 churn free 9900>0 usd -1 -1",
		}},
		{"an unpaid renewal is involuntary churn", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 9900 status=failed`, "2024-02-20", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-02-01 churn involuntary 9900>0 usd -1 -1",
		}},
		{"cancel and start anew on one day is one net movement", immediate, `
			2024-01-01 sub 9900 stream=a
			2024-01-10 cancel
			2024-01-10 sub 19900 stream=b plan=ent`, "2024-01-11", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-01-10 expansion plan_change 9900>19900 usd +0 +0",
		}},
		{"a plan swap at the same price is no movement", nil, `
			2024-01-01 sub 9900
			2024-02-01 sub 9900 plan=ent`, "2024-02-02", []string{
			"2024-01-01 new new 0>9900 usd +1 +1",
			"2024-02-01 none plan_change 9900>9900 usd +0 +0",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			if tt.set != nil {
				tt.set(&b.set)
			}
			if diff := cmp.Diff(tt.want, tell(b.replay(tt.history, tt.today).Movements())); diff != "" {
				t.Errorf("movements mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMover_Move_WithinAPlan(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	l := b.replay(`
		2024-01-01 sub 9900
		2024-02-01 sub 19900 plan=ent
		2024-03-01 sub 9900`, "2024-03-02")
	within := func(plan string) []string {
		ref := b.refs[plan]
		moves, err := new(Mover).Move(nil, l, &View{Base: b.set.Base, Match: func(s *State) bool { return s.Plan == ref }})
		if err != nil {
			t.Fatal(err)
		}
		return tell(moves)
	}
	want := []string{
		"2024-01-01 new new 0>9900 usd +1 +1",
		"2024-02-01 churn plan_change 9900>0 usd -1 -1",
		"2024-03-01 reactivation reactivation 0>9900 usd +1 +1",
	}
	if diff := cmp.Diff(want, within("pro")); diff != "" {
		t.Errorf("movements of plan pro (-want +got):\n%s", diff)
	}
	want = []string{
		"2024-02-01 new new 0>19900 usd +1 +1",
		"2024-03-01 churn plan_change 19900>0 usd -1 -1",
	}
	if diff := cmp.Diff(want, within("ent")); diff != "" {
		t.Errorf("movements of plan ent (-want +got):\n%s", diff)
	}
}

func TestMover_Move_MixedCurrencies(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	l := b.replay(`
		2024-01-01 sub 10000 stream=a
		2024-01-05 sub 10000 stream=b cur=eur
		2024-01-10 cancel stream=a
		2024-02-05 sub 12000 stream=b cur=eur`, "2024-02-06")
	if !l.NeedsRates || l.Movements() != nil {
		t.Fatalf("ledger of two currencies: needs rates %v, movements %v", l.NeedsRates, l.Movements())
	}
	if _, err := new(Mover).Move(nil, l, &View{Base: b.set.Base}); !errors.Is(err, ErrNeedsRates) {
		t.Fatalf("without rates: %v, want ErrNeedsRates", err)
	}
	double := func(amount int64, _ money.Currency, _ calendar.Day) (int64, error) { return 2 * amount, nil }
	moves, err := new(Mover).Move(nil, l, &View{Base: b.set.Base, Convert: double})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2024-01-01 new new 0>10000 usd +1 +1",
		"2024-01-05 expansion add_on 10000>30000 usd +0 +1",
		"2024-02-01 contraction removal 30000>20000 usd +0 -1",
		"2024-02-05 expansion price_change 10000>12000 eur +0 +0",
	}
	if diff := cmp.Diff(want, tell(moves)); diff != "" {
		t.Errorf("movements mismatch (-want +got):\n%s", diff)
	}
	broken := errors.New("no rate")
	fail := func(int64, money.Currency, calendar.Day) (int64, error) { return 0, broken }
	if _, err := new(Mover).Move(nil, l, &View{Base: b.set.Base, Convert: fail}); !errors.Is(err, broken) {
		t.Errorf("without the day's rate: %v, want the converter's error", err)
	}
}

func BenchmarkMover_Move(b *testing.B) {
	t := &testing.T{}
	l := newBook(t).replay(`
		2024-01-01 sub 9900
		2024-02-01 sub 19900 plan=ent
		2024-03-01 sub 9900
		2024-04-01 cancel
		2024-08-01 sub 9900`, "2024-08-02")
	m, v := new(Mover), &View{}
	var moves []Movement
	b.ReportAllocs()
	for b.Loop() {
		moves, _ = m.Move(moves[:0], l, v)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(l.Changes)), "ns/change")
}
