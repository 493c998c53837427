// Package wire is the contract as Go types: the models, a client, the interface
// of the server and encoders of reports, all generated from openapi/growpanel.yaml.
package wire

//go:generate go tool -modfile=../../tools/go.mod oapi-codegen -config models.cfg.yaml ../growpanel.yaml
//go:generate go tool -modfile=../../tools/go.mod oapi-codegen -config server.cfg.yaml ../growpanel.yaml
//go:generate go -C ../../tools run ./contractgen encoders ../openapi
