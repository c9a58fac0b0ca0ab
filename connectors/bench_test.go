package connectors_test

import (
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/connectorstest"
)

// naming is what a gateway does with every request.
func naming(tb testing.TB, s connectorstest.Sample) func() {
	tb.Helper()
	c := one(tb, s.Type)
	if a, err := c.Read(s.Request); err != nil || a.Name != s.Action {
		tb.Fatalf("%s is %s, %v, want %s", s.Name, a.Name, err, s.Action)
	}
	return func() {
		c.NeedsBody(s.Request)
		_, _ = c.Read(s.Request)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, s := range connectorstest.Samples() {
		b.Run(s.Name, func(b *testing.B) {
			read := naming(b, s)
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
		})
	}
}

func BenchmarkTenTimesTheOperations(b *testing.B) {
	for name, n := range map[string]int{"200": 200, "2000": 2000} {
		c, r, err := connectorstest.Many(n)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = c.Read(r)
			}
		})
	}
}

func BenchmarkTables(b *testing.B) {
	for b.Loop() {
		for _, typ := range connectors.Types() {
			typ.Operations()
		}
	}
}

// Not parallel: what others allocate would be counted too.
func TestNamingByPathAloneAllocatesAtMostThrice(t *testing.T) {
	for _, s := range connectorstest.Samples() {
		if s.Kind != connectorstest.Path {
			continue
		}
		if n := testing.AllocsPerRun(100, naming(t, s)); n > 3 {
			t.Errorf("%s: %v allocations, want at most 3", s.Name, n)
		}
	}
}

func TestManyOperationsAreNamedToo(t *testing.T) {
	t.Parallel()

	c, r, err := connectorstest.Many(2000)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := c.Read(r); err != nil || a.Name != "many.thing_1999.get" || a.Resource != "12" || a.Params["part"] != "7" {
		t.Errorf("%+v, %v, want the last", a, err)
	}
}
