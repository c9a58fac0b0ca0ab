package corpus_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/integration/corpus"
	"github.com/tameflare/tameflare/integration/standin"
)

// record keeps what the clients send now. What is new in it a person has to
// name, in the file, before the tests pass.
var record = flag.Bool("record", false, "write what the clients send to testdata")

// outcome is what run.mjs says of one operation.
type outcome struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	Run   string `json:"run"`
	MS    int    `json:"ms"` // that it took
}

// sdk runs operations of a client, all of them where none are named.
func (s *stage) sdk(t *testing.T, gateway, client string, names ...string) []outcome {
	t.Helper()
	file, err := filepath.Abs("clients")
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.run(t, gateway, file, nil, append([]string{s.node, "run.mjs", client + ".mjs"}, names...)...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", client, err, out)
	}
	var all []outcome
	for line := range strings.Lines(out) {
		var o outcome
		if json.Unmarshal([]byte(line), &o) == nil && o.Name != "" {
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s did nothing:\n%s", client, out)
	}
	return all
}

func TestSDKsWorkUnmodifiedWithADummyKey(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, client := range []string{"octokit", "openai", "anthropic", "stripe", "slack"} {
		t.Run(client, func(t *testing.T) {
			s.services.Take()
			did := s.sdk(t, "agent", client)
			if len(did) < least[client] {
				t.Errorf("%d operations, want %d", len(did), least[client])
			}
			for _, o := range did {
				if !o.OK {
					t.Errorf("%s: %s", o.Name, o.Error)
				}
			}
			s.sentAsRecorded(t, client, did[0].Run)
		})
	}
}

// sentAsRecorded looks at what has been sent since it was last looked at, which
// was in one run.
func (s *stage) sentAsRecorded(t *testing.T, client, run string) {
	t.Helper()
	sent, problems := s.services.Take()
	for _, p := range problems {
		t.Errorf("%s", p)
	}
	file := filepath.Join("testdata", client+".jsonl")
	known, err := corpus.Read(file)
	if err != nil && !*record {
		t.Fatal(err)
	}
	now := expected(sent, known)
	if *record {
		if err := corpus.Write(file, now); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, r := range now {
		got, err := named(t, r)
		switch {
		case r.Action == "":
			t.Errorf("not recorded: %s\n\tit is named %s, %s of %q, %v (%v)", r, got.Name, got.Class, got.Resource, got.Params, err)
		case err != nil:
			t.Errorf("%s: %v", r, err)
		default:
			if d := differences(r, got); d != "" {
				t.Errorf("%s\n\t%s", r, d)
			}
		}
	}
	s.noted(t, run, now)
	if len(now) < len(known) {
		t.Errorf("%d requests were sent, and %d are recorded", len(now), len(known))
	}
}

// expected are the requests that were sent, with what the recordings of the
// same shape say that they are. Each recording is for one request.
func expected(sent []standin.Sent, known []corpus.Record) []corpus.Record {
	byShape := map[string][]corpus.Record{}
	for _, r := range known {
		byShape[r.Shape()] = append(byShape[r.Shape()], r)
	}
	var all []corpus.Record
	for _, request := range sent {
		r := corpus.Of(request.Request, request.Content)
		if same := byShape[r.Shape()]; len(same) > 0 {
			r.Action, r.Class, r.Resource, r.Params = same[0].Action, same[0].Class, same[0].Resource, same[0].Params
			byShape[r.Shape()] = same[1:]
		}
		all = append(all, r)
	}
	return all
}
