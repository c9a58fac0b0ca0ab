package slack

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
)

// letter is a message of Slack's, as far as we look at it.
type letter struct {
	workspace string // that it is from
	user      string
	userTeam  string // the workspace that the user is of; "" where it does not say
	name      string // of the user
	guest     bool   // Slack says that they are one
	channel   string
	ts        string // of the card that was clicked
	trigger   string // to open a window with
	reply     string // where a late answer to a command goes
	from      string // IP address; "" by Socket Mode

	act      act
	approval string
	verdict  approval.Verdict
	repeat   time.Duration
	note     string
	words    []string // of a command
}

// act is what somebody wants. The zero act is nothing.
type act uint8

const (
	nothing act = iota
	decide
	window // in which a reason can be written
	command
)

var errLetter = errors.New("a message that Slack would not send")

const (
	maxID   = 100
	maxNote = 500
)

// window's parts.
const (
	callDeny    = "deny"
	blockReason = "reason"
	elemReason  = "text"
)

// about is what a window knows of where it was opened.
type about struct {
	Approval string `json:"approval"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
}

// readAction reads the payload of a click or of a window that was sent.
func readAction(payload []byte) (letter, error) {
	var in api.InteractionCallback
	if err := json.Unmarshal(payload, &in); err != nil {
		return letter{}, errLetter // its text would quote what was sent
	}
	return fromAction(in)
}

func fromAction(in api.InteractionCallback) (letter, error) {
	id := func(s string) string { return audit.Plain(s, maxID) }
	l := letter{
		workspace: id(in.Team.ID), user: id(in.User.ID), userTeam: id(in.User.TeamID), name: id(cmp.Or(in.User.Username, in.User.Name)),
		guest:   in.User.IsRestricted || in.User.IsUltraRestricted || in.User.IsStranger || in.User.IsBot,
		channel: id(cmp.Or(in.Container.ChannelID, in.Channel.ID)), ts: id(cmp.Or(in.Container.MessageTs, in.Message.Timestamp)), trigger: in.TriggerID,
	}
	if l.workspace == "" || l.user == "" {
		return letter{}, errLetter
	}
	switch in.Type { //nolint:exhaustive // we ask for no others
	case api.InteractionTypeBlockActions:
		if len(in.ActionCallback.BlockActions) != 1 || in.ActionCallback.BlockActions[0] == nil {
			return letter{}, errLetter
		}
		return l, l.click(*in.ActionCallback.BlockActions[0])
	case api.InteractionTypeViewSubmission:
		return l, l.sent(in.View)
	case api.InteractionTypeViewClosed:
		return l, nil
	}
	return letter{}, errLetter
}

func (l *letter) click(b api.BlockAction) error {
	l.approval = audit.Plain(b.Value, maxID)
	switch b.ActionID {
	case actApprove:
		l.act, l.verdict = decide, approval.Grant
	case actDeny:
		l.act = decide
	case actReason:
		l.act = window
	case actMore:
		minutes, of, _ := strings.Cut(b.SelectedOption.Value, " ")
		n, err := strconv.Atoi(minutes)
		if err != nil || n <= 0 || n > int(approval.MaxRepeat/time.Minute) {
			return errLetter
		}
		l.act, l.verdict, l.approval, l.repeat = decide, approval.Grant, audit.Plain(of, maxID), time.Duration(n)*time.Minute
	case actOpen: // their browser has it
	default:
		return errLetter
	}
	if l.act != nothing && l.approval == "" {
		return errLetter
	}
	return nil
}

func (l *letter) sent(v api.View) error {
	var of about
	if v.CallbackID != callDeny || json.Unmarshal([]byte(v.PrivateMetadata), &of) != nil || of.Approval == "" || v.State == nil {
		return errLetter
	}
	l.act, l.approval = decide, audit.Plain(of.Approval, maxID)
	l.channel, l.ts = audit.Plain(of.Channel, maxID), audit.Plain(of.TS, maxID)
	l.note = audit.Plain(strings.TrimSpace(v.State.Values[blockReason][elemReason].Value), maxNote)
	return nil
}

func fromCommand(c api.SlashCommand) (letter, error) {
	id := func(s string) string { return audit.Plain(s, maxID) }
	l := letter{
		workspace: id(c.TeamID), user: id(c.UserID), name: id(c.UserName), channel: id(c.ChannelID), reply: c.ResponseURL,
		act: command, words: strings.Fields(audit.Plain(c.Text, 200)),
	}
	if l.workspace == "" || l.user == "" {
		return letter{}, errLetter
	}
	return l, nil
}
