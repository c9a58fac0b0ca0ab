package fleet

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// RuleID returns the ID of r at a gateway's connector. It comes from what the
// rule says, so that a rule that was edited is another rule: what a person
// granted under the old one does not fit it.
func RuleID(gatewayID, connector string, r Rule) string {
	h := sha256.New()
	write := func(fields ...string) {
		for _, field := range fields {
			var n [8]byte
			binary.BigEndian.PutUint64(n[:], uint64(len(field)))
			h.Write(n[:])
			h.Write([]byte(field))
		}
	}
	write(gatewayID, connector, string(r.Pattern), r.Class, r.Effect.String(),
		strconv.FormatInt(r.HoldMS, 10), strconv.FormatInt(r.TTLMS, 10), r.Reason)
	limits := r.When.Plain()
	for _, key := range limits.Keys() { // a rule without limits has the ID that it always had
		write(key, strconv.Itoa(len(limits[key])))
		write(limits[key]...)
	}
	if a := r.Approvers; a != (policy.Approvers{}) { // the same; no limit has an empty key
		write("", a.Role, strconv.Itoa(a.Count), a.Group, strconv.FormatBool(a.NotSelf), strconv.FormatBool(a.StepUp))
	}
	return "rule_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16]))
}

// NewRule returns p as it is stored, without IDs. Preset is the one that p
// comes from, or policy.NoPreset.
func NewRule(p policy.Rule, preset policy.Preset) Rule {
	r := Rule{Pattern: p.Pattern, When: p.When.Plain(), Effect: p.Effect, HoldMS: -1, TTLMS: p.TTL.Milliseconds(), Reason: p.Reason, Approvers: p.Approvers, Preset: preset}
	if r.Approvers.Count == 1 {
		r.Approvers.Count = 0 // which means the same
	}
	if p.Class != nil {
		r.Class = p.Class.String()
	}
	if p.Hold != nil {
		r.HoldMS = p.Hold.Milliseconds()
	}
	return r
}

// PresetRules returns the rules of a preset as they are stored, without IDs.
// It fails with fault.Invalid for a preset that there is not.
func PresetRules(p policy.Preset) ([]Rule, error) {
	rules, err := p.Rules()
	if err != nil {
		return nil, err
	}
	stored := make([]Rule, len(rules))
	for i, r := range rules {
		stored[i] = NewRule(r, p)
	}
	return stored, nil
}

// Policy returns r as gateways know it. It fails with fault.Invalid where r
// cannot be used as it stands.
func (r Rule) Policy(connector string) (policy.Rule, error) {
	if r.HoldMS < -1 || r.HoldMS > policy.MaxHold.Milliseconds() { // before it is multiplied
		return policy.Rule{}, fault.New(fault.Invalid, "A hold is between 0s and 30m.", nil)
	}
	if r.TTLMS < 0 || r.TTLMS > policy.MaxTTL.Milliseconds() {
		return policy.Rule{}, fault.New(fault.Invalid, "A ttl is between 30s and 24h.", nil)
	}
	p := policy.Rule{
		ID: r.ID, Connector: connector, Pattern: r.Pattern, When: r.When.Plain(), Effect: r.Effect,
		TTL: time.Duration(r.TTLMS) * time.Millisecond, Reason: r.Reason, Approvers: r.Approvers,
	}
	if r.Class != "" {
		var class action.Class
		if err := class.UnmarshalText([]byte(r.Class)); err != nil {
			return policy.Rule{}, err
		}
		p.Class = &class
	}
	if r.HoldMS >= 0 {
		hold := time.Duration(r.HoldMS) * time.Millisecond
		p.Hold = &hold
	}
	if err := p.Check(); err != nil {
		return policy.Rule{}, err
	}
	return p, nil
}

// Stops reports whether k stops a connector of a gateway, known by its name
// there and its type. A kill that has been lifted stops nothing.
func (k Kill) Stops(gatewayID, connector, connectorType string) bool {
	return k.LiftedAt.IsZero() &&
		(k.GatewayID == "" || k.GatewayID == gatewayID) &&
		(k.Connector == "" || k.Connector == connector || k.Connector == connectorType)
}
