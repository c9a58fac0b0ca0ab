// Package proposals makes access rules out of what a gateway's requests have
// done: the fewest that cover them.
//
// Rules that deny or ask are kept, and nothing that they stop is allowed by
// what is proposed, and no rule is made for what was refused. What deletes, administers or is of critical risk is
// proposed with a person's approval.
package proposals

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what requests and configurations are read from.
type Store interface {
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
	Revision(ctx context.Context, teamID string) (int64, error)
	RecordedRequests(ctx context.Context, teamID, gatewayID string, since, until time.Time, after page.Cursor, limit int) ([]audit.Request, error)
	Requests(ctx context.Context, teamID string, f audit.Filter, after page.Cursor, limit int) ([]audit.Request, error)
}

// Gateways replaces what is configured for a gateway.
type Gateways interface {
	Configuration(ctx context.Context, teamID, gatewayID string) ([]gateways.Connector, error)
	Configure(ctx context.Context, v team.Viewer, gatewayID string, cs []gateways.Connector) error
}

// Service makes proposals.
type Service struct {
	Store    Store
	Gateways Gateways
	Now      func() time.Time
}

const (
	window   = 30 * 24 * time.Hour // of traffic that is looked at
	most     = 200_000             // requests that are looked at, the newest
	pageSize = 2000
	examples = 20
)

// Proposal is what could be configured for a gateway.
type Proposal struct {
	Gateway    fleet.Gateway
	Since      time.Time
	Until      time.Time
	Requests   int64
	More       bool // there were more requests than are looked at
	Connectors []Connector
	Uncovered  []Uncovered

	// Digest tells this proposal from any other: Adopt takes only the one that
	// somebody has looked at.
	Digest string
}

// Connector is what is proposed for one connector.
type Connector struct {
	Name, Type string
	Seen       bool         // whether there were requests; its rules stay as they are where there were none
	Rules      []fleet.Rule // all that it would have, without IDs
	Allowed    int64        // requests that would pass by themselves
	Asked      int64        // that would wait for a person
	Denied     int64        // that a rule of today denies, and goes on denying
	Drops      []string     // patterns of today's rules that allow, and would be gone
	Refused    int64        // that were stopped, and by no rule that is kept; no rule is made for them
	Kept       []string     // actions seen that are left out, as a rule for them could allow what is stopped today
	Left       int64        // requests of these actions
	Leaves     int          // actions of the connector's type that nothing would allow any more
}

// Uncovered are requests that no rule can cover as they are.
type Uncovered struct {
	Host, Action, Why string
	N                 int64
	Example           string // ID of the newest
}

// Propose looks at a gateway's requests of the 30 days before until. It fails
// with fault.NotFound.
func (s *Service) Propose(ctx context.Context, teamID, gatewayID string, until time.Time) (Proposal, error) {
	conf, err := s.Store.Configuration(ctx, teamID, gatewayID)
	if err != nil {
		return Proposal{}, fmt.Errorf("propose: %w", err)
	}
	p := Proposal{Gateway: conf.Gateway, Since: until.Add(-window), Until: until}
	kept, err := judge.Of(conf, func(set *policy.Settings) {
		set.Kills, set.Policies, set.Enforcement = nil, nil, policy.FullEnforce
		set.Rules = slices.DeleteFunc(set.Rules, func(r policy.Rule) bool { return r.Effect == policy.Allow })
	})
	if err != nil {
		return p, fmt.Errorf("propose: %w", err)
	}
	seen, err := s.look(ctx, teamID, &p, kept)
	if err != nil {
		return p, fmt.Errorf("propose: %w", err)
	}
	for _, row := range conf.Connectors {
		c, err := propose(conf, row, seen.of[row.Name], kept)
		if err != nil {
			return p, fmt.Errorf("propose for %s: %w", row.Name, err)
		}
		p.Connectors = append(p.Connectors, c)
	}
	p.Uncovered = seen.uncovered()
	p.Digest = p.digest()
	return p, nil
}

// look reads the requests.
func (s *Service) look(ctx context.Context, teamID string, p *Proposal, kept *judge.Judge) (*seen, error) {
	all := &seen{of: map[string]map[need]*use{}, lost: map[Uncovered]*Uncovered{}}
	var after page.Cursor
	for p.Requests < most {
		rs, err := s.Store.RecordedRequests(ctx, teamID, p.Gateway.ID, p.Since, p.Until, after, pageSize)
		if err != nil {
			return nil, err
		}
		for i := range rs {
			all.add(&rs[i], kept)
		}
		p.Requests += int64(len(rs))
		if len(rs) < pageSize {
			return all, nil
		}
		last := rs[len(rs)-1]
		after = page.Cursor{Time: last.Time, ID: last.ID}
	}
	p.More = true
	return all, nil
}

// digest is of what Adopt would write.
func (p *Proposal) digest() string {
	h := sha256.New()
	for _, c := range p.Connectors {
		b, err := json.Marshal(struct {
			Name  string
			Rules []fleet.Rule
		}{c.Name, c.Rules})
		if err != nil {
			panic(fmt.Sprintf("proposals: %v", err)) // texts and numbers
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Adopt configures what was proposed for the requests before until, if that is
// still the proposal of that digest. It fails with fault.Conflict where it is
// not, since the traffic or the rules have changed, and as gateways.Configure
// does.
func (s *Service) Adopt(ctx context.Context, v team.Viewer, gatewayID string, until time.Time, digest string) error {
	revision, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	p, err := s.Propose(ctx, v.Team.ID, gatewayID, until)
	if err != nil {
		return err
	}
	if p.Digest != digest {
		return fault.New(fault.Conflict, "The rules or the traffic have changed since this was proposed. Look at the new proposal.", nil)
	}
	cs, err := s.Gateways.Configuration(ctx, v.Team.ID, gatewayID)
	if err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	for i := range cs {
		at := slices.IndexFunc(p.Connectors, func(c Connector) bool { return c.Name == cs[i].Name })
		if at < 0 {
			return fault.New(fault.Conflict, "The connectors have changed since this was proposed. Look at the new proposal.", nil)
		}
		if p.Connectors[at].Seen {
			cs[i].Rules = p.Connectors[at].Rules
		}
	}
	// What is left between this and Configure is a moment, in which somebody
	// else's change would be lost. Before it they were the whole reading.
	now, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	if now != revision {
		return fault.New(fault.Conflict, "The configuration has changed while this was looked at. Look at the new proposal.", nil)
	}
	if err := s.Gateways.Configure(ctx, v, gatewayID, cs); err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	return nil
}

// uncovered returns what no rule covers, most frequent first.
func (s *seen) uncovered() []Uncovered {
	all := make([]Uncovered, 0, len(s.lost))
	for _, u := range s.lost {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Uncovered) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Action, b.Action))
	})
	return all[:min(len(all), examples)]
}
