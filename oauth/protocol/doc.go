// Package protocol holds the rules of OAuth 2.1 as the product applies them:
// redirect URIs, resources, scopes, forms, client metadata, authorization
// requests. It is arithmetic over strings, without clock, store or network.
//
// The parts that may be called wrong by a stranger return an *Error, whose code
// is one that the RFCs define and whose text is fit to be read by that stranger.
package protocol
