package protocol

import (
	"net/http"
	"slices"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// checkEra returns an error if the headers of a POST do not fit the message in
// its body. Each request says for itself to which era it belongs. Headers that
// lost their meaning, Mcp-Session-Id and Last-Event-ID, are ignored.
func (s *Server) checkEra(header http.Header, m *message) *Error {
	declared, version := header.Get(mcpgo.HeaderProtocolVersion), m.version()
	if !mcpgo.IsModernProtocol(declared) && !mcpgo.IsModernProtocol(version) {
		if m.Method == string(mcpgo.MethodInitialize) || declared == "" || mcpgo.IsValidProtocolVersion(declared) {
			return nil
		}
		return unsupportedVersion(declared)
	}
	if m.isNotification() {
		return nil
	}
	switch {
	case version == "":
		return &Error{Code: mcpgo.INVALID_PARAMS, Message: "params._meta lacks " + mcpgo.MetaKeyProtocolVersion}
	case declared == "":
		return mismatch("header " + mcpgo.HeaderProtocolVersion + " is missing")
	case declared != version:
		return mismatch("header " + mcpgo.HeaderProtocolVersion + " says " + declared + ", the body " + version)
	case !mcpgo.IsValidProtocolVersion(version):
		return unsupportedVersion(version)
	}
	return s.checkHeaders(header, m)
}

// checkHeaders compares the headers by which intermediaries route a request of
// the stateless era with its body (SEP-2243).
func (s *Server) checkHeaders(header http.Header, m *message) *Error {
	if err := mcpgo.ValidateStandardHeaders(header.Get, m.version(), mcpgo.MCPMethod(m.Method), m.Params); err != nil {
		return mismatch(err.Error())
	}
	if m.Method != string(mcpgo.MethodToolsCall) {
		return nil
	}
	tool, ok := s.headerTools[m.target.Name]
	if !ok {
		return nil
	}
	err := mcpgo.ValidateParamHeadersLookup(func(name string) (string, bool) {
		values := header.Values(name)
		if len(values) == 0 {
			return "", false
		}
		return values[0], true
	}, tool, m.Params)
	if err != nil {
		return mismatch(err.Error())
	}
	return nil
}

func mismatch(text string) *Error {
	return &Error{Code: mcpgo.HEADER_MISMATCH, Message: text}
}

func unsupportedVersion(version string) *Error {
	return &Error{
		Code:    mcpgo.UNSUPPORTED_PROTOCOL_VERSION,
		Message: "protocol version " + version + " is not supported",
		Data: map[string]any{
			"requested": version,
			"supported": slices.Clone(mcpgo.ValidProtocolVersions),
		},
	}
}
