package connectors_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

func set(t testing.TB, hosts map[string][]string) (*connectors.Set, error) {
	t.Helper()
	var all []*connectors.Connector
	for name, list := range hosts {
		c, err := connectors.New(connectors.Config{Type: "http", Name: name, Hosts: list})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return connectors.NewSet(all)
}

func TestTheMostSpecificHostAnswers(t *testing.T) {
	t.Parallel()

	s, err := set(t, map[string][]string{
		"exact": {"api.example.com", "10.0.0.5", "[2001:db8::1]"}, "near": {"*.api.example.com"}, "far": {"*.example.com", "localhost"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"api.example.com": "exact", "API.Example.com.": "exact", "a.api.example.com": "near", "a.b.api.example.com": "near",
		"www.example.com": "far", "example.com": "", "xexample.com": "", "example.com.evil.net": "", "": "", ".example.com": "",
		"localhost": "far", "10.0.0.5": "exact", "2001:db8::1": "exact", "10.0.0.50": "",
	} {
		got := ""
		if c := s.For(host); c != nil {
			got = c.Name()
			if h := strings.TrimSuffix(strings.ToLower(host), "."); !c.Answers(h) {
				t.Errorf("%q: %s does not answer for it itself", host, got)
			}
		}
		if got != want {
			t.Errorf("%q: %q answers, want %q", host, got, want)
		}
	}
	var none *connectors.Set
	if none.For("api.example.com") != nil || none.Named("exact") != nil || s.Named("near").Name() != "near" || s.Named("none") != nil {
		t.Error("Named and the nil Set do not say what there is")
	}
}

func TestNoTwoConnectorsAnswerForOneHost(t *testing.T) {
	t.Parallel()

	for name, hosts := range map[string]map[string][]string{
		"exact":    {"a": {"api.example.com"}, "b": {"x.example.com", "API.example.com."}},
		"patterns": {"a": {"*.example.com"}, "b": {"*.example.com"}},
	} {
		if _, err := set(t, hosts); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "example.com") {
			t.Errorf("%s: %v, want fault.Invalid that names the host", name, err)
		}
	}
	c := one(t, "github")
	if _, err := connectors.NewSet([]*connectors.Connector{c, c}); fault.Of(err) != fault.Invalid {
		t.Errorf("one name twice: %v, want fault.Invalid", err)
	}
}

func TestConnectorsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()

	for name, cfg := range map[string]connectors.Config{
		"no type":             {},
		"an unknown type":     {Type: "gitlab"},
		"no hosts":            {Type: "http"},
		"a bad name":          {Type: "github", Name: "My Hub"},
		"a scheme":            {Type: "http", Hosts: []string{"https://api.example.com"}},
		"a path":              {Type: "http", Hosts: []string{"api.example.com/v1"}},
		"a port":              {Type: "http", Hosts: []string{"api.example.com:8443"}},
		"a space":             {Type: "http", Hosts: []string{"api example.com"}},
		"an empty label":      {Type: "http", Hosts: []string{"api..example.com"}},
		"everything":          {Type: "http", Hosts: []string{"*"}},
		"a top-level domain":  {Type: "http", Hosts: []string{"*.com"}},
		"a star in between":   {Type: "http", Hosts: []string{"api.*.example.com"}},
		"half a star":         {Type: "http", Hosts: []string{"*api.example.com"}},
		"an octal address":    {Type: "http", Hosts: []string{"0177.0.0.1"}},
		"a short address":     {Type: "http", Hosts: []string{"127.1"}},
		"a pattern of GitHub": {Type: "github", Hosts: []string{"*.example.com"}},
		"a style of others":   {Type: "github", Style: credential.Style{Kind: credential.Header, Name: "X-Key"}},
		"a style unfinished":  {Type: "http", Hosts: []string{"api.example.com"}, Style: credential.Style{Kind: credential.Header}},
		"a name of no style":  {Type: "http", Hosts: []string{"api.example.com"}, Style: credential.Style{Name: "X-Key"}},
	} {
		if c, err := connectors.New(cfg); c != nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, %v, want fault.Invalid", name, c, err)
		}
	}
}

func BenchmarkFor(b *testing.B) {
	hosts := map[string][]string{}
	for i := range 1000 {
		hosts[fmt.Sprint("c", i)] = []string{fmt.Sprintf("api%d.example.com", i), fmt.Sprintf("*.below%d.example.com", i)}
	}
	s, err := set(b, hosts)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.For("www.below77.example.com")
	}
}
