package billing

import (
	"regexp"
	"strings"
)

// VATCheck is what can be said of a VAT number without asking a register.
type VATCheck struct {
	Valid   bool
	Number  string // without spaces, dots and dashes, upper case
	Country string // ISO 3166 alpha-2, lower case; "" when it names none that is known
	Reason  string // what is wrong; "" when valid
}

// CheckVAT checks the form and, where the country has them, the check digits of
// the VAT number of a country of the European Union or of the United Kingdom.
func CheckVAT(text string) VATCheck {
	number := strings.ToUpper(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-/\t", r) {
			return -1
		}
		return r
	}, text))
	c := VATCheck{Number: number}
	if len(number) < 4 || len(number) > 16 {
		c.Reason = "must be a country and its number, such as DE136695976"
		return c
	}
	prefix, rest := number[:2], number[2:]
	rule, known := vatRules()[prefix]
	if !known {
		c.Reason = "must begin with a country of the European Union, GB or XI"
		return c
	}
	c.Country = rule.country
	if c.Country == "" {
		c.Country = strings.ToLower(prefix)
	}
	switch {
	case !regexp.MustCompile("^(?:" + rule.form + ")$").MatchString(rest):
		c.Reason = "does not have the form of a number of " + prefix
	case rule.check != nil && !rule.check(rest):
		c.Reason = "has wrong check digits; look for a typing mistake"
	default:
		c.Valid = true
	}
	return c
}

// vatRule is one country's numbers.
type vatRule struct {
	form    string // regular expression of what follows the prefix
	check   func(n string) bool
	country string // where it is not the prefix
}

// vatRules has the forms that the European Commission publishes for VIES
// ("VAT number structure") and the check digits of the national registers.
func vatRules() map[string]vatRule {
	return map[string]vatRule{
		"AT": {form: `U\d{8}`, check: checkAT},
		"BE": {form: `[01]\d{9}`, check: func(n string) bool { return 97-value(n[:8])%97 == value(n[8:]) }},
		"BG": {form: `\d{9,10}`, check: checkBG},
		"CY": {form: `\d{8}[A-Z]`, check: checkCY},
		"CZ": {form: `\d{8,10}`, check: checkCZ},
		"DE": {form: `[1-9]\d{8}`, check: mod1110},
		"DK": {form: `\d{8}`, check: func(n string) bool { return weigh(n, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }},
		"EE": {form: `10\d{7}`, check: func(n string) bool { return weigh(n, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }},
		"EL": {form: `\d{9}`, check: checkEL, country: "gr"},
		"ES": {form: `[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]`, check: checkES},
		"FI": {form: `\d{8}`, check: checkFI},
		"FR": {form: `[A-Z0-9]{2}\d{9}`, check: checkFR},
		"GB": {form: `\d{9}|\d{12}|GD[0-4]\d{2}|HA[5-9]\d{2}`, check: checkGB},
		"HR": {form: `\d{11}`, check: mod1110},
		"HU": {form: `\d{8}`, check: func(n string) bool { return weigh(n, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 }},
		"IE": {form: `\d{7}[A-W][A-IW]?|\d[A-Z+*]\d{5}[A-W]`, check: checkIE},
		"IT": {form: `\d{11}`, check: luhn},
		"LT": {form: `\d{9}|\d{12}`, check: checkLT},
		"LU": {form: `\d{8}`, check: func(n string) bool { return value(n[:6])%89 == value(n[6:]) }},
		"LV": {form: `\d{11}`, check: checkLV},
		"MT": {form: `\d{8}`, check: func(n string) bool { return 37-weigh(n, 3, 4, 6, 7, 8, 9)%37 == value(n[6:]) }},
		"NL": {form: `\d{9}B\d{2}`, check: checkNL},
		"PL": {form: `\d{10}`, check: func(n string) bool { return weigh(n, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == digit(n, 9) }},
		"PT": {form: `[1-9]\d{8}`, check: checkPT},
		"RO": {form: `[1-9]\d{1,9}`, check: checkRO},
		"SE": {form: `\d{10}(?:0[1-9]|[1-8]\d|9[0-4])`, check: func(n string) bool { return luhn(n[:10]) }},
		"SI": {form: `[1-9]\d{7}`, check: checkSI},
		"SK": {form: `[1-9]\d[2-47-9]\d{7}`, check: func(n string) bool { return value(n)%11 == 0 }},
		"XI": {form: `\d{9}|\d{12}|GD[0-4]\d{2}|HA[5-9]\d{2}`, check: checkGB, country: "gb"},
	}
}

func digit(n string, at int) int { return int(n[at] - '0') }

// value reads digits as a number.
func value(n string) (v int) {
	for i := range len(n) {
		v = v*10 + digit(n, i)
	}
	return v
}

// weigh sums the first digits times their weights.
func weigh(n string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * digit(n, i)
	}
	return sum
}

// luhn checks the last digit by ISO/IEC 7812-1 annex B.
func luhn(n string) bool {
	sum := 0
	for i := range len(n) {
		d := digit(n, len(n)-1-i)
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

// mod1110 checks the last digit by ISO/IEC 7064 MOD 11,10.
func mod1110(n string) bool {
	check := 10
	for i := range len(n) - 1 {
		sum := (check + digit(n, i)) % 10
		if sum == 0 {
			sum = 10
		}
		check = sum * 2 % 11
	}
	return (check+digit(n, len(n)-1))%10 == 1
}

func checkAT(n string) bool {
	n, sum := n[1:], 0
	for i := range 7 {
		d := digit(n, i) * (1 + i%2)
		sum += d/10 + d%10
	}
	return (10-(sum+4)%10)%10 == digit(n, 7)
}

// checkBG checks companies; ten digits are those of a person.
func checkBG(n string) bool {
	if len(n) != 9 {
		return true
	}
	check := weigh(n, 1, 2, 3, 4, 5, 6, 7, 8) % 11
	if check == 10 {
		check = weigh(n, 3, 4, 5, 6, 7, 8, 9, 10) % 11 % 10
	}
	return check == digit(n, 8)
}

func checkCY(n string) bool {
	if n[:2] == "12" {
		return false
	}
	sum := 0
	for i := range 8 {
		if i%2 == 0 {
			sum += []int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}[digit(n, i)]
		} else {
			sum += digit(n, i)
		}
	}
	return n[8] == 'A'+byte(sum%26)
}

// checkCZ checks companies; nine and ten digits are those of a person.
func checkCZ(n string) bool {
	switch len(n) {
	case 8:
		return n[0] != '9' && (11-weigh(n, 8, 7, 6, 5, 4, 3, 2)%11)%10 == digit(n, 7)
	case 10:
		return value(n)%11 == 0
	default:
		return true
	}
}

func checkEL(n string) bool { return weigh(n, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == digit(n, 8) }

func checkES(n string) bool {
	const letters = "TRWAGMYFPDXBNJZSQVHLCKE"
	last := n[8]
	switch first := n[0]; {
	case first >= '0' && first <= '9':
		return last == letters[value(n[:8])%23]
	case strings.IndexByte("XYZ", first) >= 0:
		return last == letters[value(string('0'+first-'X')+n[1:8])%23]
	case strings.IndexByte("KLM", first) >= 0:
		return last == letters[value(n[1:8])%23]
	case strings.IndexByte("ABCDEFGHJNPQRSUVW", first) >= 0:
		sum := 0
		for i := 1; i < 8; i++ {
			d := digit(n, i) * (1 + i%2)
			sum += d/10 + d%10
		}
		check := (10 - sum%10) % 10
		return last == '0'+byte(check) || last == "JABCDEFGHI"[check]
	default:
		return false
	}
}

func checkFI(n string) bool {
	check := 11 - weigh(n, 7, 9, 10, 5, 8, 4, 2)%11
	return check%11 == digit(n, 7) && check != 10
}

// checkFR checks the older keys of two digits; those with a letter have no rule
// that is published.
func checkFR(n string) bool {
	if n[0] > '9' || n[1] > '9' {
		return !strings.ContainsAny(n[:2], "IO")
	}
	return (12+3*(value(n[2:])%97))%97 == value(n[:2])
}

func checkGB(n string) bool {
	if n[0] > '9' {
		return true // departments and health authorities
	}
	sum := weigh(n, 8, 7, 6, 5, 4, 3, 2) + value(n[7:9])
	return sum%97 == 0 || (sum+55)%97 == 0
}

func checkIE(n string) bool {
	const letters = "WABCDEFGHIJKLMNOPQRSTUV"
	if n[1] > '9' || n[1] < '0' {
		n = "0" + n[2:7] + n[:1] + n[7:] // the older form
	}
	sum := weigh(n, 8, 7, 6, 5, 4, 3, 2)
	if len(n) == 9 && n[8] != 'W' {
		sum += 9 * int(n[8]-'A'+1)
	}
	return n[7] == letters[sum%23]
}

func checkLT(n string) bool {
	first, second := []int{1, 2, 3, 4, 5, 6, 7, 8}, []int{3, 4, 5, 6, 7, 8, 9, 1}
	if len(n) == 12 {
		first, second = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2}, []int{3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}
	}
	check := weigh(n, first...) % 11
	if check == 10 {
		check = weigh(n, second...) % 11 % 10
	}
	return check == digit(n, len(n)-1)
}

// checkLV checks companies; numbers that begin with 0 to 3 are those of a person.
func checkLV(n string) bool {
	return n[0] <= '3' || weigh(n, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
}

// checkNL takes either the number of a company or, since 2020, one that hides the
// person's: check digits over the whole by ISO/IEC 7064 MOD 97-10.
func checkNL(n string) bool {
	if weigh(n, 9, 8, 7, 6, 5, 4, 3, 2)%11 == digit(n, 8) {
		return true
	}
	rest := 0
	for _, r := range "NL" + n {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

func checkPT(n string) bool { return (11-weigh(n, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == digit(n, 8) }

func checkRO(n string) bool {
	n = strings.Repeat("0", 10-len(n)) + n
	return weigh(n, 7, 5, 3, 2, 1, 7, 5, 3, 2)*10%11%10 == digit(n, 9)
}

func checkSI(n string) bool {
	check := 11 - weigh(n, 8, 7, 6, 5, 4, 3, 2)%11
	return check != 11 && check%10 == digit(n, 7)
}
