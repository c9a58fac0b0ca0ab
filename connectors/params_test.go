package connectors_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

// What rules and people see of requests in the forms in which clients send them.
func TestARequestSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()

	set := everyType(t)
	type params = map[string]any
	const (
		json = "Content-Type: application/json"
		form = "Content-Type: application/x-www-form-urlencoded"
		mime = "Content-Type: multipart/form-data; boundary=b"
	)
	for name, tt := range map[string]struct {
		method, url    string
		header         []string
		body           string
		want, resource string
		params         params
		unknown        []string
	}{
		"a charge": {"POST", "api.stripe.com/v1/charges", []string{form, "Stripe-Account: acct_9", "Idempotency-Key: k1"}, "amount=2000&currency=eur&customer=cus_1&transfer_data[destination]=acct_1&capture=false",
			"stripe.charge.create", "cus_1", params{"amount": int64(2000), "currency": "eur", "customer": "cus_1", "transfer_destination": "acct_1", "capture": false, "account": "acct_9", "idempotency_key": "k1"}, nil},
		"a charge without a customer": {"POST", "api.stripe.com/v1/charges", []string{form}, "amount=2000&source=tok_visa", "stripe.charge.create", "tok_visa", params{"amount": int64(2000), "source": "tok_visa"}, nil},
		"a charge of no number":       {"POST", "api.stripe.com/v1/charges", []string{form}, "amount=2e3&customer=cus_1", "stripe.charge.create", "cus_1", params{"customer": "cus_1"}, []string{"amount"}},
		"a charge of two amounts":     {"POST", "api.stripe.com/v1/charges", []string{form}, "amount=1&amount=2000&customer=cus_1", "stripe.charge.create", "", nil, []string{"resource", "amount", "currency", "customer", "source", "capture", "application_fee_amount", "transfer_destination", "destination", "on_behalf_of", "receipt_email"}},
		"an amount in the query":      {"POST", "api.stripe.com/v1/charges?amount=2000", []string{form}, "customer=cus_1", "stripe.charge.create", "cus_1", params{"amount": int64(2000), "customer": "cus_1"}, nil},
		"an amount in both":           {"POST", "api.stripe.com/v1/charges?amount=1", []string{form}, "amount=2000&customer=cus_1", "stripe.charge.create", "cus_1", params{"customer": "cus_1"}, []string{"amount"}},
		"a payment that is confirmed": {"POST", "api.stripe.com/v1/payment_intents", []string{form}, "amount=5&currency=usd&confirm=true", "stripe.payment_intent.create", "", params{"amount": int64(5), "currency": "usd", "confirm": true}, nil},
		"a payment perhaps confirmed": {"POST", "api.stripe.com/v1/payment_intents", []string{form}, "amount=5&currency=usd&confirm=1", "stripe.unknown", "", nil, []string{"*"}},
		"a payment not confirmed":     {"POST", "api.stripe.com/v1/payment_intents", []string{form}, "amount=5&currency=usd&confirm=false", "stripe.payment_intent.create", "", params{"amount": int64(5), "currency": "usd", "confirm": false}, nil},
		"Stripe by multipart":         {"POST", "files.stripe.com/v1/files", []string{mime}, "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--b--\r\n", "stripe.file.upload", "", params{"purpose": "dispute_evidence"}, nil},
		"Stripe by JSON":              {"POST", "api.stripe.com/v2/billing/meter_events", []string{json}, `{"event_name":"calls","payload":{"stripe_customer_id":"cus_1","value":"25"}}`, "stripe.meter_event.create", "calls", params{"event_name": "calls", "customer": "cus_1", "value": "25"}, nil},
		"Stripe by JSON in a form":    {"POST", "api.stripe.com/v1/refunds", []string{form}, ` {"charge":"ch_1"}`, "stripe.refund.create", "", nil, []string{"resource", "amount", "currency", "charge", "payment_intent", "reason", "reverse_transfer", "refund_application_fee", "customer", "origin"}},
		"an empty object in a form":   {"POST", "api.stripe.com/v1/payment_intents", nil, " {}\n", "stripe.payment_intent.create", "", nil, nil},
		"a preview":                   {"GET", "api.stripe.com/v1/invoices/upcoming?subscription=sub_1", nil, "", "stripe.invoice.preview", "sub_1", params{"subscription": "sub_1"}, nil},

		"a message":                   {"POST", "slack.com/api/chat.postMessage", []string{json}, `{"channel":"C1","text":"hi","reply_broadcast":true}`, "slack.message.send", "C1", params{"channel": "C1", "reply_broadcast": true}, nil},
		"a message by form":           {"POST", "slack.com/api/chat.postMessage", []string{form}, "channel=C1&text=hi&reply_broadcast=true", "slack.message.send", "C1", params{"channel": "C1", "reply_broadcast": true}, nil},
		"a message by query":          {"GET", "slack.com/api/chat.postMessage?channel=C1&text=hi", nil, "", "slack.message.send", "C1", params{"channel": "C1"}, nil},
		"people, with commas":         {"POST", "slack.com/api/conversations.invite", []string{form}, "channel=C1&users=U1,U2", "slack.channel.invite", "C1", params{"channel": "C1", "users": []string{"U1", "U2"}}, nil},
		"people, as JSON in a form":   {"POST", "slack.com/api/conversations.invite", []string{form}, "channel=C1&users=" + `%5B%22U1%22,%22U2%22%5D`, "slack.channel.invite", "C1", params{"channel": "C1", "users": []string{"U1", "U2"}}, nil},
		"people, as a JSON array":     {"POST", "slack.com/api/conversations.invite", []string{json}, `{"channel":"C1","users":["U1","U2"]}`, "slack.channel.invite", "C1", params{"channel": "C1", "users": []string{"U1", "U2"}}, nil},
		"one of a list is a resource": {"POST", "slack.com/api/files.upload", []string{form}, "channels=C1&filename=a", "slack.file.upload", "C1", params{"channels": []string{"C1"}, "filename": "a"}, nil},
		"two of a list are hidden":    {"POST", "slack.com/api/files.upload", []string{form}, "channels=C1,C2&filename=a", "slack.file.upload", "", params{"channels": []string{"C1", "C2"}, "filename": "a"}, []string{"resource"}},
		"a webhook of Slack":          {"POST", "hooks.slack.com/services/T1/B1/secret", []string{json}, `{"text":"hi"}`, "slack.message.send", "", nil, []string{"resource"}},

		"a chat": {"POST", "api.openai.com/v1/chat/completions", []string{json, "OpenAI-Project: proj_1"}, `{"model":"gpt-5","max_tokens":100,"stream":true,"tools":[{"type":"function","function":{"name":"run"}},{"type":"function","function":{"name":"read"}}]}`,
			"openai.chat.create", "gpt-5", params{"model": "gpt-5", "max_tokens": int64(100), "stream": true, "tools": []string{"function", "function"}, "functions": []string{"run", "read"}, "project": "proj_1"}, nil},
		"a transcription": {"POST", "api.openai.com/v1/audio/transcriptions", []string{mime}, "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n\x00\xff\r\n--b--\r\n",
			"openai.audio.transcribe", "whisper-1", params{"model": "whisper-1"}, nil},
		"a message to a model": {"POST", "api.anthropic.com/v1/messages", []string{json, "anthropic-workspace-id: w1"}, `{"model":"claude","max_tokens":10,"mcp_servers":[{"url":"https://a.example.com"}]}`,
			"anthropic.message.create", "claude", params{"model": "claude", "max_tokens": int64(10), "server_urls": []string{"https://a.example.com"}, "workspace": "w1"}, nil},

		"a merge by GraphQL":      {"POST", "api.github.com/graphql", []string{json}, `{"query":"mutation($i:I!){mergePullRequest(input:$i){clientMutationId}}","variables":{"i":{"pullRequestId":"PR_1","mergeMethod":"SQUASH"}}}`, "github.pr.merge", "", params{"node": "PR_1", "merge_method": "squash"}, []string{"resource", "base"}},
		"an auto-merge":           {"POST", "api.github.com/graphql", []string{json}, `{"query":"mutation{enablePullRequestAutoMerge(input:{pullRequestId:\"PR_1\"}){clientMutationId}}"}`, "github.pr.merge", "", params{"node": "PR_1"}, []string{"resource", "base"}},
		"a commit by GraphQL":     {"POST", "api.github.com/graphql", []string{json}, `{"query":"mutation{createCommitOnBranch(input:{branch:{repositoryNameWithOwner:\"Acme/site\",branchName:\"main\"},fileChanges:{additions:[{path:\"a.md\",contents:\"\"}]}}){clientMutationId}}"}`, "github.file.update", "acme/site", params{"branch": "main", "paths": []string{"a.md"}}, nil},
		"a repository by GraphQL": {"POST", "api.github.com/graphql", []string{json}, `{"query":"{repository(owner:\"Acme\",name:\"Site\"){id}}"}`, "github.repo.query", "acme/site", nil, nil},
		"another file":            {"PUT", "api.github.com/repos/Acme/Site/contents/docs/a%20b.md", []string{json}, `{"branch":"main"}`, "github.file.create", "acme/site", params{"path": "docs/a b.md", "branch": "main"}, nil},
		"by number":               {"PATCH", "api.github.com/repositories/1296269/pulls/12", []string{json}, `{"state":"closed"}`, "github.pr.close", "", nil, []string{"resource"}},
	} {
		host, rest, _ := strings.Cut(tt.url, "/")
		path, query, _ := strings.Cut("/"+rest, "?")
		r := connectors.Request{Method: tt.method, Host: host, Path: path, RawQuery: query, Header: http.Header{}, Body: connectors.Whole([]byte(tt.body))}
		for _, h := range tt.header {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		c := set.For(host)
		if tt.body != "" && c.NeedsBody(r) != connectors.NeedAll && tt.want != "slack.message.send" {
			t.Errorf("%s: does not want the body", name)
		}
		a, err := c.Read(r)
		if err != nil || a.Name != tt.want || a.Resource != tt.resource {
			t.Errorf("%s: %s of %q, %v, want %s of %q", name, a.Name, a.Resource, err, tt.want, tt.resource)
		}
		if diff := cmp.Diff(tt.params, a.Params, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(tt.unknown, a.Unknown, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: unknown: %s", name, diff)
		}
	}
}

// What a request does besides its first action counts as well.
func TestARequestThatDoesSeveralThingsSaysAll(t *testing.T) {
	t.Parallel()

	graphql := func(document string) connectors.Request {
		return connectors.Request{Method: "POST", Host: "api.github.com", Path: "/graphql", Body: connectors.Whole([]byte(`{"query":"` + document + `"}`))}
	}
	for name, tt := range map[string]struct {
		typ   string
		r     connectors.Request
		all   []string
		class action.Class // of the first, which is the strictest
	}{
		"a payment at once": {"stripe", connectors.Request{Method: "POST", Host: "api.stripe.com", Path: "/v1/payment_intents", Body: connectors.Whole([]byte("confirm=true"))},
			[]string{"stripe.payment_intent.create", "stripe.payment_intent.confirm"}, action.Write},
		"a commit with deletions": {"github", graphql("mutation{createCommitOnBranch(input:{fileChanges:{deletions:[{path:1}]}}){x}}"), []string{"github.file.delete", "github.file.update", "github.file.create"}, action.Delete},
		"two mutations": {"github", graphql("mutation{addStar(input:{starrableId:1}){x} a:mergePullRequest(input:{pullRequestId:1}){x} deleteIssue(input:{issueId:1}){x}}"),
			[]string{"github.issue.delete", "github.star.add", "github.pr.merge"}, action.Delete},
		"two queries": {"github", graphql("{viewer{login} repository(owner:1,name:2){id}}"), []string{"github.viewer.query", "github.repo.query"}, action.Read},
	} {
		a, err := one(t, tt.typ).Read(tt.r)
		names := []string{a.Name}
		for _, or := range a.Or {
			names = append(names, or.Name)
		}
		slices.Sort(names)
		slices.Sort(tt.all)
		if err != nil || a.Class != tt.class || cmp.Diff(tt.all, names) != "" {
			t.Errorf("%s: %v %v, %v, want %v %v", name, names, a.Class, err, tt.all, tt.class)
		}
	}
}

// A push says which refs it changes, however it is written, or it may be any.
func TestAPushSaysItsRefs(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	command := func(old, id, ref string) string { return old + " " + id + " " + ref }
	line := func(s string) string { return "00" + strings.ToLower(hex(len(s)+4)) + s }
	body := line(command(zeros, someID, "refs/heads/main")+"\x00 report-status\n") + line(command(someID, zeros, "refs/heads/old")+"\n") + "0000PACK"
	for name, tt := range map[string]struct {
		method, path string
		body         connectors.Body
		params       map[string]any
		unknown      []string
	}{
		"as git sends it":  {"POST", "/acme/site.git/git-receive-pack", connectors.BeginningOf([]byte(body)), map[string]any{"ref": []string{"refs/heads/main", "refs/heads/old"}, "change": []string{"create", "delete"}}, nil},
		"in small letters": {"post", "/acme/site.git/git-receive-pack", connectors.Whole([]byte(body)), map[string]any{"ref": []string{"refs/heads/main", "refs/heads/old"}, "change": []string{"create", "delete"}}, nil},
		"in capitals":      {"POST", "/ACME/Site/GIT-RECEIVE-PACK", connectors.Whole([]byte(body)), map[string]any{"ref": []string{"refs/heads/main", "refs/heads/old"}, "change": []string{"create", "delete"}}, nil},
		"a probe":          {"POST", "/acme/site.git/git-receive-pack", connectors.Whole([]byte("0000")), nil, nil},
		"not read":         {"POST", "/acme/site.git/git-receive-pack", connectors.Unreadable(), nil, []string{"ref", "change"}},
		"cut off":          {"POST", "/acme/site.git/git-receive-pack", connectors.Whole([]byte(body[:40])), nil, []string{"ref", "change"}},
	} {
		r := connectors.Request{Method: tt.method, Host: "github.com", Path: tt.path, Header: http.Header{}, Body: tt.body}
		a, err := c.Read(r)
		if err != nil || a.Name != "github.repo.push" || a.Resource != "acme/site" || c.NeedsBody(r) != connectors.NeedBeginning {
			t.Errorf("%s: %s of %q, %v, want github.repo.push of acme/site", name, a.Name, a.Resource, err)
		}
		if diff := cmp.Diff(tt.params, a.Params, cmpopts.EquateEmpty()) + cmp.Diff(tt.unknown, a.Unknown, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func hex(n int) string {
	const digits = "0123456789abcdef"
	return string(digits[n>>4]) + string(digits[n&15])
}
