package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/app/policies"
	described "github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/rest"
)

// shownPolicy leaves the document out. What was stored and cannot be read any
// more has no rules.
func shownPolicy(p fleet.Policy) rest.Policy {
	compiled, _ := p.Policy()
	return rest.Policy{
		ID: p.ID, Name: p.Name, Version: p.Version, Enabled: p.Enabled, ReportOnly: p.ReportOnly, Priority: p.Priority,
		Scope: compiled.Scope, Rules: described.Rules(compiled), CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func (s *Server) listPolicies(c *call) (rest.List[rest.Policy], error) {
	none := rest.List[rest.Policy]{}
	if err := c.only(); err != nil {
		return none, err
	}
	all, err := s.Policies.List(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return none, err
	}
	out := rest.List[rest.Policy]{Items: make([]rest.Policy, 0, len(all))}
	for _, p := range all {
		out.Items = append(out.Items, shownPolicy(p))
	}
	return out, nil
}

func (s *Server) policyNamed(c *call, idOrName string) (fleet.Policy, error) {
	p, err := s.Policies.Find(c.Context(), c.viewer.Team.ID, idOrName)
	if fault.Of(err) == fault.NotFound {
		err = fault.New(fault.NotFound, "There is no policy "+clip(idOrName)+".", err)
	}
	return p, err
}

func (s *Server) showPolicy(c *call) (rest.Policy, error) {
	if err := c.only(); err != nil {
		return rest.Policy{}, err
	}
	p, err := s.policyNamed(c, c.PathValue("name"))
	if err != nil {
		return rest.Policy{}, err
	}
	return c.whole(p), nil
}

// whole is a policy with its document. Its version is its entity tag.
func (c *call) whole(p fleet.Policy) rest.Policy {
	out := shownPolicy(p)
	out.Document = p.Document
	c.w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(p.Version, 10)))
	return out
}

func (s *Server) policyVersions(c *call) (rest.List[rest.PolicyVersion], error) {
	none := rest.List[rest.PolicyVersion]{}
	if err := c.only(); err != nil {
		return none, err
	}
	p, err := s.policyNamed(c, c.PathValue("name"))
	if err != nil {
		return none, err
	}
	all, err := s.Policies.Versions(c.Context(), c.viewer.Team.ID, p.ID)
	if err != nil {
		return none, err
	}
	out := rest.List[rest.PolicyVersion]{Items: make([]rest.PolicyVersion, 0, len(all))}
	for _, v := range all {
		out.Items = append(out.Items, shownVersion(v))
	}
	return out, nil
}

func (s *Server) policyVersion(c *call) (rest.PolicyVersion, error) {
	none := rest.PolicyVersion{}
	if err := c.only(); err != nil {
		return none, err
	}
	n, err := strconv.ParseInt(c.PathValue("version"), 10, 64)
	if err != nil {
		return none, fault.New(fault.NotFound, "A version is a number.", err)
	}
	p, err := s.policyNamed(c, c.PathValue("name"))
	if err != nil {
		return none, err
	}
	v, err := s.Policies.Version(c.Context(), c.viewer.Team.ID, p.ID, n)
	if err != nil {
		return none, err
	}
	out := shownVersion(v)
	out.Document = v.Document
	return out, nil
}

func shownVersion(v fleet.PolicyVersion) rest.PolicyVersion {
	sum := sha256.Sum256([]byte(v.Document))
	return rest.PolicyVersion{
		Version: v.Version, Enabled: v.Enabled, ReportOnly: v.ReportOnly, Priority: v.Priority, Digest: hex.EncodeToString(sum[:]),
		Author: v.AuthorName, Message: v.Message, Reverts: v.Reverts, CreatedAt: v.CreatedAt,
	}
}

// badPolicy is an error with what is wrong with a document.
type badPolicy struct {
	problems []rest.PolicyProblem
	tests    []rest.PolicyTest
	error
}

func (b *badPolicy) Unwrap() error { return b.error }

// checkPolicy says all there is about a document, and keeps nothing.
func (s *Server) checkPolicy(c *call, in rest.PolicyDocument) (rest.PolicyChecked, error) {
	out := rest.PolicyChecked{Problems: []rest.PolicyProblem{}, Tests: []rest.PolicyTest{}}
	if err := c.only(); err != nil {
		return out, err
	}
	checked, err := s.Policies.Check(c.Context(), c.viewer.Team.ID, in.Document)
	if fault.Of(err) == fault.Invalid {
		out.Problems = described.Problems(err)
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Name, out.Rules = checked.Document.Policy.Name, described.Rules(checked.Document.Policy)
	out.Notes, out.Tests = described.Shown(checked.Document.Notes), described.Tests(checked.Results)
	out.OK = checked.Failing() == nil
	return out, nil
}

// savePolicy makes a policy or its next version, or says what that would be.
func (s *Server) savePolicy(c *call, in rest.PolicyDraft) (rest.PolicySaved, error) {
	none := rest.PolicySaved{}
	if err := c.only(); err != nil {
		return none, err
	}
	d := policies.Draft{Document: in.Document, Enabled: true, Priority: policy.DefaultPriority, Message: in.Message}
	var was fleet.Policy
	if in.Policy != "" {
		var err error
		if was, err = s.policyNamed(c, in.Policy); err != nil {
			return none, err
		}
		if d.Base, err = c.base(was, in.Base); err != nil {
			return none, err
		}
		d.ID, d.Enabled, d.ReportOnly, d.Priority = was.ID, was.Enabled, was.ReportOnly, was.Priority
	}
	for _, set := range []struct{ to, from *bool }{{&d.Enabled, in.Enabled}, {&d.ReportOnly, in.ReportOnly}} {
		if set.from != nil {
			*set.to = *set.from
		}
	}
	if in.Priority != nil {
		d.Priority = *in.Priority
	}
	if err := fleet.CheckPriority(d.Priority); err != nil {
		return none, err
	}
	checked, err := s.Policies.Check(c.Context(), c.viewer.Team.ID, in.Document)
	if err != nil {
		if fault.Of(err) == fault.Invalid {
			err = &badPolicy{problems: described.Problems(err), error: err}
		}
		return none, err
	}
	tests := described.Tests(checked.Results)
	if err := checked.Failing(); err != nil {
		return none, &badPolicy{tests: tests, error: err}
	}
	out := rest.PolicySaved{DryRun: in.DryRun, Notes: described.Shown(checked.Document.Notes), Tests: tests}
	if in.DryRun {
		return s.wouldSave(c, out, was, d, checked.Compiled)
	}
	p, err := s.Policies.Save(c.Context(), c.viewer, d)
	if err != nil {
		return none, err
	}
	out.Policy, out.Changed = c.whole(p), p.Version != was.Version
	return out, nil
}

// wouldSave says what saving d would come to.
func (s *Server) wouldSave(c *call, out rest.PolicySaved, was fleet.Policy, d policies.Draft, compiled policy.Policy) (rest.PolicySaved, error) {
	if d.ID != "" && d.Base != was.Version {
		return rest.PolicySaved{}, fault.New(fault.Conflict, fmt.Sprintf("Somebody has changed the policy %s meanwhile: it is at version %d now.", was.Name, was.Version), nil)
	}
	if other, err := s.Policies.Find(c.Context(), c.viewer.Team.ID, compiled.Name); err == nil && other.Name == compiled.Name && other.ID != d.ID {
		return rest.PolicySaved{}, fault.New(fault.Conflict, "There is a policy "+compiled.Name+" already.", nil)
	}
	out.Changed = was.Document != d.Document || was.Enabled != d.Enabled || was.ReportOnly != d.ReportOnly || was.Priority != d.Priority
	out.Policy = rest.Policy{
		ID: d.ID, Name: compiled.Name, Version: was.Version, Enabled: d.Enabled, ReportOnly: d.ReportOnly, Priority: d.Priority,
		Scope: compiled.Scope, Rules: described.Rules(compiled), Document: d.Document, CreatedAt: was.CreatedAt, UpdatedAt: was.UpdatedAt,
	}
	return out, nil
}

// revertPolicy makes an earlier version the newest again.
func (s *Server) revertPolicy(c *call, in rest.PolicyRevert) (rest.Policy, error) {
	if err := c.only(); err != nil {
		return rest.Policy{}, err
	}
	was, err := s.policyNamed(c, c.PathValue("name"))
	if err != nil {
		return rest.Policy{}, err
	}
	base, err := c.base(was, in.Base)
	if err != nil {
		return rest.Policy{}, err
	}
	p, err := s.Policies.Revert(c.Context(), c.viewer, was.ID, base, in.To, in.Message)
	if err != nil {
		return rest.Policy{}, err
	}
	return c.whole(p), nil
}

func (s *Server) deletePolicy(c *call) (nothing, error) {
	if err := c.only("base"); err != nil {
		return nothing{}, err
	}
	var said int64
	if text := c.query.Get("base"); text != "" {
		var err error
		if said, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nothing{}, fault.New(fault.Invalid, "The parameter base is the number of a version.", err)
		}
	}
	was, err := s.policyNamed(c, c.PathValue("name"))
	if err != nil {
		return nothing{}, err
	}
	base, err := c.base(was, said)
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, s.Policies.Delete(c.Context(), c.viewer, was.ID, base)
}

// base is the version that a change is made from: what the body says, or the
// entity tag that If-Match has. It has to be said: who does not know what they
// change would undo what somebody else has just done.
func (c *call) base(was fleet.Policy, said int64) (int64, error) {
	tag := strings.TrimPrefix(c.Header.Get("If-Match"), "W/")
	if tag == "" && said == 0 {
		return 0, &refusal{http.StatusPreconditionRequired, fault.New(fault.Invalid, fmt.Sprintf("Say with base, or with If-Match, which version this was made from. The newest is %d.", was.Version), nil)}
	}
	if tag == "" {
		return said, nil
	}
	n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || cmp.Or(said, n) != n || n != was.Version {
		return 0, &refusal{http.StatusPreconditionFailed, fault.New(fault.Conflict, fmt.Sprintf("The policy %s is at version %d now. Look at it again.", was.Name, was.Version), err)}
	}
	return n, nil
}
