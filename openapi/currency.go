package openapi

// CurrencyExponent returns how many decimals an amount in a currency has: 0, 2
// or 3. code is a lower-case ISO 4217 code; an unknown one has 2. HUF, ISK and
// UGX are sent without decimals, as the metric definitions say.
func CurrencyExponent(code string) int {
	switch code {
	case "bif", "clp", "djf", "gnf", "huf", "isk", "jpy", "kmf", "krw",
		"mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf":
		return 0
	case "bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd":
		return 3
	default:
		return 2
	}
}
