package dummy_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/gateway/dummy"
)

func connector(t *testing.T, typ, name string) *connectors.Connector {
	t.Helper()
	c := connectors.Config{Type: typ, Name: name}
	if typ == "http" {
		c.Hosts = []string{"api.example.com"}
	}
	made, err := connectors.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestKeysDifferByRunAndConnector(t *testing.T) {
	t.Parallel()

	var a, b dummy.Keys
	seen := map[string]string{}
	for name, key := range map[string]string{
		"one":               a.For("gw_1", connector(t, "github", "github")),
		"another connector": a.For("gw_1", connector(t, "github", "other")),
		"another type":      a.For("gw_1", connector(t, "http", "github")),
		"another run":       b.For("gw_1", connector(t, "github", "github")),
	} {
		plain, ok := connectors.FindDummy(key)
		if !ok {
			t.Fatalf("%s: %s is no dummy key", name, key)
		}
		if other, twice := seen[plain]; twice {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[plain] = name
	}
	if again := a.For("gw_1", connector(t, "github", "github")); seen[plain(t, again)] != "one" {
		t.Error("asked again, the key is another")
	}
}

func plain(t *testing.T, key string) string {
	t.Helper()
	p, ok := connectors.FindDummy(key)
	if !ok {
		t.Fatalf("%s is no dummy key", key)
	}
	return p
}

func TestARunKnowsItsOwnKeysAlone(t *testing.T) {
	t.Parallel()

	var a, b dummy.Keys
	key := a.For("gw_1", connector(t, "github", "gh"))
	if o, ok := a.Origin(plain(t, key)); !ok || o != (dummy.Origin{Type: "github", Connector: "gh"}) {
		t.Errorf("its own is known as %+v, %v", o, ok)
	}
	if !strings.HasPrefix(key, "ghp_") {
		t.Errorf("%s does not look like a key of GitHub", key)
	}
	b.For("gw_1", connector(t, "github", "gh"))
	if o, ok := b.Origin(plain(t, key)); ok {
		t.Errorf("another run's is known as %+v", o)
	}
	if o, ok := new(dummy.Keys).Origin(plain(t, key)); ok {
		t.Errorf("a fresh run knows %+v", o)
	}
}
