package connectors_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/tameflare/tameflare/domain/action"
)

// Words with which services begin the names of what changes something, and of
// what does not.
var (
	changing = strings.Fields(`abort accept acknowledge activate add allow anonymize append apply approve archive assign attach authorize begin block
		bulk cancel capture change claim clear clone close commit complete compact confirm connect consume convert copy create credit deactivate decline decrement
		decrypt delete deliver demote deny dequeue destroy detach detect disable disconnect dismiss dispatch edit enable encrypt end enqueue enter error
		exchange expire export extend fail finalize finish follow force fork freeze fulfill fund generate grant hide import impersonate increment initiate
		inject invalidate invite issue join kick leave link lock mark mask me merge migrate minimize modify move mute open pause pay pin ping place poll post
		prepare present process promote publish pull push put reactivate reauthorize rebuild recall receive record redact redeliver redo refer refresh
		refund register regenerate reinstate reject release remove rename reopen reorder replace report request rerequest rerun reset resolve respond
		restore restrict resume retarget retry return reverse revert review revoke rotate run save schedule send set settle share ship snooze spend star
		start step stop store submit subscribe suspend sync tag terminate toggle transfer trash trigger unfurl unarchive unassign unblock unfollow unhide uninstall
		unlink unlock unmark unminimize unmute unpin unpublish unresolve unsnooze unstar unsubscribe unsuspend update upgrade upload use validate verify
		vote void watch wipe withdraw write`)
	reading = strings.Fields(`check compare count describe download exists export fetch find get history info is list lookup members permalink
		preview query read render replies retrieve search show test validate`)

	// Slack has methods that are called by what they read.
	nouns = strings.Fields("dnd.teamInfo openid.connect.userInfo search.all search.files search.messages team.accessLogs team.billableInfo team.integrationLogs users.conversations users.identity")
)

// begins returns the words with which a service's names for a row begin.
func begins(r row) []string {
	name := r.id
	switch {
	case slices.Contains(nouns, name):
		name = "read"
	case strings.HasPrefix(r.path, "/api/"):
		name = r.path[strings.LastIndexByte(r.path, '.')+1:]
	case r.service == "github" && strings.Contains(name, "/"):
		_, name, _ = strings.Cut(name, "/")
	case r.service == "openai" && name != "":
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "beta_"), "/")
	case r.place == "graphql":
	case r.method == "GET":
		return nil
	default: // Stripe's begin with the method, and others have none
		path, _, _ := strings.Cut(r.path, "?")
		name = path[strings.LastIndexByte(path, '/')+1:]
	}
	if end := strings.IndexFunc(name, func(c rune) bool { return !unicode.IsLetter(c) }); end >= 0 {
		name = name[:end]
	}
	if name == "" {
		return nil
	}
	if next := strings.IndexFunc(name[1:], unicode.IsUpper); next >= 0 {
		name = name[:next+1]
	}
	name = strings.ToLower(name)
	if r.service == "openai" && r.id != "" { // some are written without capitals
		for _, word := range slices.Concat(changing, reading) {
			if strings.HasPrefix(name, word) {
				return []string{word}
			}
		}
	}
	return []string{name}
}

// unlike are the rows whose class is not what their method or their words
// suggest, and why it is right.
var unlike = map[string]string{
	"anthropic api GET /v1/environments/{environmentID}/work/poll":                     "takes work from a queue and hands out a credential",
	"anthropic api POST /v1/messages/count_tokens":                                     "counts and keeps nothing",
	"anthropic api POST /v1/organizations/plugin_marketplaces/validate_archive":        "says what taking it over would come to",
	"anthropic api POST /v1/organizations/plugin_marketplaces/validate_repository":     "says what taking it over would come to",
	"anthropic api POST /v1/organizations/rbac_groups/{rbacGroupID}/members":           "adds one",
	"anthropic api POST /v1/organizations/telemetry_destinations/{destinationID}/test": "sends to the destination",
	"anthropic api POST /v1/organizations/workspaces/{workspaceID}/members":            "adds one",
	"github api GET /user/codespaces ?internal":                                        "the answer has tokens of sessions",
	"github api GET /user/codespaces/{codespace_name} ?internal":                       "the answer has the token of a session",
	"github api GET /copilot_internal/v2/token":                                        "hands out a credential",
	"github api GET /feeds":                                                                    "the addresses in the answer work as keys",
	"github api GET /orgs/{org}/secret-scanning/alerts":                                        "the answer has the leaked secrets",
	"github api GET /repos/{owner}/{repo}/dependency-graph/sbom/generate-report":               "makes a report of what is there, to be downloaded",
	"github api GET /repos/{owner}/{repo}/secret-scanning/alerts":                              "the answer has the leaked secrets",
	"github api GET /repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}":               "the answer has the leaked secret",
	"github api POST /applications/{client_id}/token":                                          "tells an app whose token it holds, and what it opens",
	"github api POST /markdown":                                                                "renders and keeps nothing",
	"github api POST /markdown/raw":                                                            "renders and keeps nothing",
	"github api POST /orgs/{org}/attestations/bulk-list":                                       "lists; the POST is for the length of what is asked",
	"github api POST /repos/{owner}/{repo}/hooks/{hook_id}/tests":                              "sends to the hook",
	"github api POST /repos/{owner}/{repo}/releases/generate-notes":                            "drafts notes and keeps nothing",
	"github api POST /users/{username}/attestations/bulk-list":                                 "lists; the POST is for the length of what is asked",
	"github gist POST /{gist_id}/git-upload-pack":                                              "git fetches by POST",
	"github gist POST /{gist_id}/git-upload-pack %ls-refs":                                     "git lists by POST",
	"github gist POST /{gist_id}/git-upload-pack %the client has nothing of it yet":            "git clones by POST",
	"github gist POST /{username}/{gist_id}/git-upload-pack":                                   "git fetches by POST",
	"github gist POST /{username}/{gist_id}/git-upload-pack %ls-refs":                          "git lists by POST",
	"github gist POST /{username}/{gist_id}/git-upload-pack %the client has nothing of it yet": "git clones by POST",
	"github git GET /login/oauth/access_token":                                                 "hands out a credential",
	"github git GET /login/oauth/authorize":                                                    "grants access",
	"github git POST /{owner}/{repo}/git-upload-pack":                                          "git fetches by POST",
	"github git POST /{owner}/{repo}/git-upload-pack %ls-refs":                                 "git lists by POST",
	"github git POST /{owner}/{repo}/git-upload-pack %the client has nothing of it yet":        "git clones by POST",
	"github git POST /{owner}/{repo}/info/lfs/locks/verify":                                    "lists the locks before a push",
	"github git POST /{owner}/{repo}/info/lfs/objects/batch .operation=download":               "asks where the files are",
	"openai api GET /v1/live/sessions":                                                         "a connection, on which anything may be asked for",
	"openai api GET /v1/live/sessions/{session_id}/attach":                                     "a connection, on which anything may be asked for",
	"openai api GET /v1/live/sessions/{session_id}/fork":                                       "a connection, on which anything may be asked for",
	"openai api GET /v1/realtime":                                                              "a connection, on which anything may be asked for",
	"openai api GET /v1/realtime/translations":                                                 "a connection, on which anything may be asked for",
	"openai api GET /v1/responses":                                                             "a connection, on which anything may be asked for",
	"openai api POST /v1/content_provenance_checks":                                            "says where a file is from and keeps nothing",
	"openai api POST /v1/fine_tuning/alpha/graders/validate":                                   "checks a definition and keeps nothing",
	"openai api POST /v1/moderations":                                                          "judges a text, free of charge, and keeps nothing",
	"openai api POST /v1/responses/input_tokens":                                               "counts and keeps nothing",
	"openai api POST /v1/responses/input_tokens?beta=true":                                     "counts and keeps nothing",
	"openai api POST /v1/vector_stores/{vector_store_id}/search":                               "searches by POST",
	"openai api POST /v1/webhook_endpoints/{webhook_endpoint_id}/test":                         "sends to the hook",
	"slack api POST /api/files.getUploadURLExternal":                                           "begins an upload",
	"slack api POST /api/files.sharedPublicURL":                                                "makes the file public",
	"slack api POST /api/migration.exchange":                                                   "translates ids",
	"slack api POST /api/oauth.access":                                                         "hands out a credential",
	"slack api POST /api/oauth.token":                                                          "hands out a credential",
	"slack api POST /api/oauth.v2.access":                                                      "hands out a credential",
	"slack api POST /api/openid.connect.token":                                                 "hands out a credential",
	"stripe api GET /v1/apps/secrets":                                                          "the answer has the secrets",
	"stripe api GET /v1/apps/secrets/find":                                                     "the answer has the secret",
	"stripe api POST /v1/invoices/create_preview":                                              "makes up an invoice and keeps nothing",
	"stripe api POST /v1/test_helpers/test_clocks":                                             "makes one",
}

func TestAClassIsWhatTheOperationMeans(t *testing.T) {
	t.Parallel()

	used := map[string]bool{}
	for _, r := range rows(t) {
		key := strings.Join(strings.Fields(r.service+" "+r.place+" "+r.method+" "+r.path+" "+strings.Join(r.when, "&")), " ")
		class := r.does[0].class
		for _, d := range r.does {
			class = min(class, d.class)
		}
		var odd string
		reads := class == action.Read
		switch {
		case r.service == "slack" && r.place == "api": // whose methods are all called alike
		case (r.method == "GET" || r.method == "QUERY") != reads:
			odd = r.method
		}
		for _, word := range begins(r) {
			if reads && slices.Contains(changing, word) && !slices.Contains(reading, word) || !reads && slices.Contains(reading, word) && !slices.Contains(changing, word) {
				odd = word
			}
			if r.service == "slack" && r.place == "api" && !slices.Contains(changing, word) && !slices.Contains(reading, word) {
				odd = word
			}
		}
		if odd == "" {
			continue
		}
		used[key] = true
		if unlike[key] == "" {
			t.Errorf("%q: \"\", // %s is %v for %q %s", key, r.does[0].name, class, odd, r.id)
		}
	}
	for key := range unlike {
		if !used[key] {
			t.Errorf("%s is no exception", key)
		}
	}
}
