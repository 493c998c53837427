package protocol

import "net/http"

// Code is an error code that an RFC defines.
type Code string

// The codes in use, with the places that define them.
const (
	InvalidRequest          Code = "invalid_request"           // RFC 6749 §5.2
	InvalidClient           Code = "invalid_client"            // RFC 6749 §5.2
	InvalidGrant            Code = "invalid_grant"             // RFC 6749 §5.2
	InvalidScope            Code = "invalid_scope"             // RFC 6749 §5.2
	UnauthorizedClient      Code = "unauthorized_client"       // RFC 6749 §5.2
	UnsupportedGrantType    Code = "unsupported_grant_type"    // RFC 6749 §5.2
	UnsupportedResponseType Code = "unsupported_response_type" // RFC 6749 §4.1.2.1
	AccessDenied            Code = "access_denied"             // RFC 6749 §4.1.2.1
	ServerError             Code = "server_error"              // RFC 6749 §4.1.2.1
	TemporarilyUnavailable  Code = "temporarily_unavailable"   // RFC 6749 §4.1.2.1
	InvalidTarget           Code = "invalid_target"            // RFC 8707 §2
	InvalidRedirectURI      Code = "invalid_redirect_uri"      // RFC 7591 §3.2.2
	InvalidClientMetadata   Code = "invalid_client_metadata"   // RFC 7591 §3.2.2
	InvalidToken            Code = "invalid_token"             // RFC 6750 §3.1
	InsufficientScope       Code = "insufficient_scope"        // RFC 6750 §3.1
	RequestNotSupported     Code = "request_not_supported"     // OpenID Connect Core §3.1.2.6
	RequestURINotSupported  Code = "request_uri_not_supported" // OpenID Connect Core §3.1.2.6
	InteractionRequired     Code = "interaction_required"      // OpenID Connect Core §3.1.2.6
)

// Error is a fault of a request, as its sender may see it.
type Error struct {
	Code Code
	// Description says what is wrong and what would be right, in the characters
	// that RFC 6749 §5.2 allows: printable ASCII without quote and backslash.
	Description string
}

// Error implements error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Description }

// Status is the HTTP status that belongs to the error when it is answered as
// JSON.
func (e *Error) Status() int {
	switch e.Code {
	case InvalidClient, InvalidToken:
		return http.StatusUnauthorized
	case InsufficientScope, AccessDenied:
		return http.StatusForbidden
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case ServerError:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func invalidRequest(description string) *Error {
	return &Error{Code: InvalidRequest, Description: description}
}
