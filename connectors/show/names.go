package show

import "strings"

// secrecy is how much of a value is a secret, by what it is called.
type secrecy uint8

const (
	open   secrecy = iota
	ending         // a number of which people know the last four
	secret
)

// Words that make the value beside them a secret, wherever they are in its
// name; those that do so as the last of it, or all of it; and those that make
// it something about a secret.
var (
	secretWords = []string{
		"password", "passwd", "passphrase", "passcode", "secret", "apikey", "accesskey", "privatekey", "signingkey", "encryptionkey", "masterkey",
		"secretkey", "sshkey", "credential", "authorization", "cookie", "connectionstring", "recoverycode", "backupcode", "verificationcode", "securitycode",
	}
	secretEnds = []string{
		"token", "pwd", "pass", "cvc", "cvv", "cvv2", "pin", "otp", "totp", "ssn", "jwt", "bearer", "sessionid", "dsn", "authkey", "authtoken", "pgpassword",
	}
	aboutWords = []string{
		"name", "names", "id", "ids", "type", "types", "count", "status", "state", "scanning", "protection", "enabled", "expires", "expiresat", "expiresin", "expiry", "version", "url", "uri",
		"ref", "limit", "length", "policy", "hint", "scope", "scopes", "arn", "path", "file", "required", "visibility", "updatedat", "createdat", "rotation", "field", "format", "strategy",
		"at", "on", "in", "days", "used", "only",
	}
	pageWords   = []string{"page", "next", "prev", "previous", "continuation", "cursor", "sync", "idempotency", "start", "resume"}
	endingNames = []string{"accountnumber", "iban", "pan", "idnumber", "primaryaccountnumber"}
)

// called says how secret a value is by the path that leads to it: its own
// name, and for the number of a card also the name before.
func called(path string) secrecy {
	names := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for len(names) > 1 && strings.Trim(names[len(names)-1], "0123456789") == "" { // the place in a list
		names = names[:len(names)-1]
	}
	if len(names) == 0 {
		return open
	}
	words := wordsOf(names[len(names)-1])
	if len(words) == 0 {
		return open
	}
	name, last := strings.Join(words, ""), words[len(words)-1]
	before := ""
	if len(names) > 1 {
		before = strings.Join(wordsOf(names[len(names)-2]), "")
	}
	switch {
	case oneOf(name, endingNames), name == "number" && strings.HasSuffix(before, "card"), strings.HasSuffix(name, "cardnumber"):
		return ending
	case len(words) > 1 && oneOf(last, aboutWords) && name != "sessionid":
		return open
	}
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return secret
		}
	}
	if oneOf(name, secretEnds) || strings.HasSuffix(name, "sessionid") {
		return secret
	}
	if len(words) > 1 && oneOf(last, secretEnds) {
		if last == "token" && oneOf(words[len(words)-2], pageWords) {
			return open
		}
		return secret
	}
	if strings.HasSuffix(name, "accesstoken") || strings.HasSuffix(name, "authtoken") || strings.HasSuffix(name, "refreshtoken") {
		return secret
	}
	return open
}

// wordsOf cuts client_secret, client-secret and clientSecret into their words.
func wordsOf(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == ' ' || c == '$' || c == '/' || c == ':':
			cut(i)
			start = i + 1
		case 'A' <= c && c <= 'Z' && i > start && 'a' <= name[i-1] && name[i-1] <= 'z':
			cut(i)
			start = i
		}
	}
	cut(len(name))
	return words
}

func oneOf(word string, words []string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// masked returns value without what is secret about it, as far as the path
// that leads to it says so. Lists and objects of the same name are looked into
// by whoever has them.
func masked(path, value string) string {
	if value == "" || value == "true" || value == "false" || value == "null" || alreadyMasked(value) {
		return value
	}
	switch called(path) {
	case ending:
		return lastFour(value)
	case secret:
		if scheme, rest, ok := strings.Cut(value, " "); ok && oneOf(strings.ToLower(scheme), schemes) {
			return scheme + " " + withheld(rest)
		}
		return withheld(value)
	case open:
	}
	return value
}

var schemes = []string{"bearer", "basic", "token", "digest", "bot", "apikey"}
