package packs_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/policy/packs"
)

func TestEveryPackIsRight(t *testing.T) {
	t.Parallel()

	for _, p := range packs.All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			d, err := document.Parse(p.Name+".yaml", []byte(p.Document), connectors.Catalogue{})
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			if d.Policy.Name != p.Name || d.Description != p.Summary {
				t.Errorf("it calls itself %q: %q", d.Policy.Name, d.Description)
			}
			for _, n := range d.Notes {
				t.Errorf("a note in line %d: %s", n.Line, n.Message)
			}
			for _, s := range p.Services {
				if !slices.Contains(connectors.Catalogue{}.Types(), s) {
					t.Errorf("no service is called %q", s)
				}
			}
			results, err := d.Run(policies.Reader(nil))
			if err != nil {
				t.Fatal(err)
			}
			decided := map[string]bool{}
			for _, r := range results {
				if !r.Passed {
					t.Errorf("%s: %s", r.Test.Name, r.Problem)
				}
				decided[r.Rule] = true
			}
			for _, c := range d.Policy.Clauses {
				if !decided[c.Name] {
					t.Errorf("no test shows the rule %q", c.Name)
				}
			}
			if !decided[""] {
				t.Error("no test shows what it leaves alone")
			}
		})
	}
}

func TestAPackIsFoundByItsName(t *testing.T) {
	t.Parallel()

	for _, p := range packs.All() {
		one, ok := packs.Named(p.Name)
		if !ok || one.Document != p.Document || p.Title == "" || !strings.HasSuffix(p.Summary, ".") {
			t.Errorf("%+v, %v", one, ok)
		}
	}
	if p, ok := packs.Named("no such"); ok {
		t.Errorf("%+v", p)
	}
	files, err := os.ReadDir("files")
	if err != nil || len(files) != len(packs.All()) {
		t.Errorf("%d files, %v; want one for each pack", len(files), err)
	}
}
