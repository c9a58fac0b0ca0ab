package policies

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// Checked is a document that can be read, and what became of its tests.
type Checked struct {
	Document *document.Document
	Results  []document.Result
	Compiled policy.Policy // as gateways get it, but for ID, Version and how it counts
}

// Check reads a document as Save would. It fails with fault.Invalid where a
// gateway could not use it; then errors.AsType finds *yamldoc.Problems where
// the places are known. Tests that fail are in the results.
func (s *Service) Check(ctx context.Context, teamID, text string) (Checked, error) {
	known, read, err := s.Known.For(ctx, teamID)
	if err != nil {
		return Checked{}, fmt.Errorf("check policy: %w", err)
	}
	c, err := Check(text, known, read)
	if err != nil {
		return Checked{}, fmt.Errorf("check policy: %w", err)
	}
	return c, nil
}

// Check reads a document, compiles it as gateways do, and makes its tests. It
// fails as the method does.
func Check(text string, known document.Catalogue, read document.Reader) (Checked, error) {
	if audit.Plain(text, len(text)) != text {
		return Checked{}, fault.New(fault.Invalid, "The document is not text: there is something in it that is no character.", nil)
	}
	doc, err := document.Parse("policy", []byte(text), known)
	if err != nil {
		return Checked{}, err
	}
	c := Checked{Document: doc}
	if err := fleet.CheckPolicyName(doc.Policy.Name); err != nil {
		return Checked{}, err
	}
	if c.Compiled, err = travelled(doc.Policy); err != nil {
		return Checked{}, err
	}
	if err := fits(c.Compiled); err != nil {
		return Checked{}, err
	}
	if c.Results, err = doc.Run(read); err != nil {
		return Checked{}, err
	}
	return c, nil
}

// travelled returns p as it is after having been stored and sent.
func travelled(p policy.Policy) (policy.Policy, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return policy.Policy{}, fault.New(fault.Invalid, "The policy has a value in it that cannot be stored.", err)
	}
	var out policy.Policy
	if err := json.Unmarshal(b, &out); err != nil {
		return policy.Policy{}, fmt.Errorf("read policy as stored: %w", err)
	}
	return out, nil
}

// fits fails with fault.Invalid where gateways could not use p: they look at
// all of it, also where they are not in its scope.
func fits(p policy.Policy) error {
	_, err := policy.Compile(policy.Settings{Policies: []policy.Policy{p}})
	return err
}

// Failing fails with fault.Invalid where a test of the document does, and says
// which.
func (c Checked) Failing() error {
	failed, first := 0, ""
	for _, r := range c.Results {
		if r.Passed {
			continue
		}
		if failed++; failed == 1 {
			first = c.says(r)
		}
	}
	switch failed {
	case 0:
		return nil
	case 1:
	case 2:
		first += " One more test fails."
	default:
		first += fmt.Sprintf(" %d more tests fail.", failed-1)
	}
	return fault.New(fault.Invalid, first, nil)
}

// says tells how a test failed, in a sentence.
func (c Checked) says(r document.Result) string {
	name := "The test " + quoted(r.Test.Name)
	if r.Test.Name == "" {
		name = fmt.Sprintf("The test in line %d", r.Test.Line)
	}
	if r.Problem != "" {
		return name + " fails: " + r.Problem
	}
	return fmt.Sprintf("%s fails: expected %v, got %v.", name, r.Test.Expect, r.Got.Effect)
}

func quoted(name string) string { return "“" + audit.Plain(name, 100) + "”" }
