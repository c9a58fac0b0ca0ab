package integration_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/connectorstest"
)

// Every operation that a service lists is explained by the program as people
// have it, offline: by the right connector, and as what the table calls it.
func TestExplainNamesEveryOperation(t *testing.T) {
	t.Parallel()

	tables := filepath.Join("..", "connectors", "tables")
	facts, err := connectorstest.Facts(tables)
	if err != nil {
		t.Fatal(err)
	}
	named, err := connectorstest.Named(tables)
	if err != nil {
		t.Fatal(err)
	}
	type asked struct {
		connectorstest.Request
		service, action string
	}
	var all []asked
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, f := range facts {
		for _, r := range f.Requests() {
			all = append(all, asked{r, f.Service, named[connectorstest.Fact{Service: f.Service, Key: f.Key}]})
			line := map[string]any{"method": r.Method, "url": r.URL, "body": r.Body}
			headers := map[string]string{}
			for name := range r.Headers {
				headers[name] = r.Headers.Get(name)
			}
			line["headers"] = headers
			if err := enc.Encode(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "tameflare"), "explain", "--jsonl")
	cmd.Stdin = &in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("explain: %v\n%s", err, &stderr)
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	wrong := 0
	for i, want := range all {
		var got struct{ Connector, Action, Class, Risk, Error string }
		if err := answers.Decode(&got); err != nil {
			t.Fatalf("answer %d of %d: %v", i+1, len(all), err)
		}
		if got.Connector != want.service || got.Action != want.action || got.Class == "" || got.Risk == "" || got.Error != "" {
			if wrong++; wrong <= 20 {
				t.Errorf("%s %s is %+v, want %s by %s", want.Method, want.URL, got, want.action, want.service)
			}
		}
	}
	if answers.More() {
		t.Error("there are more answers than requests")
	}
	t.Logf("%d operations as %d requests, %d wrong", len(facts), len(all), wrong)
}
