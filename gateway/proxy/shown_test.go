package proxy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/wire"
)

func packed(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whoever decides sees the beginning of the body as it is sent, and no key.
func TestThePersonSeesTheBodyAsItIsSent(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("0123456789abcdef", 3*wire.MaxBody/16)
	for name, c := range map[string]struct {
		body, coding string
		want         func(k *keyed, body string) string
	}{
		"a short one": {body: `{"a":1}`},
		"none":        {},
		"a long one":  {body: long, want: func(*keyed, string) string { return long[:wire.MaxBody] }},
		"packed":      {body: packed(t, "hello"), coding: "gzip"},
		"with a key of the run": {body: "key=KEY&a=1", want: func(k *keyed, _ string) string {
			prefix, key, _ := strings.Cut(k.api, "tameflare")
			return "key=" + prefix + strings.Repeat("*", len("tameflare"+key)) + "&a=1"
		}},
		"with one across the end": {body: long[:wire.MaxBody-20] + "KEY", want: func(k *keyed, body string) string {
			prefix, _, _ := strings.Cut(k.api, "tameflare")
			return body[:wire.MaxBody-20] + (prefix + strings.Repeat("*", 36))[:20]
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyed(t, http.HandlerFunc(echo), credential.Replace)
			body := strings.ReplaceAll(c.body, "KEY", k.api)
			res, answer := k.ask(k.client(false), "POST", "https://"+host+"/", body, func(r *http.Request) {
				r.Header.Set("Content-Type", "text/plain")
				if c.coding != "" {
					r.Header.Set("Content-Encoding", c.coding)
				}
			})
			if res.StatusCode != http.StatusOK {
				t.Fatalf("%s %s", res.Status, answer)
			}
			want := body
			if c.want != nil {
				want = c.want(k, body)
			}
			q := <-k.desk.asked
			if string(q.Body) != want || q.BodySize != int64(len(body)) || q.BodyType != "text/plain" || q.BodyCoding != c.coding {
				t.Errorf("%d bytes of %d, %s, %q: %.80q, want %.80q", len(q.Body), q.BodySize, q.BodyType, q.BodyCoding, q.Body, want)
			}
			if strings.Contains(string(q.Body), canary) {
				t.Error("the credential is in it")
			}
		})
	}
	t.Run("a key that is packed away", func(t *testing.T) {
		t.Parallel()
		k := newKeyed(t, http.HandlerFunc(echo), credential.Replace)
		if res, answer := k.ask(k.client(false), "POST", "https://"+host+"/", packed(t, "key="+k.api), header("Content-Encoding", "gzip")); res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s", res.Status, answer)
		}
		if q := <-k.desk.asked; len(q.Body) > 0 || q.BodySize == 0 {
			t.Errorf("shown: %q", q.Body)
		}
	})
}
