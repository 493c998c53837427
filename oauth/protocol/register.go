package protocol

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"slices"
)

const maxRegistration = 32 << 10 // bytes

// ReadRegistration reads the body of a request for dynamic client registration
// (RFC 7591 §2). The errors are *Error with InvalidClientMetadata or
// InvalidRedirectURI.
func ReadRegistration(r *http.Request) (*ClientMetadata, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, badMetadata("the Content-Type must be application/json")
	}
	body, fault := readBody(r, maxRegistration)
	if fault != nil {
		return nil, badMetadata(fault.Description)
	}
	return ParseRegistration(body)
}

// ParseRegistration checks the metadata that a client wants to register.
func ParseRegistration(body []byte) (*ClientMetadata, error) {
	var d clientDocument
	if err := decodeObject(body, &d); err != nil {
		return nil, err
	}
	m, err := d.metadata()
	if err != nil {
		return nil, err
	}
	// RFC 7591 §2: who does not say wants a secret.
	m.AuthMethod = AuthSecretBasic
	if asked := text(d.AuthMethod); asked != "" {
		m.AuthMethod = AuthMethod(asked)
	}
	if !slices.Contains(AuthMethods(), m.AuthMethod) {
		return nil, badMetadata("token_endpoint_auth_method must be none, client_secret_post, client_secret_basic or private_key_jwt")
	}
	if m.AuthMethod == AuthPrivateKeyJWT {
		if err := m.setJWKS(text(d.JWKSURI), true); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// decodeObject decodes a JSON object.
func decodeObject(body []byte, to *clientDocument) *Error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return badMetadata("the metadata must be a JSON object")
	}
	if err := json.Unmarshal(body, to); err != nil {
		return badMetadata(typeFault(err))
	}
	return nil
}

// typeFault names the member that has a wrong type. The name is one of ours, so
// it is safe to repeat.
func typeFault(err error) string {
	if fault, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && fault.Field != "" {
		return fault.Field + " must be " + typeName(fault.Type.Kind())
	}
	return "the metadata must be a JSON object"
}

func typeName(kind reflect.Kind) string {
	if kind == reflect.Slice {
		return "an array of strings"
	}
	return "a string"
}
