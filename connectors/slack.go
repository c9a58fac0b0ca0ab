package connectors

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

var slack = &Type{
	Name:   "slack",
	Title:  "Slack",
	Docs:   "https://docs.slack.dev/reference/methods",
	Hosts:  []string{"slack.com", "api.slack.com", "files.slack.com", "hooks.slack.com"},
	Styles: []credential.Kind{credential.Bearer},
	Hint: Hint{
		Label:       "Bot token",
		Placeholder: "xoxb-…",
		Help:        "The bot token of an app with no more scopes than your rules allow, from OAuth & Permissions of the app.",
	},
	Headers: append([]string{"Cookie"}, carriers...),
	Queries: append([]string{"token"}, carrierQueries...),
	service: slackService{newTabled(spec{
		word:   "slack",
		format: readsJSON | readsForm | readsMultipart | readsQuery,
		prefix: "xoxb-",
		hosts:  map[string]string{"api": "slack.com", "files": "files.slack.com", "hooks": "hooks.slack.com"},
		where: func(host string, segments []string) (string, []string) {
			switch host {
			case "files.slack.com":
				return "files", segments
			case "hooks.slack.com":
				return "hooks", segments
			}
			return "api", segments
		},
		as: func(place, method string) []string { // a method may be called with either
			if place == "api" && (method == "GET" || method == "HEAD") {
				return post
			}
			return nil
		},
		page:  func(r *row) string { return "https://docs.slack.dev/reference/methods/" + strings.ToLower(r.id) },
		shape: slackRefusal,
	}, tables.Slack)},
}

var post = []string{"POST"}

type slackService struct{ *tabled }

// needs is always the whole body: a token may be in it.
func (s slackService) needs(r Request) Need {
	if r.Host == "files.slack.com" {
		return s.tabled.needs(r)
	}
	return NeedAll
}

// read refuses a token in the body, which counts more for Slack than the one
// in the header, and a GET of a method that nobody knows, which may do
// anything.
func (s slackService) read(r Request) (action.Action, error) {
	a, err := s.tabled.read(r)
	if err != nil || r.Host == "files.slack.com" {
		return a, err
	}
	if a.Name == "slack.other.get" {
		a = s.unknown()
	}
	if r.Host == "hooks.slack.com" {
		return a, nil
	}
	if s.mayBringToken(&r) {
		return action.Action{}, fault.New(fault.Invalid, "Send the token in the Authorization header alone, and the body so that it can be read.", nil)
	}
	return a, nil
}

var slackToken = &group{finder: body.NewFinder([]body.Path{{"token"}})}

// mayBringToken reports whether the body or the query has a token of the
// client's own, or cannot be read and may have one.
func (s slackService) mayBringToken(r *Request) bool {
	var found [1]body.Value
	if !s.format.read(r, slackToken, found[:]) || found[0].Kind != body.Absent {
		return true
	}
	if r.RawQuery == "" {
		return false
	}
	plain, err := queryValues(r.RawQuery, "token")
	return err != nil || len(plain) == 0 && (slackToken.finder.Form([]byte(r.RawQuery), found[:]) != nil || found[0].Kind != body.Absent)
}

// slackRefusal is an error as Slack writes it. Slack's SDKs print no other
// error than one that came with status 200, and try all others again for half
// an hour; everybody else gets the status that the problem has.
func slackRefusal(r Request, p Problem) Reply {
	reply := p.shaped(plainJSON, struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
		Problem
	}{false, p.sentence(), p})
	if p.Status == 403 && slackSDK(r.Header.Get("User-Agent")) {
		reply.Status = 200
	}
	return reply
}

func slackSDK(agent string) bool {
	agent = strings.ToLower(agent)
	for _, known := range []string{"@slack", "slack:web-api", "slackclient", "slack_sdk", "slack-go", "slack-ruby"} {
		if strings.Contains(agent, known) {
			return true
		}
	}
	return false
}
