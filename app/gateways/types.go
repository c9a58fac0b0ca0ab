package gateways

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Types keeps the connector types that teams define.
type Types interface {
	ConnectorTypes(ctx context.Context, teamID string) ([]fleet.ConnectorType, error)
	Revision(ctx context.Context, teamID string) (int64, error)
	Carry(ctx context.Context, p store.Plan) error
}

// MaxTypes is how many connector types a team may define.
const MaxTypes = 50

// Types returns the team's own connector types, by name.
func (s *Service) Types(ctx context.Context, teamID string) ([]fleet.ConnectorType, error) {
	all, err := s.Store.ConnectorTypes(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list connector types: %w", err)
	}
	return all, nil
}

// Own returns the team's own connector types, made ready.
func (s *Service) Own(ctx context.Context, teamID string) (connectors.Own, error) {
	all, err := s.Types(ctx, teamID)
	if err != nil {
		return nil, err
	}
	return connectors.DefineAll(fleet.Definitions(all))
}

// Type returns the team's own connector type of that name. It fails with
// fault.NotFound.
func (s *Service) Type(ctx context.Context, teamID, name string) (fleet.ConnectorType, error) {
	all, err := s.Types(ctx, teamID)
	if err != nil {
		return fleet.ConnectorType{}, err
	}
	i := slices.IndexFunc(all, func(t fleet.ConnectorType) bool { return t.Name == name })
	if i < 0 {
		return fleet.ConnectorType{}, fault.New(fault.NotFound, "There is no such connector type.", nil)
	}
	return all[i], nil
}

// SaveType adds a connector type where version is 0, and else changes the one
// of that name and version. It fails with fault.Invalid where the definition
// cannot be used or a gateway could not use it any more, and with
// fault.Conflict where the name is taken or somebody was faster.
func (s *Service) SaveType(ctx context.Context, v team.Viewer, d definition.Definition, version int64) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change connector types.", nil)
	}
	revision, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("save connector type: %w", err)
	}
	all, err := s.Types(ctx, v.Team.ID)
	if err != nil {
		return err
	}
	step, err := s.typeStep(v, all, d, version)
	if err != nil {
		return fmt.Errorf("save connector type: %w", err)
	}
	next := append(slices.DeleteFunc(slices.Clone(all), func(t fleet.ConnectorType) bool { return t.Name == step.Type.Name }), step.Type)
	if err := s.fitsAll(ctx, v.Team.ID, next); err != nil {
		return fmt.Errorf("save connector type: %w", err)
	}
	return s.carryType(ctx, store.Plan{TeamID: v.Team.ID, Revision: revision, Types: []store.TypeStep{step}})
}

func (s *Service) typeStep(v team.Viewer, all []fleet.ConnectorType, d definition.Definition, version int64) (store.TypeStep, error) {
	i := slices.IndexFunc(all, func(t fleet.ConnectorType) bool { return t.Name == d.Name })
	if i < 0 && version > 0 {
		return store.TypeStep{}, fault.New(fault.NotFound, "There is no such connector type.", nil)
	}
	if i >= 0 && all[i].Version != version {
		return store.TypeStep{}, fault.New(fault.Conflict, "There is a connector type "+d.Name+" already, or somebody has just changed it.", nil)
	}
	return NextType(v, all, d, s.Now)
}

// NextType makes what d adds to the team's types or changes about them, with
// its event. It fails with fault.Invalid where d cannot be used.
func NextType(v team.Viewer, all []fleet.ConnectorType, d definition.Definition, now func() time.Time) (store.TypeStep, error) {
	t, err := connectors.Define(d)
	if err != nil {
		return store.TypeStep{}, err
	}
	d = d.Sorted()
	d.Hosts = t.Hosts // in the one spelling
	step := store.TypeStep{Type: fleet.ConnectorType{
		ID: "type_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, Name: d.Name, Definition: d, Version: 1,
		CreatedAt: audit.Time(now()), ChangedAt: audit.Time(now()),
	}, New: true}
	typ := "connector_type.created"
	if i := slices.IndexFunc(all, func(t fleet.ConnectorType) bool { return t.Name == d.Name }); i >= 0 {
		step.New, typ = false, "connector_type.updated"
		step.Type.ID, step.Type.CreatedAt, step.Type.Version = all[i].ID, all[i].CreatedAt, all[i].Version+1
	} else {
		own, err := connectors.DefineAll(fleet.Definitions(all))
		if err != nil {
			return store.TypeStep{}, err
		}
		if err := own.CheckNew(d.Name); err != nil {
			return store.TypeStep{}, err
		}
		if len(all) >= MaxTypes {
			return store.TypeStep{}, fault.New(fault.Invalid, "A team defines at most 50 connector types.", nil)
		}
	}
	step.Event = TypeEvent(v, typ, step.Type, now)
	return step, nil
}

// TypeEvent records what happens to a connector type.
func TypeEvent(v team.Viewer, typ string, t fleet.ConnectorType, now func() time.Time) audit.Event {
	return audit.Event{
		Time: now(), Type: typ, Actor: v.Actor(), Target: t.ID, Name: t.Name,
		Detail: map[string]string{
			"operations": strconv.Itoa(len(t.Definition.Operations)), "actions": strconv.Itoa(len(t.Definition.Actions())),
			"hosts": strings.Join(t.Definition.Hosts, " "), "version": strconv.FormatInt(t.Version, 10),
		},
	}
}

// fitsAll fails with fault.Invalid where a gateway could not use types.
func (s *Service) fitsAll(ctx context.Context, teamID string, types []fleet.ConnectorType) error {
	own, err := connectors.DefineAll(fleet.Definitions(types))
	if err != nil {
		return err
	}
	vault, err := s.Store.Credentials(ctx, teamID)
	if err != nil {
		return err
	}
	return s.eachGateway(ctx, teamID, func(c store.Configuration) error {
		if _, _, err := Arrange(c.Gateway.ID, Collect(c.Connectors, c.Rules), c.Connectors, vault, own); err != nil {
			return fault.New(fault.Of(err), "Gateway "+c.Gateway.Name+" could not use it any more. "+fault.Message(err), err)
		}
		return nil
	})
}

func (s *Service) eachGateway(ctx context.Context, teamID string, f func(store.Configuration) error) error {
	all, err := s.Store.Gateways(ctx, teamID)
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.Status != fleet.Active {
			continue
		}
		c, err := s.Store.Configuration(ctx, teamID, g.ID)
		if err == nil {
			err = f(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Lost says in sentences which rules would name nothing any more if a type
// became what d says: a rule that denies would deny nothing then.
func (s *Service) Lost(ctx context.Context, teamID string, d definition.Definition) ([]string, error) {
	var lost []string
	err := s.eachGateway(ctx, teamID, func(c store.Configuration) error {
		for _, row := range Collect(c.Connectors, c.Rules) {
			if row.Type != d.Name {
				continue
			}
			for _, r := range row.Rules {
				if !slices.ContainsFunc(d.Actions(), r.Pattern.Matches) && !slices.ContainsFunc([]string{d.Name + ".other.get", d.Name + ".unknown"}, r.Pattern.Matches) {
					lost = append(lost, "The rule "+string(r.Pattern)+" ("+r.Effect.String()+") of "+c.Gateway.Name+"/"+row.Name+" is about no action of it.")
				}
			}
		}
		return nil
	})
	return lost, err
}

// Uses returns what is of the type: "deploy-bot/billing" for a connector, and
// the names of credentials.
func (s *Service) Uses(ctx context.Context, teamID, name string) (cs, creds []string, err error) {
	err = s.eachGateway(ctx, teamID, func(c store.Configuration) error {
		for _, row := range c.Connectors {
			if row.Type == name {
				cs = append(cs, c.Gateway.Name+"/"+row.Name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	vault, err := s.Store.Credentials(ctx, teamID)
	for _, c := range vault {
		if c.Type == name {
			creds = append(creds, c.Name)
		}
	}
	return cs, creds, err
}

// DeleteType removes a connector type. It fails with fault.NotFound, and with
// fault.Conflict while something is of it.
func (s *Service) DeleteType(ctx context.Context, v team.Viewer, name string) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change connector types.", nil)
	}
	revision, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("delete connector type: %w", err)
	}
	t, err := s.Type(ctx, v.Team.ID, name)
	if err != nil {
		return err
	}
	step := store.TypeStep{Type: t, Event: TypeEvent(v, "connector_type.deleted", t, s.Now)}
	return s.carryType(ctx, store.Plan{TeamID: v.Team.ID, Revision: revision, ForgetTypes: []store.TypeStep{step}})
}

func (s *Service) carryType(ctx context.Context, p store.Plan) error {
	if err := s.Store.Carry(ctx, p); err != nil {
		return fmt.Errorf("change connector types: %w", err)
	}
	s.Bus.Publish(ctx, bus.Config(p.TeamID))
	s.Bus.Publish(ctx, bus.Gateways(p.TeamID))
	return nil
}
