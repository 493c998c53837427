package openapi_test

import (
	"testing"

	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// What is shown has as many decimals as what was counted.
func TestCurrencyExponent_AgreesWithTheCore(t *testing.T) {
	t.Parallel()
	for _, currency := range money.All() {
		if got, want := openapi.CurrencyExponent(currency.Code()), currency.Exponent(); got != want {
			t.Errorf("CurrencyExponent(%s) = %d, want %d", currency, got, want)
		}
	}
}
