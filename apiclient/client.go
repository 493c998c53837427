// Package apiclient calls the GrowPanel REST API.
package apiclient

// Client calls the API with one account's key.
type Client struct{}
