package trail

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
)

const maxKind = 40

// alerts are what the entries say about somebody who tries to get around a
// gateway: one step for each kind, run and host, in the order in which they
// came up.
func (m *merger) alerts() []store.AlertStep {
	type key struct{ run, kind, host string }
	at := map[key]int{}
	var steps []store.AlertStep
	for _, t := range m.read {
		if t.Alert == "" || t.Step == audit.Outcome {
			continue
		}
		word := func(s string) string { return audit.Plain(s, maxWord) }
		k := key{word(t.Run), audit.Plain(t.Alert, maxKind), word(t.Host)}
		if i, ok := at[k]; ok {
			a := &steps[i].Alert
			a.Requests++
			if a.LastAt.Before(t.Time) {
				a.LastAt = t.Time
			}
			continue
		}
		at[k] = len(steps)
		a := audit.Alert{
			GatewayID: m.gw.ID, RunID: k.run, Kind: k.kind, Host: k.host, TeamID: m.gw.TeamID,
			Connector: word(t.Action.Connector), RequestID: t.Request, Requests: 1, FirstAt: m.now, LastAt: t.Time,
		}
		steps = append(steps, store.AlertStep{Alert: a, Event: audit.Event{
			Time: m.now, Type: audit.SecurityAlert, Target: t.Request, Name: m.gw.Name, Gateway: m.gw.ID,
			Actor:  audit.Actor{Kind: audit.ByGateway, ID: m.gw.ID, Name: m.gw.Name, Auth: "mtls"},
			Detail: map[string]string{"alert": a.Kind, "run": a.RunID, "host": a.Host, "connector": a.Connector},
		}})
	}
	return steps
}

// maxAlerts is how many alerts are looked at together.
const maxAlerts = 100

// Alerts returns what the team's gateways have raised alerts for since a time,
// the latest first.
func (s *Service) Alerts(ctx context.Context, teamID string, since time.Time) ([]audit.Alert, error) {
	all, err := s.Store.Alerts(ctx, teamID, audit.Time(since), maxAlerts)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return all, nil
}
