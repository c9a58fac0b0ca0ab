package accounts

import (
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// Wherever an answer may go, browsers agree that it is this machine.
func FuzzCheckRedirect(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1:40123/callback", "http://[::1]:1/", "http://127.0.0.1:1@evil.example/", "http://127.0.0.1:1\\@evil.example/",
		"http://127.0.0.1:1/%0d%0aSet-Cookie:x", "http://127.0.0.1:1//evil.example", "HTTP://127.0.0.1:1", "http://127.0.0.1:1/\t",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if checkRedirect(uri) != nil {
			return
		}
		if strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '@' || r == '%' }) {
			t.Errorf("%q has a character that is read in more than one way", uri)
		}
		u, err := url.Parse(uri + "?code=x")
		if err != nil || u.Query().Get("code") != "x" {
			t.Fatalf("%q leads to %v, %v", uri, u, err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
			t.Errorf("%q leads to %v, %v", uri, u, err)
		}
	})
}

// One address has one spelling, and nothing in it could end a line.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"ana@example.org", " ANA@example.org ", "a b@example.org", `"a b"@example.org`, "a@b\r\nBcc: c@d", "a@b,c@d", "ana@exämple.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseEmail(text)
		if err != nil {
			return
		}
		if again, err := parseEmail(got); err != nil || again != got {
			t.Errorf("%q becomes %q, and that %q: %v", text, got, again, err)
		}
		if a, err := mail.ParseAddress(got); err != nil || a.Address != got || a.Name != "" || strings.ContainsAny(got, " \r\n,<>") {
			t.Errorf("%q becomes %q: %v, %v", text, got, a, err)
		}
	})
}

// What is not one of ours is never looked up, and what we make always is.
func FuzzLooksLikeToken(f *testing.F) {
	f.Add(newToken().Reveal())
	f.Add("tfc_")
	f.Add(strings.Repeat("x", 53))
	f.Fuzz(func(t *testing.T, text string) {
		if looksLikeToken(text) && (len(text) != 53 || checksum(text[:47]) != text[47:]) {
			t.Errorf("%q", text)
		}
		if !looksLikeToken(newToken().Reveal()) {
			t.Error("a new one does not look like one")
		}
	})
}
