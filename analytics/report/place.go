package report

// place numbers a country, so that what depends on nothing else about a customer
// is looked up in a table.
type place uint16

// The places besides the codes of two letters, which are numbers from 1 on.
const (
	noPlace    place = 0
	otherPlace place = 1 + 26*26 // a country that is not such a code
	places           = int(otherPlace)
)

// placeOf returns the number of a country in lower case.
func placeOf(country string) place {
	if country == "" {
		return noPlace
	}
	if len(country) != 2 {
		return otherPlace
	}
	first, second := country[0]-'a', country[1]-'a'
	if first >= 26 || second >= 26 {
		return otherPlace
	}
	return 1 + place(first)*26 + place(second)
}

// ofPlace reports whether a customer's value in the dimension depends on nothing
// but the country.
func (d Dimension) ofPlace() bool {
	return d.kind == regionDimension || d.kind == countryDimension || d.kind == marketDimension
}
