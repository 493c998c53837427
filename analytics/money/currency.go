// Package money names the currencies of ISO 4217 and the number of minor units
// each of them has. Amounts are plain int64 minor units everywhere: 9900 is
// $99.00, 1000 is ¥1000.
package money

import (
	"fmt"
	"strings"
)

// Currency is one currency of ISO 4217. The zero value is "no currency".
// Values are dense and stable within one process only: persist Code.
type Currency uint8

// None is the zero Currency: not stated.
const None Currency = 0

// codes lists every accepted currency. A currency's index is its Currency.
var codes = strings.Fields(`--- ` +
	`aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob bov brl bsd btn bwp byn bzd ` +
	`cad cdf che chf chw clf clp cny cop cou crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp ` +
	`gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt ` +
	`lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn mxv myr mzn nad ngn nio nok npr nzd omr ` +
	`pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sdg sek sgd shp sle sll sos srd ssp stn svc syp szl ` +
	`thb tjs tmt tnd top try ttd twd tzs uah ugx usd usn uyi uyu uyw uzs ved ves vnd vuv wst xaf xag xau xcd xcg xof xpf yer zar zmw zwg zwl hrk`)

// byCode finds a currency by its lower-case code.
var byCode = func() map[string]Currency {
	m := make(map[string]Currency, len(codes))
	for i, c := range codes[1:] {
		m[c] = Currency(i + 1)
	}
	return m
}()

// exponents holds the number of decimals of every currency that does not have
// two. The zero-decimal list is that of the reference (section 4): it counts
// HUF, ISK and UGX among them, so that ¥1000 and Ft1000 are both sent as 1000.
var exponents = func() [256]uint8 {
	var e [256]uint8
	for i := range e {
		e[i] = 2
	}
	for c := range strings.FieldsSeq("bif clp djf gnf isk jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf huf") {
		e[byCode[c]] = 0
	}
	for c := range strings.FieldsSeq("bhd iqd jod kwd lyd omr tnd") {
		e[byCode[c]] = 3
	}
	return e
}()

// Parse reads a three-letter ISO 4217 code in any case.
func Parse(code string) (Currency, error) {
	if len(code) == 3 {
		var b [3]byte
		for i := range b {
			b[i] = code[i] | 0x20
		}
		if c, ok := byCode[string(b[:])]; ok {
			return c, nil
		}
	}
	return None, fmt.Errorf("%q is not an ISO 4217 currency code such as usd", code)
}

// Code returns the lower-case ISO 4217 code, or "" for None.
func (c Currency) Code() string {
	if c == None || int(c) >= len(codes) {
		return ""
	}
	return codes[c]
}

// String implements fmt.Stringer as Code.
func (c Currency) String() string { return c.Code() }

// Exponent returns how many decimals the currency has: 0, 2 or 3.
func (c Currency) Exponent() int { return int(exponents[c]) }

// All returns every currency, in the order of its code list.
func All() []Currency {
	all := make([]Currency, 0, len(codes)-1)
	for i := range codes[1:] {
		all = append(all, Currency(i+1))
	}
	return all
}
