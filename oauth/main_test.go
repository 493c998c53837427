package oauth_test

import (
	"testing"

	"github.com/growpanel/growpanel-mcp/internal/httpx/httpxtest"
)

func TestMain(m *testing.M) {
	httpxtest.KeepConnections()
	m.Run()
}
