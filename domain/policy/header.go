package policy

import "strings"

// SecretHeader reports whether the header of that name carries a credential,
// so that no policy may look at it: what a policy looks at is shown to people
// and recorded.
func SecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, word := range [...]string{
		"authorization", "cookie", "token", "secret", "passw", "apikey", "api-key", "api_key", "credential", "signature",
		"session", "private-key", "jwt",
	} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return name == "auth" || name == "x-auth" || strings.HasPrefix(name, "x-auth-")
}
