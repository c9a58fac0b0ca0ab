package slack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

// Mode is how Slack's messages come to this server.
type Mode string

const (
	HTTP   Mode = "http"   // Slack calls this server
	Socket Mode = "socket" // this server calls Slack, and needs no public address
)

// Assurance is what it takes to decide about a request of some risk. What
// nobody knows is decided in the dashboard.
type Assurance string

const (
	InDashboard Assurance = "dashboard" // the card only leads there
	WithProof   Assurance = "step_up"   // the button, for who has just proved in the dashboard who they are
	ByButton    Assurance = "button"
)

// Assurances returns every level, the least strict first.
func Assurances() []Assurance { return []Assurance{ByButton, WithProof, InDashboard} }

// Route sends requests to a channel. Its empty fields are any.
type Route struct {
	Gateway     string `json:"gateway,omitempty"` // its name
	Environment string `json:"environment,omitempty"`
	Connector   string `json:"connector,omitempty"`
	Risk        string `json:"risk,omitempty"` // at least this
	Channel     string `json:"channel"`
}

// Settings is how a team uses Slack. The zero Settings send nothing.
type Settings struct {
	Mode          Mode                 `json:"mode,omitempty"` // "" is HTTP
	Workspace     string               `json:"workspace,omitempty"`
	WorkspaceName string               `json:"workspace_name,omitempty"`
	BotUser       string               `json:"bot_user,omitempty"`
	Channel       string               `json:"channel,omitempty"` // where no route says another
	Routes        []Route              `json:"routes,omitempty"`
	Assurance     map[string]Assurance `json:"assurance,omitempty"` // by risk
	HideBodies    bool                 `json:"hide_bodies,omitempty"`
}

// ReadSettings reads what an integration has.
func ReadSettings(i integration.Integration) (Settings, error) {
	var s Settings
	if len(i.Settings) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(i.Settings, &s); err != nil {
		return Settings{}, fmt.Errorf("read Slack settings: %w", err)
	}
	return s, nil
}

// Risks are the levels that settings distinguish, the lowest first.
func Risks() []action.Risk {
	return []action.Risk{action.Low, action.Medium, action.High, action.Critical}
}

// preset is what it takes where nobody chose.
func preset(r action.Risk) Assurance {
	if r == action.Critical {
		return InDashboard
	}
	return ByButton
}

// Needs is what it takes to decide about a request of that risk.
func (s Settings) Needs(r action.Risk) Assurance {
	chosen, ok := s.Assurance[r.String()]
	switch {
	case !ok:
		return preset(r)
	case !slices.Contains(Assurances(), chosen):
		return InDashboard
	}
	return chosen
}

const maxRoutes = 50

// A name is one that Slack takes for a channel: an ID, or a name with or
// without "#".
var (
	channelName = regexp.MustCompile(`^(#?[\p{L}\p{N}][\p{L}\p{N}._-]{0,79}|#[\p{L}\p{N}._-]{1,80})$`)
	channelID   = regexp.MustCompile(`^[CG][A-Z0-9]{5,}$`)
)

// channel is c as it is sent to Slack.
func channel(c string) string {
	c = strings.TrimSpace(c)
	if c == "" || channelID.MatchString(c) || strings.HasPrefix(c, "#") {
		return c
	}
	return "#" + c
}

// check fails with fault.Invalid where s makes no sense. It returns s in its
// one spelling.
func (s Settings) check() (Settings, error) {
	refuse := func(message string) (Settings, error) { return s, fault.New(fault.Invalid, message, nil) }
	s.Mode = cmp.Or(s.Mode, HTTP)
	if s.Mode != HTTP && s.Mode != Socket {
		return refuse("Messages come by http or by socket.")
	}
	if len(s.Routes) > maxRoutes {
		return refuse("There can be 50 routes.")
	}
	s.Channel = channel(s.Channel)
	if s.Channel != "" && !channelName.MatchString(s.Channel) {
		return refuse("A channel is its name, such as #approvals, or its ID.")
	}
	s.Routes = slices.Clone(s.Routes)
	for n := range s.Routes {
		r := &s.Routes[n]
		r.Channel = channel(r.Channel)
		if !channelName.MatchString(r.Channel) {
			return refuse(fmt.Sprintf("Route %d needs a channel: its name, such as #approvals, or its ID.", n+1))
		}
		if r.Risk != "" && new(action.Risk).UnmarshalText([]byte(r.Risk)) != nil {
			return refuse(fmt.Sprintf("The risk of route %d is none of low, medium, high and critical.", n+1))
		}
	}
	for risk, level := range s.Assurance {
		if new(action.Risk).UnmarshalText([]byte(risk)) != nil || !slices.Contains(Assurances(), level) {
			return refuse("For each risk, either the button decides, or the button with a fresh proof, or the dashboard.")
		}
	}
	return s, nil
}

// Channels are where a's card goes: of every route that it is of, each once,
// and the default where there is none.
func (s Settings) Channels(a approval.Approval) []string {
	var out []string
	for _, r := range s.Routes {
		if r.takes(a) && !slices.Contains(out, r.Channel) {
			out = append(out, r.Channel)
		}
	}
	if len(out) == 0 && s.Channel != "" {
		out = append(out, s.Channel)
	}
	return out
}

func (r Route) takes(a approval.Approval) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	if !is(r.Gateway, a.GatewayName) || !is(r.Environment, a.Environment) || !is(r.Connector, a.Action.Connector) {
		return false
	}
	if r.Risk == "" {
		return true
	}
	var least action.Risk // the zero Risk is the highest
	if err := least.UnmarshalText([]byte(r.Risk)); err != nil {
		return true // somebody is to see it
	}
	return a.Action.Risk <= least // the higher the risk, the lower its number
}
