package identitytest_test

import (
	"testing"

	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/identity/identitytest"
)

func TestStore(t *testing.T) {
	identitytest.RunStore(t, func(*testing.T) identity.Store { return identitytest.New() })
}
