package hooks

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

// Settings are a webhook's.
type Settings struct {
	URL      string   `json:"url"`
	Events   []string `json:"events,omitempty"`   // empty is all
	Gateways []string `json:"gateways,omitempty"` // IDs; empty is all
}

// InboundSettings are those of who sends decisions. The zero MaxRisk is medium.
type InboundSettings struct {
	MaxRisk string `json:"max_risk,omitempty"` // the highest that it may approve
}

// defaultRisk is the highest that a program may approve where nobody says.
const defaultRisk = action.Medium

// ParseSettings reads a webhook's settings.
func ParseSettings(i integration.Integration) (Settings, error) {
	var s Settings
	if err := json.Unmarshal(i.Settings, &s); err != nil {
		return Settings{}, fmt.Errorf("read settings of %s: %w", i.ID, err)
	}
	return s, nil
}

// ParseInbound reads the settings of who sends decisions, and the highest risk
// that it may approve.
func ParseInbound(i integration.Integration) (InboundSettings, action.Risk, error) {
	s, risk := InboundSettings{}, defaultRisk
	err := json.Unmarshal(i.Settings, &s)
	if err == nil && s.MaxRisk != "" {
		err = risk.UnmarshalText([]byte(s.MaxRisk))
	}
	if err != nil {
		return InboundSettings{}, risk, fmt.Errorf("read settings of %s: %w", i.ID, err)
	}
	return s, risk, nil
}

// check fails with fault.Invalid where a webhook cannot have these settings.
func (s Settings) check(g outbound.Guard) error {
	if err := checkURL(s.URL, g); err != nil {
		return err
	}
	for _, e := range s.Events {
		if !slices.Contains(Events(), e) {
			return fault.New(fault.Invalid, "There is no event of that name.", nil)
		}
	}
	if len(s.Gateways) > maxGateways {
		return fault.New(fault.Invalid, "These are too many gateways. Choose none to be told of all.", nil)
	}
	return nil
}

const maxGateways = 200

func checkURL(text string, g outbound.Guard) error {
	u, err := url.Parse(text)
	wrong := func(why string) error { return fault.New(fault.Invalid, why, nil) }
	switch {
	case err != nil || len(text) > maxURL || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' }):
		return wrong("Write the address in full, such as https://hooks.example.com/tameflare.")
	case u.User != nil:
		return wrong("Leave name and password out of the address: messages are signed.")
	case u.Fragment != "":
		return wrong("Leave out what comes after the #.")
	case u.Scheme == "http" && !g.Lists(u.Hostname()):
		return wrong("The address begins with https://. Whoever runs this server can allow http for a host in TAMEFLARE_OUTBOUND_ALLOW.")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := g.Check(u.Scheme, u.Hostname(), a); err != nil {
			return wrong(refusal(err))
		}
	}
	return nil
}

// wants reports whether a webhook is to be told of an event at a gateway.
func (s Settings) wants(event, gatewayID string) bool {
	return event != "" && (len(s.Events) == 0 || slices.Contains(s.Events, event)) &&
		(len(s.Gateways) == 0 || slices.Contains(s.Gateways, gatewayID))
}
