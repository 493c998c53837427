// Package oauth is the OAuth 2.1 authorization server and the guard of the MCP
// endpoint: which clients may act for which user in which account.
//
// A connection is (user, account, client). Each authorization under it is a
// family of tokens with an API key of its own; Grants owns families, and a
// Store keeps them. A record that is missing always means no.
package oauth
