package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// Slack is how a team uses Slack.
type Slack interface {
	SlackSetup
	SlackPeople
	Find(ctx context.Context, teamID string) (integration.Integration, slack.Settings, bool, error)
	Manifest(id string, mode slack.Mode) (string, error)
}

// SlackSetup changes how a team uses it.
type SlackSetup interface {
	Begin(ctx context.Context, v team.Viewer) (integration.Integration, error)
	Save(ctx context.Context, v team.Viewer, version int64, set slack.Settings, given slack.Secrets, enabled bool) (integration.Integration, error)
	Test(ctx context.Context, i integration.Integration) error
	Remove(ctx context.Context, v team.Viewer) error
}

// SlackPeople says whose Slack accounts are whose.
type SlackPeople interface {
	NewCode(ctx context.Context, v team.Viewer) (credential.Secret, error)
	Linked(ctx context.Context, v team.Viewer) ([]store.SlackPerson, error)
	Unlink(ctx context.Context, v team.Viewer, workspace, slackUser string) error
}

func (s *Server) slack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	i, set, ready, err := s.Slack.Find(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	if i.Version == 1 && !s.https() {
		set.Mode = slack.Socket // Slack could not reach this server
	}
	switch r.URL.Query().Get("mode") {
	case string(slack.HTTP):
		set.Mode = slack.HTTP
	case string(slack.Socket):
		set.Mode = slack.Socket
	}
	form := slackForm(i, set)
	if i.Version == 1 {
		form.Enabled = true // what somebody wants who fills it in for the first time
	}
	return s.showSlack(w, r, v, http.StatusOK, i, set, ready, form)
}

// blankRoutes are rows to write new routes in.
const blankRoutes = 2

func slackForm(i integration.Integration, set slack.Settings) views.SlackForm {
	f := views.SlackForm{
		Version: i.Version, Socket: set.Mode == slack.Socket, Enabled: i.Enabled, Channel: set.Channel, HideBodies: set.HideBodies, HasBot: len(i.Sealed) > 0,
	}
	for _, route := range set.Routes {
		f.Routes = append(f.Routes, views.SlackRoute(route))
	}
	f.Routes = append(f.Routes, make([]views.SlackRoute, blankRoutes)...)
	for _, risk := range slack.Risks() {
		f.Levels = append(f.Levels, views.SlackLevel{Risk: risk.String(), Chosen: string(set.Needs(risk))})
	}
	return f
}

func (s *Server) showSlack(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, i integration.Integration, set slack.Settings, ready bool, form views.SlackForm) error {
	d := views.SlackDetail{Integration: i, Ready: ready, Workspace: set.WorkspaceName, Form: form, Sent: r.URL.Query().Has("sent")}
	if ready {
		mode := slack.HTTP
		if form.Socket {
			mode = slack.Socket
		}
		var err error
		if d.Manifest, err = s.Slack.Manifest(i.ID, mode); err != nil {
			return err
		}
		if d.People, err = s.linked(r, v); err != nil {
			return err
		}
	}
	f, err := s.frame(r, v, "settings", "Slack")
	if err != nil {
		return err
	}
	return render(w, r, status, views.SlackPage(f, d))
}

// linked is who has linked their account, as far as v may see it.
func (s *Server) linked(r *http.Request, v team.Viewer) ([]views.SlackPerson, error) {
	ps, err := s.Slack.Linked(r.Context(), v)
	if err != nil || len(ps) == 0 {
		return nil, err
	}
	members, err := s.People.Members(r.Context(), v.Team.ID)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, m := range members {
		names[m.User.ID] = m.User.Name
	}
	var all []views.SlackPerson
	for _, p := range ps {
		all = append(all, views.SlackPerson{Workspace: p.Workspace, SlackUser: p.SlackUser, SlackName: p.Name, Name: names[p.UserID], Since: p.LinkedAt})
	}
	return all, nil
}

func (s *Server) beginSlack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if _, err := s.Slack.Begin(r.Context(), v); err != nil {
		return err
	}
	return see(w, r, "/settings/slack")
}

func (s *Server) saveSlack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	i, was, ready, err := s.Slack.Find(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	if !ready {
		return see(w, r, "/settings/slack")
	}
	version, err := strconv.ParseInt(text(r, "version"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", err)
	}
	set := slack.Settings{
		Mode: slack.Mode(text(r, "mode")), Workspace: was.Workspace, WorkspaceName: was.WorkspaceName, Channel: text(r, "channel"),
		Routes: slackRoutes(r), Assurance: map[string]slack.Assurance{}, HideBodies: text(r, "hide_bodies") == "yes",
	}
	for _, risk := range slack.Risks() {
		if level := text(r, "assurance_"+risk.String()); level != "" {
			set.Assurance[risk.String()] = slack.Assurance(level)
		}
	}
	given := slack.Secrets{
		BotToken: credential.NewSecret(text(r, "bot_token")), SigningSecret: credential.NewSecret(text(r, "signing_secret")), AppToken: credential.NewSecret(text(r, "app_token")),
	}
	enabled := text(r, "enabled") == "yes"
	_, err = s.Slack.Save(r.Context(), v, version, set, given, enabled)
	switch k := fault.Of(err); {
	case k == fault.Invalid || k == fault.Conflict || k == fault.Unavailable:
		form := slackForm(i, set)
		form.Version, form.Enabled, form.Errors = version, enabled, views.Errors{"": fault.Message(err)}
		return s.showSlack(w, r, v, k.Status(), i, set, ready, form)
	case err != nil:
		return err
	}
	return see(w, r, "/settings/slack")
}

// slackRoutes are the rows that name a channel.
func slackRoutes(r *http.Request) []slack.Route {
	at := func(name string, n int) string {
		if all := r.PostForm["route_"+name]; n < len(all) {
			return strings.TrimSpace(all[n])
		}
		return ""
	}
	var routes []slack.Route
	for n := range r.PostForm["route_channel"] {
		route := slack.Route{Gateway: at("gateway", n), Environment: at("environment", n), Connector: at("connector", n), Risk: at("risk", n), Channel: at("channel", n)}
		if route.Channel != "" {
			routes = append(routes, route)
		}
	}
	return routes
}

func (s *Server) testSlack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	i, set, ready, err := s.Slack.Find(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	if !ready {
		return see(w, r, "/settings/slack")
	}
	err = s.Slack.Test(r.Context(), i)
	if k := fault.Of(err); k == fault.Invalid {
		form := slackForm(i, set)
		form.Errors = views.Errors{"": fault.Message(err)}
		return s.showSlack(w, r, v, k.Status(), i, set, ready, form)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/settings/slack?sent")
}

func (s *Server) removeSlack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := s.Slack.Remove(r.Context(), v); err != nil {
		return err
	}
	return see(w, r, "/settings/slack")
}

func (s *Server) slackLink(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showSlackLink(w, r, v, "")
}

func (s *Server) showSlackLink(w http.ResponseWriter, r *http.Request, v team.Viewer, code string) error {
	i, _, ready, err := s.Slack.Find(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	all, err := s.Slack.Linked(r.Context(), v)
	if err != nil {
		return err
	}
	var own []views.SlackPerson
	for _, p := range all {
		if p.UserID == v.User.ID {
			own = append(own, views.SlackPerson{Workspace: p.Workspace, SlackUser: p.SlackUser, SlackName: p.Name, Name: v.User.Name, Since: p.LinkedAt})
		}
	}
	f, err := s.frame(r, v, "settings", "Link my Slack account")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, http.StatusOK, views.SlackLinkPage(f, ready && i.Enabled, code, own))
}

// newSlackCode shows the code with the answer to the form: it is nowhere else.
func (s *Server) newSlackCode(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	code, err := s.Slack.NewCode(r.Context(), v)
	if err != nil {
		return err
	}
	return s.showSlackLink(w, r, v, code.Reveal())
}

func (s *Server) unlinkSlack(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	if err := s.Slack.Unlink(r.Context(), v, text(r, "workspace"), text(r, "slack_user")); err != nil {
		return err
	}
	if v.May(team.Manage) {
		return see(w, r, "/settings/slack")
	}
	return see(w, r, "/settings/slack/link")
}
