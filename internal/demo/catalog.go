package demo

import "strings"

// term is how often a subscription is billed.
type term struct {
	name     string
	interval string
	count    int
	months   int
}

// The terms of every product, in the order of product.prices.
var terms = [...]term{
	{name: "Monthly", interval: "month", count: 1, months: 1},
	{name: "Quarterly", interval: "month", count: 3, months: 3},
	{name: "Yearly", interval: "year", count: 1, months: 12},
}

// product is sold per seat. A price is minor units per seat and month.
type product struct {
	name   string
	prices map[string][len(terms)]int64 // by currency, per term
}

// The catalog, cheapest first: customers move up and down in it.
var products = [...]product{
	{name: "Inbox", prices: map[string][len(terms)]int64{
		"usd": {1900, 1800, 1500}, "eur": {1800, 1700, 1400}, "gbp": {1600, 1500, 1300}, "jpy": {2800, 2600, 2200},
	}},
	{name: "Helpdesk", prices: map[string][len(terms)]int64{
		"usd": {4900, 4600, 4000}, "eur": {4500, 4200, 3700}, "gbp": {3900, 3700, 3200}, "jpy": {7200, 6800, 5900},
	}},
	{name: "Insights", prices: map[string][len(terms)]int64{
		"usd": {9900, 9400, 8200}, "eur": {9200, 8700, 7600}, "gbp": {7900, 7500, 6500}, "jpy": {14600, 13800, 12100},
	}},
}

var currencies = [...]string{"usd", "eur", "gbp", "jpy"}

// plans lists every product in every term and currency.
func plans() []Plan {
	var all []Plan
	for product := range products {
		for term := range terms {
			for _, currency := range currencies {
				all = append(all, Plan{
					ID:            planID(product, term, currency),
					Name:          products[product].name + " " + terms[term].name,
					Product:       products[product].name,
					Interval:      terms[term].interval,
					IntervalCount: terms[term].count,
					Currency:      currency,
					Amount:        products[product].prices[currency][term] * int64(terms[term].months),
					Group:         products[product].name,
				})
			}
		}
	}
	return all
}

func planID(product, term int, currency string) string {
	return strings.ToLower(products[product].name+"_"+terms[term].name) + "_" + currency
}

// country is where customers come from.
type country struct {
	code     string
	weight   int // share of sign-ups
	currency string
	taxRate  int64 // percent, contained in the amount
	methods  []string
	forms    []string // legal forms that end a company's name
	states   []string
}

var (
	cards    = []string{"visa", "visa", "mastercard", "amex"}
	european = []string{"visa", "mastercard", "sepa", "sepa"}
)

var countries = [...]country{
	{code: "US", weight: 330, currency: "usd", methods: cards, forms: []string{"Inc", "LLC", "Corp"}, states: []string{"CA", "NY", "TX", "WA", "MA", "IL", "CO"}},
	{code: "GB", weight: 130, currency: "gbp", taxRate: 20, methods: cards, forms: []string{"Ltd", "LLP"}},
	{code: "DE", weight: 110, currency: "eur", taxRate: 19, methods: european, forms: []string{"GmbH", "AG"}},
	{code: "FR", weight: 70, currency: "eur", taxRate: 20, methods: european, forms: []string{"SARL", "SAS"}},
	{code: "NL", weight: 55, currency: "eur", taxRate: 21, methods: european, forms: []string{"BV"}},
	{code: "CA", weight: 55, currency: "usd", methods: cards, forms: []string{"Inc", "Ltd"}, states: []string{"ON", "BC", "QC"}},
	{code: "ES", weight: 45, currency: "eur", taxRate: 21, methods: european, forms: []string{"SL"}},
	{code: "JP", weight: 45, currency: "jpy", taxRate: 10, methods: []string{"visa", "jcb"}, forms: []string{"KK"}},
	{code: "AU", weight: 40, currency: "usd", methods: cards, forms: []string{"Pty Ltd"}, states: []string{"NSW", "VIC"}},
	{code: "SE", weight: 30, currency: "eur", taxRate: 25, methods: european, forms: []string{"AB"}},
	{code: "IT", weight: 30, currency: "eur", taxRate: 22, methods: european, forms: []string{"SRL"}},
	{code: "DK", weight: 20, currency: "eur", taxRate: 25, methods: european, forms: []string{"ApS"}},
	{code: "IE", weight: 20, currency: "eur", taxRate: 23, methods: european, forms: []string{"Ltd"}},
	{code: "BR", weight: 20, currency: "usd", methods: cards, forms: []string{"Ltda"}},
}

// size is a class of companies by headcount; it decides seats and loyalty.
type size struct {
	name          string
	weight        int
	seats         [2]int // fewest and most at the start
	product       [3]int // weights of the products
	term          [3]int // weights of the terms
	leavePermille int    // chance to leave in a month
}

var sizes = [...]size{
	{name: "1-10", weight: 520, seats: [2]int{1, 5}, product: [3]int{70, 25, 5}, term: [3]int{75, 10, 15}, leavePermille: 52},
	{name: "11-50", weight: 310, seats: [2]int{3, 14}, product: [3]int{45, 40, 15}, term: [3]int{55, 15, 30}, leavePermille: 38},
	{name: "51-200", weight: 140, seats: [2]int{8, 45}, product: [3]int{25, 45, 30}, term: [3]int{35, 20, 45}, leavePermille: 36},
	{name: "201-1000", weight: 30, seats: [2]int{40, 180}, product: [3]int{15, 45, 40}, term: [3]int{15, 25, 60}, leavePermille: 28},
}

var (
	industries = []string{"Software", "Retail", "Healthcare", "Education", "Finance", "Manufacturing", "Media", "Logistics", "Hospitality"}
	channels   = []string{"organic", "organic", "organic", "paid_search", "paid_search", "referral", "partner", "outbound"}
	reasons    = [...]struct{ code, comment string }{
		{code: "too_expensive", comment: "The price went beyond our budget this year."},
		{code: "too_expensive"},
		{code: "missing_features", comment: "We need approval workflows and could not find them."},
		{code: "missing_features"},
		{code: "switched_service", comment: "Our parent company uses another tool."},
		{code: "unused", comment: "The team hardly opened it after the pilot."},
		{code: "unused"},
		{code: "business_closed"},
		{code: "customer_service", comment: "Answers took too long."},
		{code: "other"},
	}
	firstWords = []string{
		"Amber", "Arctic", "Birch", "Blue", "Bright", "Cedar", "Clear", "Cobalt", "Copper", "Coral", "Crown", "Delta", "Elm",
		"Ember", "Evergreen", "Falcon", "Fern", "Golden", "Granite", "Harbor", "Hazel", "Indigo", "Iron", "Ivory", "Jade",
		"Juniper", "Keystone", "Lark", "Lighthouse", "Lunar", "Maple", "Meadow", "Mercury", "Mosaic", "North", "Oak", "Onyx",
		"Opal", "Orchard", "Pine", "Pioneer", "Quartz", "Raven", "Ridge", "River", "Robin", "Sage", "Sierra", "Silver",
		"Solar", "Sparrow", "Summit", "Terra", "Timber", "Topaz", "Velvet", "Vista", "Willow", "Winter", "Zephyr",
	}
	secondWords = []string{
		"Analytics", "Bakery", "Bikes", "Books", "Brands", "Capital", "Care", "Clinic", "Cloud", "Coffee", "Commerce", "Creative",
		"Data", "Design", "Digital", "Dynamics", "Education", "Energy", "Events", "Farms", "Fitness", "Foods", "Freight",
		"Games", "Health", "Homes", "Hotels", "Instruments", "Labs", "Learning", "Legal", "Logistics", "Marine", "Media",
		"Mobility", "Networks", "Outdoors", "Partners", "Pharma", "Press", "Robotics", "Sciences", "Security", "Software",
		"Studio", "Supply", "Systems", "Textiles", "Travel", "Works",
	}
)
