package main

import (
	"context"
	"errors"

	"github.com/growpanel/growpanel-mcp/config"
)

func (pf *platform) openAPI(context.Context, process, config.Serve) (*embedded, error) {
	return nil, errors.New("the API is not part of this build")
}
