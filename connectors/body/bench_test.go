package body_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/body"
)

// chat is a JSON body of 2 KB as services for models get it.
func chat() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-5","stream":true,"max_tokens":1024,"temperature":0.7,"user":"u_1","metadata":{"team":"core"},"tools":[`)
	for i := range 4 {
		fmt.Fprintf(&b, `{"type":"function","function":{"name":"tool_%d","description":"Looks a thing up.","parameters":{"type":"object","properties":{"id":{"type":"string"}}}}},`, i)
	}
	b.WriteString(`{"type":"function","function":{"name":"last"}}],"messages":[`)
	for b.Len() < 1900 {
		b.WriteString(`{"role":"user","content":"Say \"hello\" to everybody who reads this.\nThen go on."},`)
	}
	b.WriteString(`{"role":"assistant","content":"Hello."}]}`)
	return []byte(b.String())
}

const chatPaths = `.model .stream .max_tokens .user .metadata.team .tools[].function.name`

// morePaths are n further paths, none of which is in a body.
func morePaths(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " .field_%d .metadata.key_%d .tools[].function.other_%d", i, i, i)
	}
	return b.String()
}

func BenchmarkJSON(b *testing.B) {
	for name, paths := range map[string]string{"6 paths": chatPaths, "66 paths": chatPaths + morePaths(20)} {
		b.Run(name, func(b *testing.B) { benchmark(b, paths, chat(), (*body.Finder).JSON) })
	}
}

func BenchmarkCheck(b *testing.B) {
	data := chat()
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := body.Check(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForm(b *testing.B) {
	var data strings.Builder
	data.WriteString("model=m&stream=true&max_tokens=1&user=u&metadata[team]=core&tools[0][function][name]=x")
	for i := 0; data.Len() < 2000; i++ {
		fmt.Fprintf(&data, "&line_items%%5B%d%%5D%%5Bprice%%5D=price_%d+x", i, i)
	}
	benchmark(b, chatPaths, []byte(data.String()), (*body.Finder).Form)
}

func BenchmarkMultipart(b *testing.B) {
	data := written(named("model", "m"), named("stream", "true"), named("max_tokens", "1"), named("user", "u"), named("metadata[team]", "core"), named("tools[0][function][name]", "x"), disposed(`form-data; name="file"; filename="x"`)+strings.Repeat("x", 1500))
	benchmark(b, chatPaths, []byte(data), func(f *body.Finder, data []byte, values []body.Value) error {
		return f.Multipart(data, "B", values)
	})
}

func benchmark(b *testing.B, paths string, data []byte, read func(f *body.Finder, data []byte, values []body.Value) error) {
	f, values := finder(b, paths)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := read(f, data, values); err != nil {
			b.Fatal(err)
		}
	}
}

func TestReadingJSONAllocatesOnlyWhatItSays(t *testing.T) {
	f, values := finder(t, chatPaths)
	data := chat()
	// Three texts and a number, five elements and a list that grows four times;
	// room for the keys, and to fold one.
	if n := testing.AllocsPerRun(100, func() { _ = f.JSON(data, values) }); n > 15 {
		t.Errorf("%v allocations, want no more than 15", n)
	}
}
