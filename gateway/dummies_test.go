package gateway_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/runs"
)

func TestEachRunHasKeysOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(2, func(s *wire.Snapshot) {
		s.Connectors[0].ClientKey = credential.RequireDummy
		s.Connectors[1].ClientKey = credential.RequireDummy // it has no credential: then only its own variable
		s.Connectors = append(s.Connectors, wire.Connector{Name: "gh.es", Type: "github", Hosts: []string{"ghes.example"}, CredentialID: "cred_1", ClientKey: credential.Pass})
	})
	eventually(t, "configured", func() bool { s, err := w.client.Status(t.Context()); return err == nil && s.Snapshot.Version == 2 })
	a, b := w.run(runs.Start{Program: "a"}), w.run(runs.Start{Program: "b"})

	env := a.Door.Env
	if env["GITHUB_TOKEN"] != env["GH_TOKEN"] || env["GITHUB_TOKEN"] != env["TAMEFLARE_KEY_GITHUB"] {
		t.Errorf("the first connector of a type has its names: %v", env)
	}
	seen := map[string]string{}
	for who, door := range map[string]runs.Door{"a": a.Door, "b": b.Door} {
		for _, name := range []string{"TAMEFLARE_KEY_GITHUB", "TAMEFLARE_KEY_SELF", "TAMEFLARE_KEY_GH_ES"} {
			key := door.Env[name]
			if other, twice := seen[key]; twice || key == "" || strings.Contains(key, canary) || strings.Contains(key, door.RunID) {
				t.Errorf("%s of run %s is %q, as %s", name, who, key, other)
			}
			seen[key] = name + " of run " + who
		}
	}
	if !slices.Equal(a.Door.Yield, []string{"TAMEFLARE_KEY_GH_ES"}) {
		t.Errorf("yields %v", a.Door.Yield)
	}
	ask := func(r *run, key string) int {
		q, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.github.com/zen", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "token "+key)
		res, err := r.http.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	for name, c := range map[string]struct {
		run  *run
		key  string
		want int
	}{
		"its own": {a, a.Door.Env["GITHUB_TOKEN"], 200}, "the other's own": {b, b.Door.Env["GITHUB_TOKEN"], 200},
		"the other's": {a, b.Door.Env["GITHUB_TOKEN"], 403}, "for another connector": {a, env["TAMEFLARE_KEY_GH_ES"], 403}, "a stranger's": {a, "ghp_stranger", 403},
	} {
		if got := ask(c.run, c.key); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
