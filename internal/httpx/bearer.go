package httpx

import "strings"

// BearerToken returns the token of an Authorization header, or "" when the
// header is absent, has another scheme or holds no single token. The scheme is
// read in any case (RFC 9110 section 11.1, RFC 6750 section 2.1).
func BearerToken(header string) string {
	scheme, token, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	token = strings.Trim(token, " ")
	if strings.ContainsAny(token, " \t\r\n,") {
		return ""
	}
	return token
}
