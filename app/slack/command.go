package slack

import (
	"context"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

const help = "TameFlare puts held requests of your team's agents into channels, with buttons to answer them.\n" +
	"`/tameflare link CODE` links your Slack account, with a code from "

// command does what somebody wrote after /tameflare.
func (s *Service) command(ctx context.Context, to office, l letter) reply {
	r := reply{by: audit.Actor{Kind: audit.ByUser, Name: "Slack user " + l.user, Auth: auth, IP: l.from}}
	page := "<" + s.link(LinkPage) + "|your settings>"
	if len(l.words) == 0 || strings.ToLower(l.words[0]) != "link" {
		r.text = help + page + "."
		return r
	}
	if len(l.words) != 2 {
		r.text = "Write `/tameflare link CODE`, with a code from " + page + "."
		return r
	}
	now := s.Now()
	tries := to.ID + " " + l.user
	if !s.tries.admits(tries, now) {
		return r.refused("too_many_codes", "Too many wrong codes. Wait ten minutes, and take a new one from "+page+".")
	}
	if why, text := s.outsider(ctx, to, l); why != "" {
		return r.refused(why, text)
	}
	name, err := s.linkAccount(ctx, to, l)
	switch fault.Of(err) { //nolint:exhaustive // the rest is handled below
	case fault.NotFound:
		s.tries.missed(tries, now)
		return r.refused("code", "This code is wrong, used or older than ten minutes. Take a new one from "+page+".")
	case fault.Conflict:
		return r.refused("linked", escape(fault.Message(err), 300))
	}
	if err != nil {
		return s.failed(ctx, r, err)
	}
	s.tries.forget(tries)
	r.text = "Linked. You decide here as " + escape(name, 100) + "."
	return r
}

// outsider reports why somebody may not be linked: Slack has to say that they
// are a full member of the workspace.
func (s *Service) outsider(ctx context.Context, to office, l letter) (why, text string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	u, err := s.slack(to.secrets).GetUserInfoContext(ctx, l.user)
	switch {
	case err != nil:
		s.Log.WarnContext(ctx, "Slack does not say who somebody is", "integration", to.ID, "error", err)
		return "unknown_user", "Slack does not say who you are, so nothing was linked: " + escape(read(err).sentence, 200)
	case u.IsRestricted, u.IsUltraRestricted, u.IsStranger, u.IsBot, u.Deleted, u.TeamID != "" && u.TeamID != to.settings.Workspace:
		return "stranger", "Guests, and people of other workspaces, cannot be linked."
	}
	return "", ""
}
