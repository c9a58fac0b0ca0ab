package show_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
)

// bounded fails where parts are more than a page takes, or not text.
func bounded(t *testing.T, parts []show.Part) {
	t.Helper()
	rows, size := 0, 0
	valid := true
	for _, p := range parts {
		size += len(p.Title) + len(p.Text)
		valid = valid && utf8.ValidString(p.Title) && utf8.ValidString(p.Text)
		for _, r := range p.Rows {
			size += len(r[0]) + len(r[1])
			valid = valid && utf8.ValidString(r[0]) && utf8.ValidString(r[1])
			rows++
		}
	}
	if len(parts) > 40 || rows > 400 || size > 64<<10 || !valid {
		t.Errorf("%d parts, %d rows, %d bytes, valid: %v", len(parts), rows, size, valid)
	}
}

var services = []string{
	"github.pr.create", "github.file.update", "github.repo.push", "stripe.charge.create", "slack.message.send", "openai.chat.create", "mcp.tools.call", "http.post", "",
}

func TestHoweverLargeItIsAPageTakesIt(t *testing.T) {
	t.Parallel()

	deep := strings.Repeat(`{"a":[`, 4000)
	for name, body := range map[string]string{
		"one long text":    `{"text":"` + strings.Repeat("é", 100_000) + `","body":"` + strings.Repeat("x", 100_000) + `"}`,
		"many lines":       `{"body":"` + strings.Repeat(`a\n`, 30_000) + `"}`,
		"many fields":      "{" + strings.Repeat(`"a":"`+strings.Repeat("y", 90)+`",`, 2000) + `"b":1}`,
		"many long fields": "{" + strings.Repeat(`"a":"`+strings.Repeat("y", 900)+`",`, 900) + `"b":1}`,
		"many messages":    `{"messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("z", 2000)+`"},`, 300) + `{}]}`,
		"many files":       `{"files":{` + strings.Repeat(`"a":{"content":"`+strings.Repeat("z\\n", 200)+`"},`, 300) + `"b":{}}}`,
		"many calls":       "[" + strings.Repeat(`{"method":"tools/call","params":{"name":"x","arguments":{"a":1}}},`, 500) + "{}]",
		"long names":       `{"` + strings.Repeat("n", 50_000) + `":1}`,
		"deep":             deep,
		"deep and closed":  deep + strings.Repeat("]}", 4000),
		"many values":      "[" + strings.Repeat("1,", 100_000) + "1]",
		"many diffs":       "[" + strings.Repeat(`"@@ -1 +1 @@\n-a\n+b",`, 500) + "1]",
		"a form":           strings.Repeat("a=b&", 50_000),
		"parts":            strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nhello\r\n", 3000) + "--x--\r\n",
		"text":             strings.Repeat("hello world\n", 20_000),
		"bytes":            strings.Repeat("\x00\xff", 50_000),
	} {
		type way struct {
			service, kind string
			whole         bool
		}
		ways := []way{{"http.post", "multipart/form-data; boundary=x", true}, {"http.post", "multipart/form-data; boundary=x", false}, {"http.post", "text/plain", true}, {"http.post", "text/x-diff", true}}
		for _, service := range services {
			ways = append(ways, way{service, aJSON, true}, way{service, aForm, false})
		}
		for _, w := range ways {
			parts := show.Request(action.Action{Name: w.service}, w.kind, "", approval.Body{Bytes: []byte(body), Whole: w.whole})
			bounded(t, parts)
			if len(parts) == 0 {
				t.Errorf("%s: nothing is shown of %+v", name, w)
			}
		}
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("a line\n", 413)
	for name, tt := range map[string]struct{ action, kind, body, want string }{
		"lines":      {"http.post", "text/plain", long, "…and 213 more lines"},
		"characters": {"http.post", "text/plain", strings.Repeat("é", 20_000), "…and 11,808 more characters"},
		"rows":       {"mcp.tools.call", aJSON, `{"method":"tools/call","params":{"name":"x","arguments":{"a":[` + strings.Repeat("1,", 500) + `1]}}}`, "There is more than fits here: 102 parts or rows left out. See the exact bytes."},
		"parts":      {"github.gist.create", aJSON, `{"files":{` + strings.Repeat(`"a":{"content":"b"},`, 40) + `"b":{}}}`, "left out. See the exact bytes."},
		"messages":   {"openai.chat.create", aJSON, `{"messages":[` + strings.Repeat(`{"role":"user","content":"hi"},`, 20) + `{"role":"user","content":"bye"}]}`, "The last 8 of 21 messages, which have 127 characters in all. Those before are below, in Details."},
	} {
		if got := written(show.Request(action.Action{Name: tt.action}, tt.kind, "", whole(tt.body))); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q is not in %s", name, tt.want, got)
		}
	}
}

// Every value of a body that fits is somewhere in what is shown.
func TestNothingThatFitsIsLeftOut(t *testing.T) {
	t.Parallel()

	value := func(i int) string { return fmt.Sprintf("v.%03d", i) }
	n := 0
	next := func() string { n++; return value(n) }
	var fields []string
	for _, name := range []string{
		"title", "body", "message", "content", "branch", "sha", "commit_title", "description", "channel", "user", "text", "thread_ts", "username", "amount", "currency",
		"customer", "destination", "model", "max_tokens", "system", "instructions", "prompt", "stream", "method", "id", "jsonrpc", "encoding", "name", "unheard_of",
	} {
		fields = append(fields, fmt.Sprintf("%q:%q", name, next()))
	}
	for _, name := range []string{"messages", "input", "blocks", "attachments", "tools", "comments", "tree", "files", "params", "metadata", "variables", "view"} {
		fields = append(fields,
			fmt.Sprintf(`%q:[{"role":%q,"type":%q,"content":%q,"text":%q,"path":%q,"line":%q,"body":%q,"name":%q,"deep":[[%q],{"er":%q}]},%q]`, name, next(), next(), next(), next(), next(), next(), next(), next(), next(), next(), next()),
			fmt.Sprintf(`%q:{"a.txt":{"content":%q,"other":%q},"name":%q,"arguments":{"x":%q}}`, name, next(), next(), next(), next()))
	}
	for _, name := range []string{"title", "text", "amount", "files", "messages"} { // of another kind than usual
		fields = append(fields, fmt.Sprintf(`%q:{"a":%q}`, name, next()), fmt.Sprintf(`%q:[%q]`, name, next()))
	}
	for _, service := range services {
		if service == "github.repo.push" || service == "http.post" || service == "" { // whose JSON is as it is
			continue
		}
		for i := range fields { // each of them first, and so the one that counts
			one := append(append([]string{}, fields[i:]...), fields[:i]...)
			got := strings.ToLower(written(show.Request(action.Action{Name: service}, aJSON, "", whole("{"+strings.Join(one, ",")+"}")))) // a role begins a title
			for i := 1; i <= n; i++ {
				if !strings.Contains(got, value(i)) {
					t.Fatalf("%s: %s of %s is not in %s", service, value(i), one, got)
				}
			}
		}
	}
}

func TestABodyIsShownWithoutItsCoding(t *testing.T) {
	t.Parallel()

	pack := func(text string, writer func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := writer(&b)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	raw := func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, 9)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	zst := func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Error(err)
		}
		return z
	}
	zl := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	hello := "hello hello hello hello"
	for name, tt := range map[string]struct {
		coding string
		data   []byte
		whole  bool
		want   string
	}{
		"none":        {"identity", []byte(hello), true, "code |" + hello + "\n"},
		"gzip":        {"GZIP", pack(hello, gz), true, "code |" + hello + "\n"},
		"deflate":     {"deflate", pack(hello, zl), true, "code |" + hello + "\n"},
		"raw deflate": {"deflate", pack(hello, raw), true, "code |" + hello + "\n"},
		"zstd":        {"zstd", pack(hello, zst), true, "code |" + hello + "\n"},
		"two":         {"zstd, gzip", pack(string(pack(hello, zst)), gz), true, "code |" + hello + "\n"},
		"cut":         {"gzip", pack(strings.Repeat(hello, 1000), gz)[:60], true, "note |The compressed body does not end as it should. This is what can be read of it.\n"},
		"not it":      {"gzip", []byte(hello), true, "Sent=in the coding gzip, which cannot be read here"},
		"unknown":     {"br", []byte(hello), true, "Sent=in the coding br, which cannot be read here"},
		"too many":    {"gzip,gzip,gzip,gzip", []byte(hello), true, "which cannot be read here"},
		"a bomb":      {"gzip", pack(strings.Repeat("\n", 8<<20), gz), true, "note |The body is compressed, and more than 1 MB without that. This is its beginning.\n"},
		"a zstd bomb": {"zstd", pack(strings.Repeat("\n", 8<<20), zst), true, "note |"},
		"beginning":   {"", []byte(hello), false, "note |The first 23 bytes of 3.1 MB. What comes after is not shown.\n"},
	} {
		a := approval.Approval{Action: action.Action{Name: "http.post"}, BodyType: "text/plain", BodyCoding: tt.coding, BodySize: 3250586}
		parts := show.Of(a, approval.Body{Bytes: tt.data, Whole: tt.whole})
		bounded(t, parts)
		if got := written(parts); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %q", name, got, tt.want)
		}
	}
}

func TestOfABodyThatIsCutOffTheBeginningIsShown(t *testing.T) {
	t.Parallel()

	full := `{"message":"Say","content":"aGVsbG8K","nested":{"list":[1,true,null,"x\u00e9\ud83d\ude00"]},"n":-1.5e3}`
	for i := 1; i < len(full); i++ {
		parts := show.Request(action.Action{Name: "github.file.update", Params: map[string]any{"path": "a"}}, aJSON, "", approval.Body{Bytes: []byte(full[:i])})
		bounded(t, parts)
		if got := written(parts); strings.Contains(got, "is none") || !strings.HasPrefix(got, "note |The first ") {
			t.Errorf("%s: %s", full[:i], got)
		}
	}
	got := written(show.Request(action.Action{Name: "github.file.update"}, aJSON, "", approval.Body{Bytes: []byte(`{"message":"Say","content":"aGVsbG8gaGVsb`)}))
	if want := "code Content|hello hel\n"; !strings.Contains(got, want) {
		t.Errorf("%s, want %q", got, want)
	}
}

func TestAPushSaysWhatBecomesOfWhichBranch(t *testing.T) {
	t.Parallel()

	const zero, old, next = "0000000000000000000000000000000000000000", "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	body := line(old+" "+next+" refs/heads/main\x00report-status atomic") + line(zero+" "+next+" refs/heads/new") + line(old+" "+zero+" refs/tags/v1") + "0000PACK"
	for name, tt := range map[string]struct {
		body string
		want string
	}{
		"a push": {body, "note |Git does not say in a push whether it is forced, that is, whether commits that are there now would be lost.\n" +
			"table Branches and tags|\n  refs/heads/main=111111111111 → 222222222222\n  refs/heads/new=new, at 222222222222\n  refs/tags/v1=deleted, was at 111111111111\ntable Details|\n  Atomic=all of them or none\n"},
		"a probe": {"0000", "note |This push changes nothing yet: git asks whether it may.\n"},
		"none":    {"hello", "note |It cannot be read which branches and tags this push would change.\ntable Bytes|\n"},
	} {
		got := written(show.Request(action.Action{Name: "github.repo.push"}, "application/x-git-receive-pack-request", "", whole(tt.body)))
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestASummaryIsOneLine(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		act  action.Action
		want string
	}{
		"a deletion": {action.Action{Name: "github.repo.delete", Resource: "acme/site"}, "delete the repository acme/site (critical risk, cannot be undone)"},
		"a read":     {action.Action{Name: "http.get", Resource: "example.com/a", Class: action.Read, Risk: action.Low}, "read example.com/a (low risk)"},
		"two lines":  {action.Action{Name: "http.post", Resource: "a\nb", Class: action.Write, Risk: action.Medium, Reversible: true}, "send to a\ufffdb (medium risk)"},
		"a secret":   {action.Action{Name: "http.get", Resource: of("ghp_", 36), Class: action.Read, Risk: action.Low}, "read ghp_…, 40 characters (low risk)"},
	} {
		if got := show.Summary(tt.act); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if got := show.SummaryOf(strings.Repeat("x", 500), action.Action{}); utf8.RuneCountInString(got) != 240 || !strings.HasSuffix(got, "… (critical risk, cannot be undone)") {
		t.Errorf("a long one: %q", got)
	}
}

func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`{"a":[1,{"b":"\u00e9"}]}`, "a=b&c[0]=%20", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
		"0000", "\x1f\x8b\x08\x00", `{"query":"mutation { a(input: {}) { b } }","variables":{}}`, `[{"method":"tools/call","params":{"name":"x","arguments":{"password":"y"}}}]`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`, `{"blocks":"[{\"text\":\"x\"}]"}`, `{"files":{"a":{"content":"b"}},"content":"YQ=="}`, pem,
		"amount=1&currency=jpy", `{"amount":{"value":-9223372036854775808,"currency":"eur"}}`, "\xff\xfe", `{"a":"b`, "Authorization: Bearer abc123",
	} {
		for i := range services {
			f.Add(i, aJSON, "", []byte(body), i%2 == 0)
		}
		f.Add(3, aForm, "gzip", []byte(body), true)
		f.Add(7, "multipart/form-data; boundary=x", "", []byte(body), true)
		f.Add(7, "text/x-diff", "deflate", []byte(body), false)
	}
	f.Fuzz(func(t *testing.T, service int, kind, coding string, body []byte, all bool) {
		a := action.Action{Name: services[(service%len(services)+len(services))%len(services)], Params: map[string]any{"path": string(body[:min(len(body), 9)])}}
		bounded(t, show.Request(a, kind, coding, approval.Body{Bytes: body, Whole: all}))
		if !utf8.ValidString(show.Summary(a)) {
			t.Errorf("%q is not valid", show.Summary(a))
		}
	})
}

func FuzzMask(f *testing.F) {
	f.Add("password=hunter2&token: \"a\\\"b\" Bearer abc123 " + of("sk_live_", 24) + " 4242 4242 4242 4242")
	f.Add(pem)
	f.Fuzz(func(t *testing.T, text string) {
		key := of("ghp_", 36)
		if got := show.Mask(text + " " + key + " " + text); strings.Contains(got, key) {
			t.Errorf("the key is in %q", got)
		}
	})
}
