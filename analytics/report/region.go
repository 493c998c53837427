package report

import (
	"slices"
	"strings"
)

// The countries of the named regions, as lower-case ISO 3166 codes: those of the
// United Nations' geoscheme where it has the region, else its members.
const (
	benelux  = "be nl lu"
	baltics  = "ee lv lt"
	dach     = "de at ch"
	nordics  = "dk fi is no se fo gl ax sj"
	britain  = "gb"
	union    = "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se"
	europe   = union + " ad al ax ba by ch fo gb gg gi im is je li mc md me mk no rs ru sj sm ua va xk"
	africa   = "dz ao bj bw io bf bi cv cm cf td km cg cd ci dj eg gq er sz et tf ga gm gh gn gw ke ls lr ly mg mw ml mr mu yt ma mz na ne ng re rw sh st sn sc sl so za ss sd tz tg tn ug eh zm zw"
	midEast  = "ae bh iq ir il jo kw lb om ps qa sa sy tr ye eg"
	oceania  = "au nz as cc ck cx fj fm gu hm ki mh mp nc nf nr nu pf pg pn pw sb tk to tv um vu wf ws"
	asia     = "af am az bd bn bt cn ge hk id in jp kg kh kp kr kz la lk mm mn mo mv my np ph pk sg th tj tl tm tw uz vn " + westAsia
	westAsia = "ae bh iq ir il jo kw lb om ps qa sa sy tr ye cy"
	northAm  = "us ca bm gl pm"
	latam    = "ar bo br cl co cr cu do ec fk gf gp gt gy hn ht mq mx ni pa pe pr py sr sv uy ve " + caribic
	caribic  = "ag ai aw bb bl bq bs bz cw dm gd gs jm kn ky lc mf ms sx tc tt vc vg vi"
	apac     = "af bd bn bt cn hk id in jp kg kh kp kr kz la lk mm mn mo mv my np ph pk sg th tj tl tm tw uz vn " + oceania
)

// regionCountries returns the countries of a named region.
func regionCountries(name string) (codes []string, ok bool) {
	list := ""
	switch name {
	case "eu":
		list = union
	case "europe":
		list = europe
	case "emea":
		list = europe + " " + midEast + " " + africa
	case "apac":
		list = apac
	case "latam":
		list = latam
	case "north_america":
		list = northAm
	case "nordics":
		list = nordics
	case "dach":
		list = dach
	case "uk":
		list = britain
	case "africa":
		list = africa
	case "middle_east":
		list = midEast
	case "oceania":
		list = oceania
	case "asia":
		list = asia
	case "benelux":
		list = benelux
	case "baltics":
		list = baltics
	}
	return strings.Fields(list), list != ""
}

// regionNames are the named regions.
var regionNames = [...]string{
	"africa", "apac", "asia", "baltics", "benelux", "dach", "emea", "eu", "europe", "latam", "middle_east", "nordics",
	"north_america", "oceania", "uk",
}

// withCountries replaces the named regions among words by their countries.
func withCountries(words []string) []string {
	var out []string
	for _, word := range words {
		if codes, ok := regionCountries(word); ok {
			out = append(out, codes...)
		} else {
			out = append(out, word)
		}
	}
	return out
}

// The regions that make up the dimension market, in the order in which a country
// is looked for, and the market of all others.
var marketNames = [...]string{"dach", "nordics", "uk", "eu", "north_america", "latam", "apac"}

const otherMarket = "other"

// markets finds the market of countries. It remembers what it found.
type markets map[string]string

func (m markets) of(country string) string {
	if country == "" {
		return ""
	}
	if market, ok := m[country]; ok {
		return market
	}
	m[country] = otherMarket
	for _, name := range marketNames {
		if codes, _ := regionCountries(name); slices.Contains(codes, country) {
			m[country] = name
			break
		}
	}
	return m[country]
}
