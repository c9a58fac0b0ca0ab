package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/dummy"
	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/proxy"
	"github.com/tameflare/tameflare/gateway/runs"
)

const maxExtra = 8 << 20

// Door returns what a run needs. A run may begin while everything is denied:
// its requests then say why.
func (g *gateway) Door(s runs.Start, keys *dummy.Keys) (runs.Door, func(), error) {
	nothing := func() {}
	if err := g.fits(s); err != nil {
		return runs.Door{}, nothing, err
	}
	d := runs.Door{Gateway: g.link.Identity.Name, CA: g.mitm.CertFile(), Bundle: g.bundle, Env: map[string]string{}, Token: keys.Token().Reveal()}
	if st, err := g.configured(); err == nil {
		d.BaseURL = st.BaseURL()
		d.Env, d.Yield = dummies(st, keys)
	}
	if s.ExtraCA == "" {
		return d, nothing, nil
	}
	path, err := g.ownBundle(s.ExtraCA)
	if err != nil {
		return runs.Door{}, nothing, err
	}
	d.Bundle = path
	return d, func() {
		if err := os.Remove(path); err != nil {
			g.log.Warn("a run's bundle cannot be removed", "error", err)
		}
	}, nil
}

// firstSnapshot is how long a run waits for a configuration that is on its way,
// as it is right after enrolment.
const firstSnapshot = 3 * time.Second

// configured returns the state that counts, waiting a moment for one: a process
// that began before it would find no dummy keys, and be refused what it asks
// first.
func (g *gateway) configured() (*decide.State, error) {
	late := time.NewTimer(firstSnapshot)
	defer late.Stop()
	for {
		changed := g.current.Changed() // before the look, or a change could fall between
		st, err := g.current.Load()
		if err == nil {
			return st, nil
		}
		select {
		case <-changed:
		case <-late.C:
			return nil, err
		}
	}
}

// fits refuses a run that asks for other ways out than the gateway has.
func (g *gateway) fits(s runs.Start) error {
	if s.UpstreamCA != "" && s.UpstreamCA != g.config.UpstreamCA {
		return errOther("--upstream-ca")
	}
	if len(s.ConnectTo) == 0 {
		return nil
	}
	wanted, err := Config{ConnectTo: s.ConnectTo}.connectTo()
	if err != nil {
		return err
	}
	have := g.proxy.Guard.ConnectTo
	for _, w := range wanted {
		if !slices.ContainsFunc(have, func(h netguard.ConnectTo) bool { return h == w }) {
			return errOther("--connect-to")
		}
	}
	return nil
}

// dummies are keys that open nothing, for clients that insist on having one:
// each under the names where the service's clients look, and under one that is
// the connector's own, for what has no such name. Of two connectors of a type
// the first has the names. Yield are those where a key of the process's own
// comes before ours, since the connector lets it pass.
func dummies(st *decide.State, keys *dummy.Keys) (env map[string]string, yield []string) {
	env = map[string]string{}
	for _, c := range st.Connectors() {
		clientKey := st.ClientKey(c)
		if _, has := st.Credential(c); !has && clientKey != credential.RequireDummy {
			continue
		}
		key := keys.For(st.GatewayID(), c)
		for _, name := range append(c.Type().Env(), variable(c.Name())) {
			if _, taken := env[name]; taken {
				continue
			}
			env[name] = key
			if clientKey == credential.Pass {
				yield = append(yield, name)
			}
		}
	}
	return env, yield
}

// variable is where the key for the connector called name is: for
// "internal-api" TAMEFLARE_KEY_INTERNAL_API.
func variable(name string) string {
	return "TAMEFLARE_KEY_" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// ownBundle writes a bundle that also trusts what the caller trusted before.
func (g *gateway) ownBundle(extra string) (string, error) {
	info, err := os.Stat(extra)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxExtra {
		return "", fault.New(fault.Invalid, "The file "+extra+", which the environment names as its certificates, cannot be read.", err)
	}
	more, err := os.ReadFile(extra)
	if err != nil {
		return "", fault.New(fault.Invalid, "The file "+extra+", which the environment names as its certificates, cannot be read.", err)
	}
	host, err := mitm.HostRoots()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(g.bundle), "bundle-"+strings.ToLower(rand.Text())+".pem")
	if err := os.WriteFile(path, g.mitm.Bundle(host, more), 0o600); err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	return path, nil
}

// Serve serves a run's door.
func (g *gateway) Serve(ctx context.Context, ln net.Listener, r *runs.Run) error {
	return g.proxy.ServeRun(ctx, ln, proxy.Run{
		ID: r.ID, Principal: r.Principal, UID: r.UID, Keys: r.Keys,
		Tell: func(e proxy.Event) {
			if !e.Held { // the desk says that, and knows more
				r.Saw(e.Entry, e.Approval)
			}
		},
	})
}

// Kill pulls or lifts the machine's own kill switch.
func (g *gateway) Kill(k runs.Kill) ([]runs.KillStatus, error) {
	if k.Connector != "" {
		if err := fleet.CheckName(k.Connector); err != nil {
			return nil, err
		}
	}
	k.Reason = audit.Plain(k.Reason, 500)
	if k.On {
		// It is on, also where it could not be written down.
		if err := g.link.Kills.Pull(k.Connector, k.Reason); err != nil {
			g.log.Error("the kill switch is on, but may not outlive a restart", "connector", k.Connector, "error", err)
		}
	} else if err := g.link.Kills.Lift(k.Connector, k.Reason); err != nil {
		if fault.Of(err) == fault.NotFound && slices.ContainsFunc(g.kills(), func(s runs.KillStatus) bool { return !s.Local && s.Connector == k.Connector }) {
			return nil, fault.New(fault.Forbidden, "This kill switch was pulled at the dashboard. Lift it there.", err)
		}
		return nil, err
	}
	word := "lifted"
	if k.On {
		word = "pulled"
	}
	g.log.Warn("kill switch "+word+" on this machine", "connector", k.Connector, "reason", k.Reason)
	entry := audit.Traffic{
		Time: time.Now(), Step: audit.Local, By: string(policy.ByKillSwitch), Code: "kill_" + word, Reason: k.Reason,
	}
	entry.Action.Connector = k.Connector
	if err := g.spool.Note(entry); err != nil {
		g.log.Error("the kill switch is not on record yet", "error", err)
	}
	return g.kills(), nil
}

func (g *gateway) kills() []runs.KillStatus {
	var out []runs.KillStatus
	for _, k := range g.current.Kills() {
		out = append(out, runs.KillStatus{ID: k.ID, Connector: k.Connector, Reason: k.Reason, Since: k.Since, Local: decide.IsLocal(k)})
	}
	return out
}

// CA returns the gateway's own root.
func (g *gateway) CA() runs.CA {
	return runs.CA{PEM: string(g.mitm.CertPEM()), Path: g.mitm.CertFile(), Bundle: g.bundle, Fingerprint: g.mitm.Fingerprint()}
}

// Status returns how the gateway is doing.
func (g *gateway) Status() runs.Status {
	id, up, stats := g.link.Identity, g.link.Status(), g.spool.Stats()
	s := runs.Status{
		Version: g.config.Version, PID: os.Getpid(), StartedAt: g.started.UTC(),
		Gateway: id.Name, GatewayID: id.GatewayID, TeamID: id.TeamID,
		Server: runs.ServerStatus{
			URL: id.LinkURL, Reachable: up.Reachable, Since: up.Since.UTC(), Problem: up.Problem,
			EnrolAgain: up.EnrolAgain, CertUntil: up.CertUntil.UTC(),
		},
		Spool: runs.SpoolStatus{Unsent: stats.Durable - stats.Through, Bytes: stats.Bytes, Problem: up.Delivery},
		Kills: g.kills(),
	}
	if stats.Err != nil {
		s.Spool.Problem = fault.Message(stats.Err)
	}
	st, err := g.current.Load()
	if err != nil {
		s.Snapshot.Problem = fault.Message(err)
		return s
	}
	s.Enforcement = st.Enforcement().String()
	s.Snapshot.Version = st.Version()
	if until, confirmed, ok := g.current.Until(); ok {
		s.Snapshot.ValidUntil, s.Snapshot.ConfirmedAt = until.UTC(), confirmed.UTC()
		s.Snapshot.AgeSeconds = int64(max(time.Since(confirmed), 0) / time.Second)
	}
	s.Snapshot.Problem = strings.Join(st.Broken(), " ")
	return s
}
