package slack

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
)

// What the parts of a card are called when they come back.
const (
	actApprove = "approve"
	actDeny    = "deny"
	actReason  = "deny_reason" // opens a window
	actMore    = "more"
	actOpen    = "open" // a link; Slack tells of it all the same

	blockDecide = "decide"
)

// card shows a as it is.
func (s *Service) card(ctx context.Context, settings Settings, a approval.Approval) []api.MsgOption {
	blocks := []api.Block{headline(a), facts(a)}
	if a.Status != approval.Pending {
		blocks = append(blocks, verdict(a), s.leads(a))
		return message(blocks, outcome(a)+" "+sentence(a))
	}
	if !settings.HideBodies {
		blocks = append(blocks, s.content(ctx, a)...)
	}
	blocks = append(blocks, remark(terms(a)), s.choices(settings, a))
	return message(blocks, sentence(a))
}

// content is what can be read of the body.
func (s *Service) content(ctx context.Context, a approval.Approval) []api.Block {
	if a.BodySize == 0 {
		return nil
	}
	body, err := s.Approvals.Body(ctx, a.TeamID, a.ID)
	if err != nil {
		if fault.Of(err) != fault.NotFound {
			s.Log.WarnContext(ctx, "a card shows no body", "approval", a.ID, "error", err)
		}
		return []api.Block{remark("The body is not shown here.")}
	}
	return parts(show.Of(a, body))
}

// sentence is what a asks, as a person would say it.
func sentence(a approval.Approval) string {
	what := a.Sentence
	if strings.TrimSpace(what) == "" {
		what = "send " + a.Method + " " + a.URL
	}
	return a.GatewayName + " wants to " + what
}

const maxHeader = 150

// headline is the sentence: as large as it fits.
func headline(a approval.Approval) api.Block {
	text := sentence(a)
	if short := plain(text, maxHeader+1); !strings.HasSuffix(short, "…") {
		return api.NewHeaderBlock(api.NewTextBlockObject(api.PlainTextType, short, false, false))
	}
	return paragraph(run(plain(text, 1500), bold))
}

// facts are what to know about the request.
func facts(a approval.Approval) api.Block {
	var runs []api.RichTextSectionElement
	line := func(name, value string, style *api.RichTextSectionTextStyle, limit int) {
		if strings.TrimSpace(value) == "" {
			return
		}
		if len(runs) > 0 {
			runs = append(runs, run("\n", nil))
		}
		runs = append(runs, run(name+"  ", bold), run(plain(value, limit), style))
	}
	gateway := a.GatewayName
	if a.Environment != "" {
		gateway += " · " + a.Environment
	}
	line("Request", a.Method+" "+a.URL, code, 500)
	line("Action", a.Action.Name, code, 120)
	line("Gateway", gateway, nil, 150)
	line("Run by", a.Principal, nil, 150)
	line("Risk", riskText(a.Action), nil, 80)
	line("Why", a.Reason, nil, 300)
	return paragraph(runs...)
}

func riskText(a action.Action) string {
	icon := map[action.Risk]string{action.Low: "⚪ ", action.Medium: "🟡 ", action.High: "🟠 ", action.Critical: "🔴 "}[a.Risk]
	if a.Reversible {
		return icon + a.Risk.String() + ", can be undone"
	}
	return icon + a.Risk.String() + ", cannot be undone"
}

// terms say by when, and whom it takes.
func terms(a approval.Approval) string {
	at := a.ExpiresAt.UTC()
	text := fmt.Sprintf("Answer by <!date^%d^{time_secs}|%s UTC>.", at.Unix(), at.Format("15:04:05"))
	if a.Special() {
		text += " " + escape(a.Needed(), 300)
	}
	if p := a.Progress(); p != "" {
		text += " " + escape(p, 500)
	}
	print := a.Fingerprint
	if len(print) > 12 {
		print = print[:12]
	}
	return text + " Fingerprint `" + escape(print, 20) + "`."
}

// choices are the buttons, as far as a button decides.
func (s *Service) choices(settings Settings, a approval.Approval) api.Block {
	needs := settings.Needs(a.Action.Risk)
	var all []api.BlockElement
	if needs != InDashboard {
		if needs == WithProof || !a.StepUp {
			approve := api.NewButtonBlockElement(actApprove, a.ID, words("Approve", 75)).WithStyle(api.StylePrimary)
			if a.Action.Risk == action.High || a.Action.Risk == action.Critical {
				approve.WithConfirm(confirm(a))
			}
			all = append(all, approve)
		}
		all = append(all,
			api.NewButtonBlockElement(actDeny, a.ID, words("Deny", 75)).WithStyle(api.StyleDanger),
			api.NewButtonBlockElement(actReason, a.ID, words("Deny with a reason", 75)))
	}
	all = append(all, s.opens(a))
	if needs == ByButton && a.Repeatable() {
		more := api.NewOverflowBlockElement(actMore)
		for _, r := range repeats {
			more.Options = append(more.Options, api.NewOptionBlockObject(strconv.Itoa(r.minutes)+" "+a.ID, words("Approve the same "+r.text, 75), nil))
		}
		all = append(all, more.WithConfirm(confirm(a)))
	}
	return api.NewActionBlock(blockDecide, all...)
}

// repeats are for how long a request may be approved at once.
var repeats = []struct {
	minutes int
	text    string
}{{15, "for 15 minutes"}, {60, "for an hour"}}

func confirm(a approval.Approval) *api.ConfirmationBlockObject {
	return api.NewConfirmationBlockObject(words("Approve this?", 100), words(sentence(a), 300), words("Approve", 30), words("Not yet", 30)).WithStyle(api.StylePrimary)
}

func (s *Service) opens(a approval.Approval) *api.ButtonBlockElement {
	return api.NewButtonBlockElement(actOpen, a.ID, words("Open in TameFlare", 75)).WithURL(s.link("/approvals/" + a.ID))
}

func (s *Service) leads(a approval.Approval) api.Block { return api.NewActionBlock("", s.opens(a)) }

// hello is a message that says that all works.
func hello(page string) []api.Block {
	return []api.Block{
		api.NewHeaderBlock(words("TameFlare can post here", maxHeader)),
		said("Held requests will appear in this channel, with buttons to answer them."),
		api.NewActionBlock("", api.NewButtonBlockElement(actOpen, "settings", words("Open the settings", 75)).WithURL(page)),
	}
}
