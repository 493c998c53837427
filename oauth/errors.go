package oauth

import "errors"

// What the state of grants can answer. Callers branch with errors.Is; the words
// are for logs and never reach a client.
var (
	// ErrInvalidGrant is returned for a code or refresh token that is malformed,
	// unknown, expired, used, of another client, or of a family that has ended:
	// 400 invalid_grant at the token endpoint (RFC 6749 §5.2). A client drops its
	// credentials for it, so it never stands for a store that cannot be asked.
	ErrInvalidGrant = errors.New("the code or token is not valid")
	// ErrInvalidToken is returned for an access token that does not let anyone in:
	// 401 invalid_token (RFC 6750 §3.1).
	ErrInvalidToken = errors.New("the access token is not valid")
	// ErrInvalidScope is returned when a refresh asks for more than was granted:
	// 400 invalid_scope.
	ErrInvalidScope = errors.New("the scope exceeds what was granted")
	// ErrInvalidTarget is returned for a resource other than the granted one: 400
	// invalid_target (RFC 8707 §2).
	ErrInvalidTarget = errors.New("the resource is not the granted one")
	// ErrKeyGone is returned by an API that no longer knows the family's key; the
	// family ends for it. A client sees ErrInvalidGrant, which wraps it then.
	ErrKeyGone = errors.New("the API key behind the connection is gone")
	// ErrAlreadyConnected is returned by IssueCode for a transaction whose code has
	// been redeemed: the page says that the assistant is connected.
	ErrAlreadyConnected = errors.New("the transaction's code was redeemed")
	// ErrUnavailable is returned when the store or the API could not be asked or
	// did not answer: 503, and the client keeps what it has.
	ErrUnavailable = errors.New("the store of grants or the API is unavailable")

	// ErrNotFound is returned by a store for a record that does not exist or has
	// expired.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned by a store when an id is taken.
	ErrExists = errors.New("already exists")
	// ErrMoved is returned by a store when a record is no longer what the caller
	// read; nothing was changed, and the caller decides again.
	ErrMoved = errors.New("the record has changed since it was read")
	// ErrFull is returned when a limit on the number of records is reached.
	ErrFull = errors.New("too many records")
)
