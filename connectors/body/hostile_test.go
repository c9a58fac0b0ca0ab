package body_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

// What a client adds so that the service sees another body than we do is
// ambiguous, or changes nothing.
func TestAHostileSpellingNeverSaysSomethingElse(t *testing.T) {
	t.Parallel()

	paths := paths()
	f := body.NewFinder(paths)
	want, values := make([]body.Value, len(paths)), make([]body.Value, len(paths))
	taken := 0
	check := func(seed int, data string, err error) {
		if err != nil {
			return
		}
		taken++
		if diff := cmp.Diff(want, values); diff != "" {
			t.Fatalf("%d: %q (-plain +hostile):\n%s", seed, data, diff)
		}
	}
	for seed := range generated {
		s := newSpeller(seed)
		document := s.document(3, true)
		plain := s.json(document)
		if err := f.JSON([]byte(plain), want); err != nil {
			t.Fatal(err)
		}

		at := strings.IndexByte(plain, '{') + 1
		data := plain[:at] + s.pick(`"a":9,`, `"A":9,`, `"\u0061":9,`, `"a\u0000":9,`, `"a\ud800":9,`, "\"a\xff\":9,", `a:9,`, `'a':9,`, `/**/`, `"A":{"b":9},`) + plain[at:]
		if _, there := document["a"]; there || !strings.Contains(data[at:], `"a":9`) && !strings.Contains(data[at:], `"\u0061":9`) {
			check(seed, data, f.JSON([]byte(data), values))
		}
		data = plain + s.pick(`{"a":9}`, ",", "\x00", "\ufeff", "}", "//")
		check(seed, data, f.JSON([]byte(data), values))

		pairs := s.pairs("", document)
		added := pair{s.pick("A", " a", "a ", "a\x00", "a\x00x", "a.b", "A[b]", "a[B]", "a[ b]", "a[b", "a]", "[a]", "[a", "a[b]c", "\ufeffa", "a\t", "c.0", "z"), "9"}
		data = s.pick(s.form([]pair{added})+"&"+s.form(pairs), s.form(pairs)+"&"+s.form([]pair{added}), s.form(pairs)+s.pick("&z=1", "")+";"+s.form([]pair{added}))
		check(seed, data, f.Form([]byte(data), values))
		data = s.multipart(append([]pair{added}, pairs...))
		check(seed, data, f.Multipart([]byte(data), "B", values))

		part := s.pick("Content-Disposition: form-data; name=z; name=a", "Content-Disposition: form-data; name='a'", "Content-Disposition: form-data; name=\"z\"\r\nContent-Disposition: form-data; name=\"a\"",
			"Content-Disposition: form-data; name=\"z\\\"; name=\\\"a\"", "Content-Disposition: form-data; filename=\"; name=a\"; name=z", "Content-Disposition: form-data; name*=UTF-8''a; name=z",
			"Content-Disposition: form-data; name=\"%61\"", "Content-Disposition: form-data;\r\n name=\"a\"", "Content-Disposition: form-data; name=\"z\"\r\n\r\n\n--B\r\nContent-Disposition: form-data; name=\"a\"")
		data = "--B\r\n" + part + "\r\n\r\n9\r\n" + s.multipart(pairs)
		check(seed, data, f.Multipart([]byte(data), "B", values))
	}
	if taken == 0 {
		t.Error("no hostile spelling was ever taken: nothing was compared")
	}
}
