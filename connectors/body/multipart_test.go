package body_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/body"
)

// written writes parts between boundaries B, with CR LF for line ends.
func written(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString("--B\r\n" + strings.ReplaceAll(part, "\n", "\r\n") + "\r\n")
	}
	return b.String() + "--B--\r\n"
}

// named is a part called name.
func named(name, text string) string {
	return `Content-Disposition: form-data; name="` + name + `"` + "\n\n" + text
}

// disposed is a part with a Content-Disposition of its own.
func disposed(disposition string) string {
	return "Content-Disposition: " + disposition + "\n\n1"
}

func TestAMultipartFormSaysWhatItsPartsHold(t *testing.T) {
	t.Parallel()

	const form = "Content-Disposition: form-data; "
	run(t, map[string]wants{
		"no parts":                         {`.a`, written(), `absent`},
		"flat":                             {`.a .b .c`, written(named("a", "1"), named("b", "x\ny")), `"1" "x\r\ny" absent`},
		"an empty text":                    {`.a`, written(named("a", "")), `""`},
		"no last line end":                 {`.a`, strings.TrimSuffix(written(named("a", "1")), "\r\n"), `"1"`},
		"a line end before":                {`.a`, "\r\n" + written(named("a", "1")), `"1"`},
		"nested":                           {`.a.b .c[] .e[].p`, written(named("a[b]", "1"), named("c[]", "2"), named("c[]", "3"), named("e[0][p]", "4")), `"1" [2,3] [4]`},
		"header names in another case":     {`.a`, written("content-DISPOSITION:form-data;name=\"a\"\n\n1"), `"1"`},
		"a kind in another case":           {`.a`, written(disposed(`Form-Data; NAME="a"`)), `"1"`},
		"a name without quotes":            {`.a`, written(disposed(`form-data; name=a`)), `"1"`},
		"a name with quotes":               {`.a"b`, written(disposed(`form-data; name="a\"b"`)), `"1"`},
		"a name with a semicolon":          {`.a .x;y`, written(disposed(`form-data; name="x;y"`)), `absent "1"`},
		"a name that looks escaped":        {`.a`, written(named("b%22", "1")), `absent`},
		"a plus in a name":                 {`.a+b`, written(named("a+b", "1")), `"1"`},
		"another parameter":                {`.a`, written(disposed(`form-data; x=y; name="a"; z="1"`)), `"1"`},
		"a file":                           {`.a`, written(disposed(`form-data; name="a"; filename="x"`)), `other`},
		"a file in a list":                 {`.a[]`, written(named("a[]", "1"), disposed(`form-data; name="a[]"; filename="x"`)), `other`},
		"a file without a name of its own": {`.a`, written(disposed(`form-data; name="a"; filename=""`)), `other`},
		"a file with an encoded name":      {`.a`, written(disposed(`form-data; name="a"; filename*=UTF-8''%e2%82%ac`)), `other`},
		"an unwanted file":                 {`.a`, written(disposed(`form-data; name="x"; filename="C:\temp\\x \"y\""`)+"\x00\xff\n", named("a", "1")), `"1"`},
		"plain text that says so":          {`.a`, written(form + "name=\"a\"\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8BIT\nContent-Length: 1\nX-Y: z\n\n1"), `"1"`},
		"another type":                     {`.a`, written(form + "name=\"a\"\nContent-Type: application/json\n\n\"1\""), `other`},
		"an unwanted encoding":             {`.a`, written(form+"name=\"x\"\nContent-Transfer-Encoding: base64\n\n1", named("a", "1")), `"1"`},
		"unwanted parts twice":             {`.a`, written(named("x", "1"), named("x", "2"), named("a", "1")), `"1"`},
		"UTF-8 by name":                    {`.a`, written(named("_charset_", "utf-8"), named("a", "1")), `"1"`},
		"almost a boundary":                {`.a`, written(named("a", "-B\n--C\n")), `"-B\r\n--C\r\n"`},
		"as many parts as there may be":    {`.a`, written(append(times(999, named("x", "1")), named("a", "1"))...), `"1"`},
		"as long headers as there may be":  {`.a`, written("X: " + strings.Repeat("x", 8192-3-2-len(form)-8) + "\n" + form + "name=\"a\"\n\n1"), `"1"`},
	}, func(f *body.Finder, data string, values []body.Value) error {
		return f.Multipart([]byte(data), "B", values)
	})
}

func TestAnAmbiguousMultipartFormSaysNothing(t *testing.T) {
	t.Parallel()

	const form = "Content-Disposition: form-data; "
	ok := written(named("a", "1"))
	cases := map[string]wants{}
	for name, data := range map[string]string{
		"nothing":                          ``,
		"only a line end":                  "\r\n",
		"another boundary":                 strings.ReplaceAll(ok, "--B", "--C"),
		"text before":                      "x\r\n" + ok,
		"line ends before":                 "\r\n\r\n" + ok,
		"text after":                       ok + "x",
		"line ends after":                  ok + "\r\n",
		"a form after":                     ok + ok,
		"no last boundary":                 strings.TrimSuffix(ok, "--B--\r\n"),
		"a last boundary cut short":        strings.TrimSuffix(ok, "--\r\n"),
		"half a last boundary":             strings.TrimSuffix(ok, "-\r\n"),
		"only line feeds":                  strings.ReplaceAll(ok, "\r\n", "\n"),
		"only carriage returns":            strings.ReplaceAll(ok, "\r\n", "\r"),
		"a line feed before a boundary":    strings.Replace(ok, "1\r\n", "1\n", 1),
		"a line feed after a boundary":     strings.Replace(ok, "--B\r\n", "--B\n", 1),
		"a line feed after a header":       strings.Replace(written("X: y\n"+named("a", "1")), "y\r\n", "y\n", 1),
		"a boundary after a line feed":     strings.Replace(written(named("z", "@")), "@", "\n--B\r\n"+form+"name=\"z\"\r\n\r\n", 1),
		"a boundary within a line":         written(named("z", "x--B")),
		"a boundary that goes on":          written(named("z", "x\n--Bx")),
		"a boundary with a space":          strings.Replace(ok, "--B\r\n", "--B \r\n", 1),
		"a boundary in a header":           written("X: --B\n" + named("z", "1")),
		"no headers":                       written("\n1"),
		"no line between":                  written(form + `name="a"`),
		"the line between is the last":     "--B\r\n" + form + "name=\"a\"\r\n\r\n--B--",
		"a header without a colon":         written("X\n" + named("a", "1")),
		"a header with a space":            written("X : y\n" + named("a", "1")),
		"a header without a name":          written(": y\n" + named("a", "1")),
		"a header that goes on":            written("Content-Disposition: form-data;\n name=\"a\"\n\n1"),
		"a control byte in a header":       written("X: \x01\n" + named("a", "1")),
		"a carriage return in a header":    written("X: \ry\n" + named("a", "1")),
		"invalid UTF-8 in a header":        written("X: \xff\n" + named("a", "1")),
		"a header twice":                   written("X: y\nx: y\n" + named("a", "1")),
		"too long headers":                 written("X: " + strings.Repeat("x", 8192) + "\n" + named("a", "1")),
		"too many parts":                   written(append(times(1000, named("z", "1")), named("a", "1"))...),
		"no disposition":                   written("X: y\n\n1"),
		"a disposition twice":              written(form + "name=\"a\"\n" + named("z", "1")),
		"another disposition":              written(disposed(`attachment; name="a"`)),
		"a disposition without parameters": written(disposed(`form-data`)),
		"a disposition that goes nowhere":  written(disposed(`form-data; name="a";`)),
		"no name":                          written(disposed(`form-data; x="a"`)),
		"only a filename":                  written(disposed(`form-data; filename="a"`)),
		"only an encoded filename":         written(disposed(`form-data; filename*=UTF-8''a`)),
		"an encoded name":                  written(disposed(`form-data; name*=UTF-8''a`)),
		"an encoded name beside one":       written(disposed(`form-data; name="z"; name*=UTF-8''a`)),
		"a name in pieces":                 written(disposed(`form-data; name="z"; name*0="a"`)),
		"a name twice":                     written(disposed(`form-data; name="z"; Name="a"`)),
		"a name in single quotes":          written(disposed(`form-data; name='a'`)),
		"a name with space around":         written(disposed(`form-data; name = "a"`)),
		"a name without a value":           written(disposed(`form-data; name`)),
		"a parameter without a value":      written(disposed(`form-data; name="z"; x`)),
		"a parameter that is no token":     written(disposed(`form-data; name="z"; x y=z`)),
		"a value that is no token":         written(disposed(`form-data; name="z"; x=y y`)),
		"a value that is not closed":       written(disposed(`form-data; name="z"; x="y`)),
		"a semicolon after escapes":        written(disposed(`form-data; name="z\";y"`)),
		"escapes after a semicolon":        written(disposed(`form-data; name="z;\"y"`)),
		"a name that stays open":           written(disposed(`form-data; name="a`)),
		"a name that stays open, escaped":  written(disposed(`form-data; name="a\"`)),
		"text after a name":                written(disposed(`form-data; name="z"a`)),
		"a name without quotes that ends":  written(disposed(`form-data; name=z a`)),
		"a backslash in a name":            written(disposed(`form-data; name="\z"`)),
		"two backslashes before a quote":   written(disposed(`form-data; name="z\\"`)),
		"a name before an escaped quote":   written(disposed(`form-data; name="a\"z"`)),
		"a name before a semicolon":        written(disposed(`form-data; name="a;z"`)),
		"a parameter after escapes":        written(disposed(`form-data; name="z\""; filename="x"`)),
		"a parameter within escapes":       written(disposed(`form-data; name="z\"; name=\"a"`)),
		"a parameter within quotes":        written(disposed(`form-data; filename="z; name=a"; name="z"`)),
		"a parameter in a filename":        written(disposed(`form-data; name="z"; filename="x; name=a"`)),
		"a name that is nearly wanted":     written(named("A", "1")),
		"a name with spaces":               written(named(" a ", "1")),
		"an escaped name":                  written(named("%61", "1")),
		"an escaped name, malformed":       written(named("z%", "1")),
		"an escaped line end":              written(named("a%0D%0A", "1")),
		"a word for mail readers":          written(named("=?utf-8?q?a?=", "1")),
		"unbalanced brackets":              written(named("a[", "1")),
		"the same part twice":              written(named("a", "1"), named("a", "1")),
		"a text and a file":                written(named("a", "1"), disposed(`form-data; name="a"; filename="x"`)),
		"a text and fields":                written(named("b", "1"), named("b[c]", "1")),
		"NUL in a wanted text":             written(named("a", "1\x00")),
		"NUL before a wanted text":         written(named("a", "\x001")),
		"invalid UTF-8 in a wanted text":   written(named("a", "\xff")),
		"a wanted text in base64":          written("Content-Transfer-Encoding: base64\n" + named("a", "MQ==")),
		"a wanted text, quoted-printable":  written("Content-Transfer-Encoding: quoted-printable\n" + named("a", "=31")),
		"a wanted text, compressed":        written("Content-Encoding: gzip\n" + named("a", "1")),
		"another character set":            written("Content-Type: text/plain; charset=utf-16\n" + named("z", "1")),
		"another character set by name":    written(named("_charset_", "utf-7")),
		"a malformed type":                 written("Content-Type: text/plain; charset\n" + named("z", "1")),
		"parts within a part":              written("Content-Type: multipart/mixed; boundary=C\n" + named("z", "1")),
	} {
		cases[name] = wants{`.a .b.c`, data, unread}
	}
	run(t, cases, func(f *body.Finder, data string, values []body.Value) error {
		return f.Multipart([]byte(data), "B", values)
	})
}

func TestABoundaryIsOneThatReadersAgreeOn(t *testing.T) {
	t.Parallel()

	f, values := finder(t, `.a`)
	for boundary, want := range map[string]string{
		"----WebKitFormBoundary7MA4YWxkTrZu0gW": `"1"`,
		"===============0189==":                 `"1"`,
		"a'+_-./:=?Z":                           `"1"`,
		strings.Repeat("x", 70):                 `"1"`,
		strings.Repeat("x", 71):                 unread,
		"":                                      unread,
		"a,b":                                   unread,
		"a;b":                                   unread,
		"a b":                                   unread,
		"a\r\nb":                                unread,
		"é":                                     unread,
	} {
		data := strings.ReplaceAll(written(named("a", "1")), "--B", "--"+boundary)
		if got := say(t, values, f.Multipart([]byte(data), boundary, values)); got != want {
			t.Errorf("%q: %s, want %s", boundary, got, want)
		}
	}
}

func times(n int, part string) []string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = part
	}
	return parts
}
