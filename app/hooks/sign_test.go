package hooks

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
)

// The example of the standard's own libraries.
func TestSignatureIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	k := keys{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	at := time.Unix(1614265330, 0)
	const id, want = "msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	body := []byte(`{"test": 2432232314}`)
	if got := k.sign(id, at, at, body); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
	if !k.verify(id, "1614265330", "v1a,AAAA v2,x "+want, at, body) {
		t.Error("the right signature among others is not found")
	}
	for name, ok := range map[string]bool{
		"another body":      k.verify(id, "1614265330", want, at, []byte(`{"test": 2432232315}`)),
		"another id":        k.verify(id+"x", "1614265330", want, at, body),
		"another time":      k.verify(id, "1614265331", want, at, body),
		"no signature":      k.verify(id, "1614265330", "", at, body),
		"an empty one":      k.verify(id, "1614265330", "v1,", at, body),
		"another version":   k.verify(id, "1614265330", "v2"+strings.TrimPrefix(want, "v1"), at, body),
		"too many before":   k.verify(id, "1614265330", strings.Repeat("v1,AAAA ", 10)+want, at, body),
		"half of it":        k.verify(id, "1614265330", want[:20], at, body),
		"a key that is not": keys{Secret: "whsec_!"}.verify(id, "1614265330", "v1,", at, body),
		"a short key":       keys{Secret: "whsec_AAAA"}.verify(id, "1614265330", keys{Secret: "whsec_AAAA"}.sign(id, at, at, body), at, body),
	} {
		if ok {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestOldSecretCountsForADay(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	old := newKeys()
	next := old.changed(now)
	if old.Secret == next.Secret || len(next.Secret) != len("whsec_")+44 {
		t.Fatalf("secrets %q", next.Secret)
	}
	body := []byte("x")
	for after, want := range map[time.Duration]bool{0: true, Overlap - time.Second: true, Overlap: false} {
		at := now.Add(after)
		if got := next.verify("m", "1700000000", old.sign("m", now, now, body), at, body); got != want {
			t.Errorf("%v later the old secret counts: %v", after, got)
		}
		if !next.verify("m", "1700000000", next.sign("m", now, at, body), at, body) {
			t.Errorf("%v later the new secret does not count", after)
		}
		n := len(strings.Fields(next.sign("m", now, at, body)))
		if want && n != 2 || !want && n != 1 {
			t.Errorf("%v later %d signatures", after, n)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	k := newKeys()
	if s := k.sealed(); strings.Contains(s.String(), "whsec_") {
		t.Error("the keys print")
	}
	back, err := parseKeys(k.changed(time.Unix(1, 0)).sealed())
	if err != nil || back.Previous != k.Secret || !back.PreviousUntil.Equal(time.Unix(1, 0).Add(Overlap)) {
		t.Errorf("%v", err)
	}
	for _, text := range []string{"", "{}", `{"secret":""}`, "whsec_CANARY"} {
		if _, err := parseKeys(credentialOf(text)); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever comes, only who knows the secret is believed.
func FuzzSignature(f *testing.F) {
	k := keys{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Previous: "whsec_AAAA", PreviousUntil: time.Unix(2000000000, 0)}
	now := time.Unix(1614265330, 0)
	f.Add("msg_1", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", []byte(`{}`))
	f.Add("", "", "v1, v1,AA== v1", []byte{})
	f.Add("a", "b", strings.Repeat("v1,", 50), []byte("x"))
	f.Fuzz(func(t *testing.T, id, stamp, header string, body []byte) {
		if !k.verify(id, stamp, header, now, body) {
			return
		}
		want := []byte(base64.StdEncoding.EncodeToString(signature(k.Secret, id, stamp, body)))
		if !bytes.Contains([]byte(header), want) {
			t.Errorf("%q is taken", header)
		}
	})
}

func credentialOf(text string) credential.Secret { return credential.NewSecret(text) }
