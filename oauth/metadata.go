package oauth

import (
	"net/http"
	"strings"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/oauth/protocol"
)

// metadataFresh lets clients keep metadata for a while: it changes with the
// server's configuration alone.
const metadataFresh = "public, max-age=300"

// serverMetadata describes the authorization server (RFC 8414 §2).
type serverMetadata struct {
	Issuer                 string                `json:"issuer"`
	AuthorizationEndpoint  string                `json:"authorization_endpoint"`
	TokenEndpoint          string                `json:"token_endpoint"`
	RegistrationEndpoint   string                `json:"registration_endpoint"`
	RevocationEndpoint     string                `json:"revocation_endpoint"`
	IntrospectionEndpoint  string                `json:"introspection_endpoint,omitempty"`
	ScopesSupported        []string              `json:"scopes_supported"`
	ResponseTypes          []string              `json:"response_types_supported"`
	ResponseModes          []string              `json:"response_modes_supported"`
	GrantTypes             []string              `json:"grant_types_supported"`
	TokenAuthMethods       []protocol.AuthMethod `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms    []string              `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevokeAuthMethods      []protocol.AuthMethod `json:"revocation_endpoint_auth_methods_supported"`
	RevokeAuthAlgorithms   []string              `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectAuthMethods  []protocol.AuthMethod `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	CodeChallengeMethods   []string              `json:"code_challenge_methods_supported"`
	ClientMetadataDocument bool                  `json:"client_id_metadata_document_supported"`
	// Absent rather than false when it is off: some clients look for the name alone.
	IssParameter bool `json:"authorization_response_iss_parameter_supported,omitempty"`
}

func (e *Endpoints) serverMetadata(w http.ResponseWriter, _ *http.Request) error {
	issuer := e.cfg.Resources.Issuer()
	var algorithms []string
	for _, algorithm := range assertionAlgorithms() {
		algorithms = append(algorithms, string(algorithm))
	}
	m := serverMetadata{
		Issuer:                 issuer,
		AuthorizationEndpoint:  issuer + PathAuthorize,
		TokenEndpoint:          issuer + PathToken,
		RegistrationEndpoint:   issuer + PathRegister,
		RevocationEndpoint:     issuer + PathRevoke,
		ScopesSupported:        (protocol.DefaultScope | protocol.Offline).Names(),
		ResponseTypes:          []string{"code"},
		ResponseModes:          []string{"query"},
		GrantTypes:             []string{grantCode, grantRefresh},
		TokenAuthMethods:       protocol.AuthMethods(),
		TokenAuthAlgorithms:    algorithms,
		RevokeAuthMethods:      protocol.AuthMethods(),
		RevokeAuthAlgorithms:   algorithms,
		CodeChallengeMethods:   []string{protocol.MethodS256},
		ClientMetadataDocument: true,
		IssParameter:           e.cfg.EmitIss,
	}
	if !e.cfg.IntrospectionSecret.IsZero() {
		m.IntrospectionEndpoint = issuer + PathIntrospect
		m.IntrospectAuthMethods = []protocol.AuthMethod{protocol.AuthSecretBasic}
	}
	w.Header().Set("Cache-Control", metadataFresh)
	httpx.WriteJSON(w, http.StatusOK, m)
	return nil
}

// resourceMetadata describes the protected resource (RFC 9728 §2).
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	ResourceName         string   `json:"resource_name"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported"`
	BearerMethods        []string `json:"bearer_methods_supported"`
}

// resourceMetadata names the resource exactly as the client addressed it: several
// compare the two strings (RFC 9728 §3.3).
func (e *Endpoints) resourceMetadata(w http.ResponseWriter, r *http.Request) error {
	resource, ok := e.cfg.Resources.Origin(r.Host)
	if !ok {
		resource = e.cfg.Resources.Issuer()
	}
	if strings.HasPrefix(r.URL.Path, pathResource+"/mcp") {
		resource += "/mcp"
	}
	w.Header().Set("Cache-Control", metadataFresh)
	httpx.WriteJSON(w, http.StatusOK, resourceMetadata{
		Resource: resource, ResourceName: "GrowPanel", AuthorizationServers: []string{e.cfg.Resources.Issuer()},
		ScopesSupported: protocol.DefaultScope.Names(), BearerMethods: []string{"header"},
	})
	return nil
}
