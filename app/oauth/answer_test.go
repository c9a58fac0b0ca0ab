package oauth

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// Whatever an endpoint answers, what is taken for a token can be sent, and no
// error repeats what came.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"at","token_type":"Bearer","expires_in":3600,"refresh_token":"rt"}`))
	f.Add(200, []byte(`{"access_token":"a\r\nb","token_type":"bearer","expires_in":"NaN"}`))
	f.Add(400, []byte(`{"error":"invalid_grant","error_description":"zz-canary-zz"}`))
	f.Add(302, []byte(`zz-canary-zz`))
	f.Add(200, []byte(`{"access_token":"zz-canary-zz","token_type":"Bearer","expires_in":-1e400}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		token, err := read(credential.OAuth{Grant: credential.RefreshToken, TokenURL: "https://login.example.com/token"}, status, body)
		if err != nil {
			if !token.Value.Empty() || fault.Of(err) != fault.Invalid && fault.Of(err) != fault.Unavailable {
				t.Errorf("%v with a token, or of no kind", err)
			}
			if strings.Contains(err.Error(), "zz-canary-zz") {
				t.Errorf("quotes the answer: %v", err)
			}
			return
		}
		for _, s := range []string{token.Value.Reveal(), token.Refresh.Reveal()} {
			for _, r := range s {
				if r <= ' ' || r > '~' {
					t.Errorf("%q cannot be sent", s)
				}
			}
		}
		if status != 200 && status != 201 || token.Value.Empty() || token.Lifetime <= 0 || token.Lifetime > longestLifetime {
			t.Errorf("%d: a token of %v", status, token.Lifetime)
		}
	})
}
