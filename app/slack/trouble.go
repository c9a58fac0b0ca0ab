package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/domain/fault"
)

// sentences say what Slack means, and what to do about it.
var sentences = map[string]string{ //nolint:gosec // they are about tokens, and none is one
	"invalid_auth":                   "Slack does not know this token. Copy the bot token again from the app's page.",
	"not_authed":                     "Slack does not know this token. Copy the bot token again from the app's page.",
	"not_allowed_token_type":         "Slack takes another kind of token here. Copy the bot token, which begins with xoxb-.",
	"account_inactive":               "The app was removed from the workspace. Install it again, and put in the new bot token.",
	"token_revoked":                  "The token was revoked. Install the app again, and put in the new bot token.",
	"token_expired":                  "The token has expired. Turn token rotation off for the app, and put in a new bot token.",
	"channel_not_found":              "Slack knows no such channel, or the app may not see it. Invite the app there, or correct the channel.",
	"not_in_channel":                 "The app is not in the channel. Invite it there: /invite @TameFlare.",
	"is_archived":                    "The channel is archived. Choose another.",
	"restricted_action":              "The workspace does not let the app post in the channel.",
	"missing_scope":                  "The app may do less than it needs. Compare its scopes with the manifest, and install it again.",
	"team_access_not_granted":        "The app may not be used in this workspace. Ask who administers Slack.",
	"org_login_required":             "The workspace is being moved to an organisation. Try again when that is over.",
	"ekm_access_denied":              "Who administers Slack has suspended access to this channel.",
	"messages_tab_disabled":          "The channel is the app's own, and its messages are off. Choose another.",
	"cannot_reply_to_message":        "The message cannot be answered in a thread.",
	"invalid_blocks":                 "Slack could not read the card.",
	"msg_too_long":                   "The card was too long for Slack.",
	"msg_blocks_too_long":            "The card was too long for Slack.",
	"message_not_found":              "The message has been removed from Slack.",
	"cant_update_message":            "The message is not the app's to change.",
	"edit_window_closed":             "The workspace does not let messages be changed any more after this long.",
	"user_not_in_channel":            "They are not in the channel.",
	"expired_trigger_id":             "That took too long for Slack. Press the button again.",
	"exchanged_trigger_id":           "That window has been opened already.",
	"internal_error":                 "Slack had a failure of its own.",
	"fatal_error":                    "Slack had a failure of its own.",
	"service_unavailable":            "Slack is not available.",
	"request_timeout":                "Slack took too long.",
	"ratelimited":                    "Slack wants to be asked less often.",
	"rate_limited":                   "Slack wants to be asked less often.",
	"message_limit_exceeded":         "The workspace has reached its limit of messages.",
	"too_many_websockets":            "The app has too many connections by Socket Mode.",
	"access_denied":                  "Slack does not let the app do this.",
	"no_permission":                  "Slack does not let the app do this.",
	"user_not_found":                 "Slack knows no such person.",
	"no_text":                        "Slack took the message for empty.",
	"metadata_must_be_sent_from_app": "Slack did not take the token for an app's.",
}

// passing are failures of Slack's that a later attempt may not meet.
var passing = map[string]bool{
	"internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true,
	"ratelimited": true, "rate_limited": true, "org_login_required": true, "team_added_to_org": true, "too_many_websockets": true,
}

// trouble is what went wrong with a call to Slack.
type trouble struct {
	code     string        // Slack's word for it; "" where it said none
	status   int           // of HTTP, 0 for none
	wait     time.Duration // until when it wants no other call; 0: it did not say
	sentence string        // for people
	passing  bool          // it may go well another time
}

// read says what err, of a call to Slack, means.
func read(err error) trouble {
	if limited, ok := errors.AsType[*api.RateLimitedError](err); ok {
		return trouble{"ratelimited", http.StatusTooManyRequests, max(limited.RetryAfter, time.Second), sentences["ratelimited"], true}
	}
	if answer, ok := errors.AsType[api.SlackErrorResponse](err); ok {
		t := trouble{code: answer.Err, status: http.StatusOK, sentence: sentences[answer.Err], passing: passing[answer.Err]}
		if t.sentence == "" {
			t.sentence = "Slack refused: " + plain(answer.Err, 60) + "."
		}
		return t
	}
	if code, ok := errors.AsType[api.StatusCodeError](err); ok {
		return trouble{status: code.Code, sentence: fmt.Sprintf("Slack answered with status %d.", code.Code), passing: code.Code >= 500 || code.Code == http.StatusTooManyRequests}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return trouble{sentence: sentences["request_timeout"], passing: true}
	}
	return trouble{sentence: "Slack could not be reached.", passing: true}
}

// fault is t for whoever caused the call.
func (t trouble) fault(cause error) error {
	kind := fault.Invalid
	if t.passing {
		kind = fault.Unavailable
	}
	return fault.New(kind, t.sentence, cause)
}
