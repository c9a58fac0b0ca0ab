package connectors_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

// What people are asked about most, as they read it.
func TestSentencesAreWhatPeopleRead(t *testing.T) {
	t.Parallel()

	type params = map[string]any
	list := func(all ...string) []string { return all }
	for want, a := range map[string]action.Action{
		"merge acme/site#812 by squash":                                  {Name: "github.pr.merge", Resource: "acme/site#812", Params: params{"merge_method": "squash"}},
		"open a pull request in acme/site from fix into main: Say hello": {Name: "github.pr.create", Resource: "acme/site", Params: params{"head": "fix", "base": "main", "title": "Say hello"}},
		"close pull request acme/site#7":                                 {Name: "github.pr.close", Resource: "acme/site#7"},
		"review acme/site#7: APPROVE":                                    {Name: "github.pr.review", Resource: "acme/site#7", Params: params{"event": "APPROVE"}},
		"push to main of acme/site":                                      {Name: "github.repo.push", Resource: "acme/site", Params: params{"ref": list("refs/heads/main"), "change": list("update")}},
		"push to fix of acme/site, which is new":                         {Name: "github.repo.push", Resource: "acme/site", Params: params{"ref": list("refs/heads/fix"), "change": list("create")}},
		"delete main of acme/site by a push":                             {Name: "github.repo.push", Resource: "acme/site", Params: params{"ref": list("refs/heads/main"), "change": list("delete")}},
		"push to main and tag v1 of acme/site, and delete some of them":  {Name: "github.repo.push", Resource: "acme/site", Params: params{"ref": list("refs/heads/main", "refs/tags/v1"), "change": list("update", "delete")}},
		"push to a, b, c and 3 more of acme/site":                        {Name: "github.repo.push", Resource: "acme/site", Params: params{"ref": list("refs/heads/a", "refs/heads/b", "refs/heads/c", "d", "e", "f"), "change": list("update")}},
		"push to acme/site, to branches that the request hides":          {Name: "github.repo.push", Resource: "acme/site", Unknown: list("ref", "change")},
		"push to acme/site":                                              {Name: "github.repo.push", Resource: "acme/site"},
		"delete main of gist 12 by a push":                               {Name: "github.gist.push", Resource: "12", Params: params{"ref": list("refs/heads/main"), "change": list("delete")}},
		"move branch main of acme/site to 0123456789ab (forced)":         {Name: "github.branch.update", Resource: "acme/site", Params: params{"ref": "heads/main", "sha": "0123456789abcdef0123456789abcdef01234567", "force": true}},
		"move branch main of acme/site":                                  {Name: "github.branch.update", Resource: "acme/site", Params: params{"ref": "heads/main", "force": false}},
		"move a branch or tag of node REF_1 (forced)":                    {Name: "github.branch.update", Params: params{"node": "REF_1", "force": true}, Unknown: list("resource")},
		"delete branch main in acme/site":                                {Name: "github.branch.delete", Resource: "acme/site", Params: params{"ref": "refs/heads/main"}},
		"delete tag v1 in acme/site":                                     {Name: "github.branch.delete", Resource: "acme/site", Params: params{"ref": "tags/v1"}},
		"delete a branch or tag in node REF_1":                           {Name: "github.branch.delete", Params: params{"node": "REF_1"}},
		"create branch fix in acme/site":                                 {Name: "github.branch.create", Resource: "acme/site", Params: params{"ref": "refs/heads/fix"}},
		"delete the repository acme/site":                                {Name: "github.repo.delete", Resource: "acme/site"},
		"give the repository acme/site away to evil":                     {Name: "github.repo.transfer", Resource: "acme/site", Params: params{"new_owner": "evil"}},
		"create a public repository site in acme":                        {Name: "github.repo.create", Resource: "acme", Params: params{"name": "site", "private": false}},
		"create a private repository site":                               {Name: "github.repo.create", Params: params{"name": "site", "private": true}},
		"create a public repository other":                               {Name: "github.repo.create", Params: params{"name": "other"}}, // as is usual
		"create an internal repository site in acme":                     {Name: "github.repo.create", Resource: "acme", Params: params{"name": "site", "visibility": "internal", "private": true}},
		"create a repository, public or not":                             {Name: "github.repo.create", Unknown: list("name", "private", "visibility")},
		"change the settings of acme/site: make it public":               {Name: "github.repo.update", Resource: "acme/site", Params: params{"private": false}},
		"change the settings of acme/site: make it private: archive it":  {Name: "github.repo.update", Resource: "acme/site", Params: params{"visibility": "private", "private": false, "archived": true}},
		"create a public gist":                                           {Name: "github.gist.create", Params: params{"public": true}},
		"create a secret gist":                                           {Name: "github.gist.create"},
		"create a gist, public or not":                                   {Name: "github.gist.create", Unknown: list("public")},
		"add a deploy key ci that can write to acme/site":                {Name: "github.deploy_key.create", Resource: "acme/site", Params: params{"title": "ci"}},
		"add docs/a.md to acme/site on main":                             {Name: "github.file.create", Resource: "acme/site", Params: params{"path": "docs/a.md", "branch": "main"}},
		"delete docs/a.md in acme/site on main":                          {Name: "github.file.delete", Resource: "acme/site", Params: params{"path": "docs/a.md", "branch": "main"}},
		"open an issue in acme/site: It is broken":                       {Name: "github.issue.create", Resource: "acme/site", Params: params{"title": "It is broken"}},
		"start workflow deploy.yml of acme/site on main":                 {Name: "github.workflow.dispatch", Resource: "acme/site", Params: params{"workflow_id": "deploy.yml", "ref": "main"}},
		"publish release v1 of acme/site as a draft":                     {Name: "github.release.create", Resource: "acme/site", Params: params{"tag_name": "v1", "draft": true}},
		"set secret TOKEN of acme/site":                                  {Name: "github.secret.set", Resource: "acme/site", Params: params{"secret_name": "TOKEN"}},
		"refund 49.00 EUR of ch_1":                                       {Name: "stripe.refund.create", Resource: "ch_1", Params: params{"amount": int64(4900), "currency": "eur"}},
		"refund all that is left of ch_1":                                {Name: "stripe.refund.create", Resource: "ch_1"},
		"refund an amount that the request hides":                        {Name: "stripe.refund.create", Unknown: list("*")},
		"charge 1,234.50 USD to cus_1":                                   {Name: "stripe.charge.create", Resource: "cus_1", Params: params{"amount": int64(123450), "currency": "usd"}},
		"pay out 10.00 EUR to ba_1":                                      {Name: "stripe.payout.create", Resource: "ba_1", Params: params{"amount": int64(1000), "currency": "eur"}},
		"transfer 10.00 EUR to acct_1":                                   {Name: "stripe.transfer.create", Resource: "acct_1", Params: params{"amount": int64(1000), "currency": "eur"}},
		"capture payment pi_1 for 500 minor units":                       {Name: "stripe.payment_intent.capture", Resource: "pi_1", Params: params{"amount": int64(500)}},
		"create a coupon of 5.00 EUR: X":                                 {Name: "stripe.coupon.create", Resource: "X", Params: params{"amount_off": int64(500), "currency": "eur"}},
		"delete customer cus_1 and end their subscriptions":              {Name: "stripe.customer.delete", Resource: "cus_1"},
		"cancel subscription sub_1":                                      {Name: "stripe.subscription.cancel", Resource: "sub_1"},
		"send a message to #general":                                     {Name: "slack.message.send", Resource: "#general"},
		"send a message":                                                 {Name: "slack.message.send", Unknown: list("resource")},
		"delete a message in C1 (sent at 12.3)":                          {Name: "slack.message.delete", Resource: "C1", Params: params{"ts": "12.3"}},
		"make the private channel C1 public":                             {Name: "slack.channel.make_public", Resource: "C1"},
		"make file F1 public on the internet":                            {Name: "slack.file.publish", Resource: "F1"},
		"delete channel C1 with all its messages":                        {Name: "slack.channel.delete", Resource: "C1"},
		"ask gpt-5 for a response":                                       {Name: "openai.response.create", Resource: "gpt-5", Params: params{"model": "gpt-5"}},
		"delete file file-1":                                             {Name: "openai.file.delete", Resource: "file-1"},
		"delete the fine-tuned model ft-1":                               {Name: "openai.model.delete", Resource: "ft-1"},
		"call the tool delete_file":                                      {Name: "mcp.tools.call", Resource: "delete_file"},
		"call the tool (the request hides which)":                        {Name: "mcp.tools.call", Unknown: list("*")},
		"delete api.example.com/v1/users/7":                              {Name: "http.delete", Resource: "api.example.com/v1/users/7"},
		"use an unusual method on something that the request hides":      {Name: "http.unknown", Unknown: list("*")},
		"do something that the connector does not know to acme/site":     {Name: "github.unknown", Resource: "acme/site"},
		"unlock a file of acme/site (lock 3) (forced)":                   {Name: "github.lfs_lock.delete", Resource: "acme/site", Params: params{"lock": "3", "force": true}},
		"open an issue in node R_1: It is broken":                        {Name: "github.issue.create", Params: params{"node": "R_1", "title": "It is broken"}},
		"change project node P_1: make it public":                        {Name: "github.project.update", Params: params{"node": "P_1", "public": true}},
		"create public classic project P in node O_1":                    {Name: "github.classic_project.create", Params: params{"node": "O_1", "public": true, "name": "P"}},
		"rename channel {x}[{y=z}] to {resource}":                        {Name: "slack.channel.rename", Resource: "{x}[{y=z}]", Params: params{"name": "{resource}"}}, // what a request says is no template
	} {
		if got := connectors.Sentence(a); got != want {
			t.Errorf("%s: %q, want %q", a.Name, got, want)
		}
	}
}

var (
	starts  = regexp.MustCompile(`^[a-z][a-z-]+[ ,]`)
	jargon  = regexp.MustCompile(`[_.]`)
	removes = regexp.MustCompile(`\b(delete|remove|cancel|clear|erase|end|revoke|detach|take)\b`)
)

// The next action reads as well, before anybody remembers to look.
func TestEverySentenceReadsAsOne(t *testing.T) {
	t.Parallel()

	n := 0
	for _, typ := range connectors.Types() {
		c := one(t, typ.Name)
		for _, op := range typ.Operations() {
			n++
			if strings.Contains(op.Title, "=") || strings.Contains(op.Title, "{!") || strings.Contains(op.Title, "{?") {
				t.Errorf("%s: lists the conditions in %q", op.Action, op.Title)
			}
			known := []action.Action{{Name: op.Action}, {Name: op.Action, Unknown: []string{"*"}}}
			for _, f := range op.Forms {
				a, err := c.Read(example(t, c, f))
				if err != nil {
					t.Errorf("%s: %v", op.Action, err)
				}
				known = append(known, a)
			}
			for _, a := range known {
				said := connectors.Sentence(a)
				own := said
				for _, value := range slices.Concat([]any{a.Resource}, values(a.Params)) {
					if text := fmt.Sprint(value); text != "" {
						own = strings.ReplaceAll(own, text, "X")
					}
				}
				if utf8.RuneCountInString(said) > 120 || !starts.MatchString(said) || jargon.MatchString(own) || strings.ContainsAny(own, "{}[]=") || strings.Contains(said, "  ") || strings.HasSuffix(said, " ") {
					t.Errorf("%s: %q is not what a person would say", op.Action, said)
				}
				if op.Class == action.Delete && !removes.MatchString(own) {
					t.Errorf("%s: %q does not say that something goes", op.Action, said)
				}
			}
		}
	}
	if n < 2200 {
		t.Errorf("%d actions, which are not all", n)
	}
}

func values(params map[string]any) []any {
	var all []any
	for _, v := range params {
		all = append(all, v)
	}
	return all
}
