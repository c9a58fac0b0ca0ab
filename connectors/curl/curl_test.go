package curl_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tameflare/tameflare/connectors/curl"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
)

// show writes a request so that a test can be read.
func show(r curl.Request) string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.URL + "\n")
	_ = r.Header.WriteSubset(&b, map[string]bool{"User-Agent": true}) // into memory
	if r.Unread {
		b.WriteString("\n(unread)")
	}
	if len(r.Body) > 0 {
		b.WriteString("\n" + string(r.Body))
	}
	return strings.ReplaceAll(b.String(), "\r", "")
}

// The files are what browsers and documentation give, and after the line of
// dashes what curl sends.
func TestRealCommandsAreRead(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/commands/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		command, want, ok := strings.Cut(string(text), "\n----\n")
		if !ok {
			t.Fatalf("%s: no line of dashes", file)
		}
		got, err := curl.Parse(command)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(show(got))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", file, diff)
		}
		if _, err := got.Connectors(); err != nil {
			t.Errorf("%s: a gateway would refuse it: %v", file, err)
		}
	}
}

const at = "https://a.example/x"

func TestOptionsSayWhatIsSent(t *testing.T) {
	t.Parallel()

	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for command, want := range map[string]described.Request{
		"curl " + at:                               {Method: "GET", URL: at},
		"$ curl -XDELETE " + at:                    {Method: "DELETE", URL: at},
		"curl -sSLX PATCH --url " + at:             {Method: "PATCH", URL: at},
		"/usr/bin/curl -I " + at:                   {Method: "HEAD", URL: at},
		"TOKEN=x LANG=C curl " + at:                {Method: "GET", URL: at},
		"curl --no-progress-meter " + at:           {Method: "GET", URL: at},
		"curl --no-keepalive " + at:                {Method: "GET", URL: at},
		"curl -o out.json -w '%{http_code}' " + at: {Method: "GET", URL: at},
		"curl -d a=1 -d b=2 " + at:                 {Method: "POST", URL: at, Header: form, Body: []byte("a=1&b=2")},
		"curl -X PUT --data-raw @a " + at:          {Method: "PUT", URL: at, Header: form, Body: []byte("@a")},
		"curl -d @secret.json " + at:               {Method: "POST", URL: at, Header: form, Unread: true},
		"curl --data-binary @- " + at:              {Method: "POST", URL: at, Header: form, Unread: true},
		"curl --data-urlencode 'q=a b&c' --data-urlencode '=é' --data-urlencode 'x y' " + at: {Method: "POST", URL: at, Header: form, Body: []byte("q=a%20b%26c&%C3%A9&x%20y")},
		"curl --data-urlencode q@file " + at:                                                 {Method: "POST", URL: at, Header: form, Unread: true},
		"curl -G -d a=1 --data-urlencode 'b=2 3' '" + at + "?z=0'":                           {Method: "GET", URL: at + "?z=0&a=1&b=2%203"},
		"curl -G " + at + " --url-query 'a=b c' --url-query +d=%20":                          {Method: "GET", URL: at + "?a=b%20c&d=%20"},
		"curl -G -I -d a=1 " + at:                                                            {Method: "HEAD", URL: at + "?a=1"},
		`curl --json '{"a":' --json '1}' ` + at:                                              {Method: "POST", URL: at, Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, Body: []byte(`{"a":1}`)},
		"curl -H 'content-type: text/plain' -d x " + at:                                      {Method: "POST", URL: at, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("x")},
		"curl -H Content-Type: -d x " + at:                                                   {Method: "POST", URL: at, Body: []byte("x")},
		"curl -H 'X-Empty;' " + at:                                                           {Method: "GET", URL: at, Header: http.Header{"X-Empty": {""}}},
		"curl -H 'X-A: 1' -H 'x-a: 2' " + at:                                                 {Method: "GET", URL: at, Header: http.Header{"X-A": {"1", "2"}}},
		"curl -u ana:pw " + at:                                                               {Method: "GET", URL: at, Header: http.Header{"Authorization": {"Basic YW5hOnB3"}}},
		"curl -u sk_test: " + at:                                                             {Method: "GET", URL: at, Header: http.Header{"Authorization": {"Basic c2tfdGVzdDo="}}},
		"curl -u a:b -H 'Authorization: Bearer t' " + at:                                     {Method: "GET", URL: at, Header: http.Header{"Authorization": {"Bearer t"}}},
		"curl --oauth2-bearer t " + at:                                                       {Method: "GET", URL: at, Header: http.Header{"Authorization": {"Bearer t"}}},
		"curl 'https://ana:p%40w@a.example/x'":                                               {Method: "GET", URL: at, Header: http.Header{"Authorization": {"Basic YW5hOnBAdw=="}}},
		"curl -b 'a=1; b=2' -e https://b.example -A me " + at:                                {Method: "GET", URL: at, Header: http.Header{"Cookie": {"a=1; b=2"}, "Referer": {"https://b.example"}, "User-Agent": {"me"}}},
		"curl -A me -H 'User-Agent: you' " + at:                                              {Method: "GET", URL: at, Header: http.Header{"User-Agent": {"you"}}},
		"curl --compressed " + at:                                                            {Method: "GET", URL: at, Header: http.Header{"Accept-Encoding": {"deflate, gzip"}}},
		"curl -T file.bin https://a.example/dir/":                                            {Method: "PUT", URL: "https://a.example/dir/file.bin", Unread: true},
		"curl a.example":                                                                     {Method: "GET", URL: "http://a.example/"},
		"curl https://a.example?q=1":                                                         {Method: "GET", URL: "https://a.example/?q=1"},
		"curl https://a.example/a/../b/./c/..":                                               {Method: "GET", URL: "https://a.example/b/"},
		"curl --path-as-is https://a.example/a/../b":                                         {Method: "GET", URL: "https://a.example/a/../b"},
		"curl -g 'https://a.example/x?a[]=1'":                                                {Method: "GET", URL: "https://a.example/x?a[]=1"},
		"curl " + at + " | jq .name":                                                         {Method: "GET", URL: at},
		"curl " + at + " > out 2>/dev/null && echo done":                                     {Method: "GET", URL: at},
		"curl \\\n  -X POST \\\r\n " + at + " # why\n":                                       {Method: "POST", URL: at},
		`curl "` + at + `?a=$TOKEN&b=\"\$x\\"`:                                               {Method: "GET", URL: at + `?a=$TOKEN&b="$x\`},
		`curl --data-raw $'{"a":"it\'s\u00e9\x21\041\n"}' ` + at:                             {Method: "POST", URL: at, Header: form, Body: []byte("{\"a\":\"it'sé!!\n\"}")},
		"curl " + at + "?a=1&b=2":                                                            {Method: "GET", URL: at + "?a=1"}, // as a shell does
		"curl.exe -d \"{\\\"a\\\":1}\" " + at:                                                {Method: "POST", URL: at, Header: form, Body: []byte(`{"a":1}`)},
	} {
		got, err := curl.Parse(command)
		if err != nil {
			t.Errorf("%s: %v", command, err)
			continue
		}
		if want.Header == nil {
			want.Header = http.Header{}
		}
		if diff := cmp.Diff(want, got.Request, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", command, diff)
		}
	}
}

func TestFormsAreMultipart(t *testing.T) {
	t.Parallel()

	r, err := curl.Parse(`curl -F purpose=fine-tune -F 'meta={"a":1};type=application/json' -F 'q="a;b\"c"' --form-string 'raw=@x;y' https://a.example/x`)
	if err != nil {
		t.Fatal(err)
	}
	const b = "------------------------tameflare0000000"
	if got, want := r.Header.Get("Content-Type"), "multipart/form-data; boundary="+b; got != want {
		t.Errorf("content type %q, want %q", got, want)
	}
	want := strings.ReplaceAll(`--B
Content-Disposition: form-data; name="purpose"

fine-tune
--B
Content-Disposition: form-data; name="meta"
Content-Type: application/json

{"a":1}
--B
Content-Disposition: form-data; name="q"

a;b"c
--B
Content-Disposition: form-data; name="raw"

@x;y
--B--
`, "B", b)
	if diff := cmp.Diff(want, strings.ReplaceAll(string(r.Body), "\r\n", "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r, err = curl.Parse("curl -F purpose=x -F file=@data.jsonl https://a.example/x"); err != nil || !r.Unread || r.Method != "POST" {
		t.Errorf("a file: unread %v, method %s, %v", r.Unread, r.Method, err)
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	t.Parallel()

	for command, says := range map[string]string{
		"curl -H \"Authorization: Bearer $TOKEN\" " + at: "not filled in",
		"curl " + at + "?a=1&b=2":                        "Only the first command",
		"curl " + at + "\ncurl " + at:                    "Only the first command",
		"curl -d @x " + at:                               "Files are not read",
		"curl -F a=@x " + at:                             "Files are not read",
		"curl -T x " + at:                                "Files are not read",
		"curl -d @- " + at + " <<EOF\n{}\nEOF":           "Files and other input",
		"curl -L " + at:                                  "not followed",
		"curl a.example":                                 "no scheme",
		"curl -b jar.txt " + at:                          "Cookies from a file",
		"curl --aws-sigv4 aws:amz " + at:                 "signature",
		"A=b curl " + at:                                 "Settings before",
		"curl -H ':authority: a.example' " + at:          "begins with a colon",
	} {
		r, err := curl.Parse(command)
		if err != nil || !strings.Contains(strings.Join(r.Notes, "\n"), says) {
			t.Errorf("%s: notes %q, %v; want %q", command, r.Notes, err, says)
		}
	}
	if r, err := curl.Parse("curl -sS -k -X POST -d a=1 " + at); err != nil || len(r.Notes) > 0 {
		t.Errorf("a plain command: notes %q, %v", r.Notes, err)
	}
}

func TestWhatCannotBeReadIsRefusedWithASentence(t *testing.T) {
	t.Parallel()

	for command, says := range map[string]string{
		"":                             "Paste a curl command",
		"wget " + at:                   "not a curl command",
		"Invoke-WebRequest -Uri " + at: "not a curl command",
		"curl":                         "no address",
		"curl -X":                      "needs a value",
		"curl --frobnicate " + at:      "--frobnicate is not known",
		"curl -& " + at:                "",
		"curl -W x " + at:              "-W is not known",
		"curl --no-data " + at:         "not known",
		"curl --ghp_secret_secret_secret_secret_1":              "The option in it",
		"curl $(cat url)":                                       "runs another one",
		"curl \"https://a.example/$(id)\"":                      "runs another one",
		"curl https://a.example/`id`":                           "runs another one",
		"curl -d @<(id) " + at:                                  "",
		"curl 'https://a.example":                               "not closed",
		"curl \"https://a.example":                              "not closed",
		"curl $'https://a.example":                              "not closed",
		"curl https://a.example \\":                             "backslash",
		"(curl " + at + ")":                                     "parentheses",
		"curl " + at + " https://b.example":                     "several addresses",
		"curl " + at + " --next " + at:                          "several requests",
		"curl -K curlrc":                                        "files are not read",
		"curl -H @file " + at:                                   "Headers from a file",
		"curl -H nonsense " + at:                                "A header is written",
		"curl -F nonsense " + at:                                "form's field",
		"curl -d a=1 -F b=2 " + at:                              "two bodies",
		"curl -F 'a=(;type=x' -F '=(' " + at:                    "",
		"curl https://a.example/{a,b}":                          "curl makes several requests",
		"curl --request-target /y " + at:                        "--request-target",
		"curl https://a%zz:b@a.example/":                        "user in the address",
		"curl -d '" + strings.Repeat("x", curl.Max) + "' " + at: "too long",
		"curl a\x00b":                                           "NUL",
		`curl $'\u' ` + at:                                      "character's number",
	} {
		r, err := curl.Parse(command)
		if says == "" {
			continue // one way or the other, it must not panic
		}
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), says) {
			t.Errorf("%.80s: %v %+v, want a sentence with %q", command, err, r, says)
		}
		if strings.Contains(fault.Message(err), "secret") {
			t.Errorf("%s: the sentence repeats what was pasted: %s", command, fault.Message(err))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"curl https://a.example/x", "curl -sSLXPOST -d 'a=1' \"https://a.example/?q=$X\"", `curl $'\x41\u00e9' -H 'A: b'`,
		"curl ^\"https://a.example/^\" ^\n  -H ^\"A: b^\" ^\n --data-raw ^\"^{^\\^\"a^\\^\":1^}^\"", "curl -F 'a=\"b;c\";type=x' -F d=@e https://a.example",
		"curl -G --data-urlencode 'a=b c' https://u:p@a.example/../b?c=d#e", "curl 2>&1 >x <<EOF https://a.example | jq", "curl --json '{}' -u a https://[::1]:8/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, command string) {
		r, err := curl.Parse(command)
		if err != nil {
			if fault.Of(err) != fault.Invalid || fault.Message(err) == "" {
				t.Fatalf("%q: no sentence: %v", command, err)
			}
			return
		}
		again, err := curl.Parse(command)
		if err != nil || cmp.Diff(r, again) != "" {
			t.Fatalf("%q is read in two ways: %v", command, err)
		}
		if r.Method == "" || !strings.Contains(r.URL, "://") || strings.Contains(r.URL, "#") {
			t.Fatalf("%q gave %+v", command, r)
		}
		if len(r.Body) > 4*len(command)+4096*strings.Count(command, "F")+4096 {
			t.Fatalf("%q grew to %d bytes", command, len(r.Body))
		}
		_, _ = r.Connectors() // it may be refused, and must not panic
	})
}
