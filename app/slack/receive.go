package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

const (
	// Prefix is where Slack's messages come to.
	Prefix = "/slack/"

	maxMessage = 256 << 10
	// window of time in which a message is taken for new.
	fresh = 5 * time.Minute
)

// office is an integration that a message has come to.
type office struct {
	integration.Integration
	settings Settings
	secrets  Secrets
}

// Handler takes what Slack sends. Whoever sends it has to have signed it, so
// it stands outside of what protects pages from other sites.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Prefix+"{id}/actions", s.actions)
	mux.HandleFunc("POST "+Prefix+"{id}/commands", s.commands)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, answerNowhere) })
	return mux
}

// What is answered to messages that are not looked at any further.
const (
	answerNowhere   = "Nothing is at this address."
	answerLarge     = "The message is too large."
	answerForged    = "The signature is missing or wrong."
	answerOld       = "The message is too old."
	answerReplayed  = "The message has come before."
	answerMalformed = "The message makes no sense."
	answerWorkspace = "The message is from another workspace."
	answerBusy      = "Too much at once. Try again in a moment."
	answerFailed    = "Something went wrong on our side."
)

func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (s *Service) actions(w http.ResponseWriter, r *http.Request) {
	s.receive(w, r, func(form url.Values) (letter, error) { return readAction([]byte(form.Get("payload"))) })
}

func (s *Service) commands(w http.ResponseWriter, r *http.Request) {
	s.receive(w, r, func(form url.Values) (letter, error) {
		return fromCommand(api.SlashCommand{
			TeamID: form.Get("team_id"), UserID: form.Get("user_id"), UserName: form.Get("user_name"), ChannelID: form.Get("channel_id"),
			Text: form.Get("text"), ResponseURL: form.Get("response_url"),
		})
	})
}

// receive looks whether Slack sent a message, whether it has not come before,
// and whether it is from the team's workspace; then it is seen to.
func (s *Service) receive(w http.ResponseWriter, r *http.Request, open func(url.Values) (letter, error)) {
	ctx := r.Context()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			say(w, http.StatusRequestEntityTooLarge, answerLarge)
		}
		return
	}
	to, err := s.office(ctx, r.PathValue("id"))
	if err != nil || to.settings.Mode == Socket {
		if err != nil && fault.Of(err) != fault.NotFound {
			s.Log.ErrorContext(ctx, "a message from Slack could not be taken", "error", err)
			say(w, http.StatusServiceUnavailable, answerFailed)
			return
		}
		say(w, http.StatusNotFound, answerNowhere)
		return
	}
	from := s.ip(r)
	nonce, err := verify(r.Header, body, to.secrets.SigningSecret, s.Now())
	switch {
	case errors.Is(err, errOld):
		s.refuse(ctx, to, letter{from: from}, "old")
		say(w, http.StatusUnauthorized, answerOld)
		return
	case err != nil:
		s.refuse(ctx, to, letter{from: from}, "forged")
		say(w, http.StatusUnauthorized, answerForged)
		return
	}
	switch err := s.Store.SeeMessage(ctx, to.ID, nonce, s.now()); {
	case fault.Of(err) == fault.Conflict:
		s.refuse(ctx, to, letter{from: from}, "replayed")
		say(w, http.StatusConflict, answerReplayed)
		return
	case err != nil:
		s.Log.ErrorContext(ctx, "a message from Slack could not be taken", "error", err)
		say(w, http.StatusServiceUnavailable, answerFailed)
		return
	}
	form, err := url.ParseQuery(string(body))
	var l letter
	if err == nil {
		l, err = open(form)
	}
	l.from = from
	switch {
	case err != nil:
		s.refuse(ctx, to, l, "malformed")
		say(w, http.StatusBadRequest, answerMalformed)
		return
	case l.workspace != to.settings.Workspace:
		s.refuse(ctx, to, l, "workspace")
		say(w, http.StatusForbidden, answerWorkspace)
		return
	}
	answer, ok := s.hand(to, l)
	switch {
	case !ok:
		say(w, http.StatusServiceUnavailable, answerBusy)
	case answer == "":
		say(w, http.StatusOK, "")
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(private(answer))
	}
}

// private is an answer to a command that only who sent it sees.
func private(text string) map[string]string {
	return map[string]string{"response_type": "ephemeral", "text": text}
}

// office returns the integration that messages at an address are for. It
// fails with fault.NotFound where there is none that is switched on.
func (s *Service) office(ctx context.Context, id string) (office, error) {
	none := fault.New(fault.NotFound, answerNowhere, nil)
	i, err := s.Store.Integration(ctx, audit.Plain(id, maxID))
	if err != nil {
		return office{}, err
	}
	if i.Kind != integration.Slack || !i.Enabled {
		return office{}, none
	}
	to := office{Integration: i}
	if to.settings, err = ReadSettings(i); err != nil {
		return office{}, err
	}
	if to.secrets, err = s.secrets(ctx, i); err != nil {
		return office{}, err
	}
	if to.settings.Workspace == "" {
		return office{}, none
	}
	return to, nil
}

var (
	errForged = errors.New("slack: not signed by Slack")
	errOld    = errors.New("slack: signed too long ago")
)

// verify looks whether a message is signed with secret (Slack's v0), lately,
// and returns what the signature is: no two messages have the same.
func verify(h http.Header, body []byte, secret credential.Secret, now time.Time) (nonce string, err error) {
	stamps, signatures := h.Values("X-Slack-Request-Timestamp"), h.Values("X-Slack-Signature")
	if secret.Empty() || len(stamps) != 1 || len(signatures) != 1 {
		return "", errForged
	}
	text, ok := strings.CutPrefix(signatures[0], "v0=")
	signature, err := hex.DecodeString(text)
	if !ok || err != nil {
		return "", errForged
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("v0:" + stamps[0] + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), signature) {
		return "", errForged
	}
	seconds, err := strconv.ParseInt(stamps[0], 10, 64)
	if err != nil {
		return "", errForged
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > fresh {
		return "", errOld
	}
	return "v0=" + hex.EncodeToString(signature), nil
}

func (s *Service) ip(r *http.Request) string {
	if s.IP != nil {
		return s.IP(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// refuse records a message that is not what it claims to be: so many a minute,
// and the rest is counted.
func (s *Service) refuse(ctx context.Context, to office, l letter, why string) {
	s.Integrations.Refused(ctx, to.Integration, audit.Event{
		Type: eventRefused, Actor: audit.Actor{Kind: audit.BySystem, Name: "tameflare-server", IP: l.from}, Detail: l.detail(to, why),
	})
}

// eventRefused is the type of the event of a message that changed nothing.
const eventRefused = "slack.refused"

func (l letter) detail(to office, why string) map[string]string {
	d := map[string]string{"why": why, "integration": to.ID}
	for name, value := range map[string]string{"workspace": l.workspace, "slack_user": l.user, "slack_name": l.name, "channel": l.channel, "from": l.from, "approval": l.approval} {
		if value != "" {
			d[name] = value
		}
	}
	return d
}
