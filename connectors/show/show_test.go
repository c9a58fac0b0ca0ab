package show_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
)

const (
	aJSON = "application/json"
	aForm = "application/x-www-form-urlencoded"
)

// written is parts in lines that a test can be read by.
func written(parts []show.Part) string {
	kinds := map[show.Kind]string{show.Code: "code", show.Prose: "prose", show.Diff: "diff", show.Table: "table", show.Amount: "amount", show.Note: "note"}
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%s %s|%s\n", kinds[p.Kind], p.Title, strings.ReplaceAll(p.Text, "\n", "⏎"))
		for _, r := range p.Rows {
			fmt.Fprintf(&b, "  %s=%s\n", r[0], r[1])
		}
	}
	return b.String()
}

func whole(body string) approval.Body { return approval.Body{Bytes: []byte(body), Whole: true} }

func TestWhatMattersComesFirst(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		action string
		params map[string]any
		kind   string
		body   string
		want   string
	}{
		"nothing": {"github.repo.delete", nil, "", "", ""},
		"a merge": {"github.pr.merge", nil, aJSON, `{"merge_method":"squash","commit_title":"Fix it","sha":"0123456789abcdef0123456789abcdef01234567"}`,
			"prose Commit title|Fix it\ntable Details|\n  merge_method=squash\n  sha=0123456789abcdef0123456789abcdef01234567\n"},
		"a pull request": {"github.pr.create", nil, "", `{"head":"b","base":"main","title":"Say hello","body":"Why:\n\n- because"}`,
			"prose Title|Say hello\nprose Body|Why:⏎⏎- because\ntable Details|\n  head=b\n  base=main\n"},
		"a secret that somebody wrote": {"github.issue.create", nil, aJSON, `{"title":"It fails","body":"with ` + of("ghp_", 36) + ` it does"}`,
			"prose Title|It fails\nprose Body|with ghp_…, 40 characters it does\n"},
		"a file": {"github.file.update", map[string]any{"path": "docs/a.md"}, aJSON, `{"message":"Say hello","content":"aGVsbG8K\nd29ybGQK","branch":"main","sha":"abc"}`,
			"prose Message|Say hello\ntable |\n  File=docs/a.md\n  Branch=main\ncode docs/a.md|hello⏎world⏎\ntable Details|\n  sha=abc\n"},
		"a file on the default branch": {"github.file.create", map[string]any{"path": "a"}, aJSON, `{"message":"m","content":"YQ=="}`,
			"prose Message|m\ntable |\n  File=a\n  Branch=the default one\ncode a|a\n"},
		"a file that is no text": {"github.file.create", map[string]any{"path": "a.bin"}, aJSON, `{"content":"AAEC"}`,
			"table |\n  File=a.bin\n  Branch=the default one\ntable Bytes|\n  Size=3 bytes\n  Type=the content of a.bin, which is no text\n  SHA-256=ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc\n"},
		"a gist": {"github.gist.create", nil, aJSON, `{"description":"d","public":true,"files":{"a.sh":{"content":"ls\nrm x\n"}}}`,
			"prose Description|d\ncode a.sh|ls⏎rm x⏎\ntable Details|\n  public=true\n"},
		"a review": {"github.pr.review", nil, aJSON, `{"event":"COMMENT","body":"Good","comments":[{"path":"a.go","line":3,"body":"Why?"}]}`,
			"prose Body|Good\nprose Comment on a.go, line 3|Why?\ntable Details|\n  event=COMMENT\n  comments[0].path=a.go\n  comments[0].line=3\n"},
		"GraphQL": {"github.pr.merge", nil, aJSON, `{"operationName":"M","query":"mutation M($input: X!) { a: mergePullRequest(input: $input) { id } }","variables":{"input":{"pullRequestId":"PR_1"}}}`,
			"table What would run|\n  mutation M=mergePullRequest\ntable Variables|\n  input.pullRequestId=PR_1\ncode GraphQL|mutation M($input: X!) { a: mergePullRequest(input: $input) { id } }\n"},
		"a commit by GraphQL": {"github.file.update", nil, aJSON, `{"query":"mutation($input: X!) { createCommitOnBranch(input: $input) { id } }","variables":{"input":{"fileChanges":{"additions":[{"path":"a","contents":"aGk="}]}}}}`,
			"table What would run|\n  mutation=createCommitOnBranch\ncode input.fileChanges.additions[0].contents|hi\ntable Variables|\n  input.fileChanges.additions[0].path=a\ncode GraphQL|mutation($input: X!) { createCommitOnBranch(input: $input) { id } }\n"},
		"GraphQL that nobody can read": {"github.graphql.unknown", nil, aJSON, `{"query":"mutation { a"}`,
			"note |It is not certain what the service would run of this GraphQL request.\ncode GraphQL|mutation { a\n"},
		"a refund": {"stripe.refund.create", nil, aForm, "amount=4900&currency=eur&charge=ch_1&metadata[order]=7&reason=duplicate",
			"amount Amount|49.00 EUR\ntable |\n  Charge=ch_1\n  Reason=duplicate\ntable Details|\n  currency=eur\n  metadata[order]=7\n"},
		"yen":         {"stripe.charge.create", nil, aForm, "amount=4900000&currency=JPY", "amount Amount|4,900,000 JPY\ntable Details|\n  currency=JPY\n"},
		"dinars":      {"stripe.payout.create", nil, aForm, "amount=-4905&currency=kwd", "amount Amount|-4.905 KWD\ntable Details|\n  currency=kwd\n"},
		"no currency": {"stripe.refund.create", nil, aForm, "amount=4900", "amount Amount|4900 in the smallest unit of a currency that the request does not name\n"},
		"money of version 2": {"stripe.payout.create", nil, aJSON, `{"amount":{"value":100050,"currency":"usd"},"to":"x"}`,
			"amount Amount|1,000.50 USD\ntable Details|\n  amount.currency=usd\n  to=x\n"},
		"a price inside": {"stripe.checkout_session.create", nil, aForm, "line_items[0][price_data][unit_amount]=1250&line_items[0][price_data][currency]=usd&customer=cus_1",
			"table |\n  Customer=cus_1\ntable Details|\n  line_items[0][price_data][unit_amount]=12.50 USD (1250)\n  line_items[0][price_data][currency]=usd\n"},
		"no amount": {"stripe.refund.create", nil, aForm, "amount=49e2&currency=eur", "table Details|\n  amount=49e2\n  currency=eur\n"},
		"a card": {"stripe.payment_method.create", nil, aForm, "card[number]=4242424242424242&card[cvc]=123&card[exp_year]=2030",
			"table Details|\n  card[number]=…4242, 16 characters\n  card[cvc]=…, 3 characters\n  card[exp_year]=2030\n"},
		"a message": {"slack.message.send", nil, aJSON, `{"channel":"#general","text":"*hi* <@U1>","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"see <http://x|here>"},"accessory":{"type":"image","image_url":"http://y"}}]}`,
			"table |\n  Channel=#general\nprose Text|*hi* <@U1>\nprose Blocks|see <http://x|here>\ntable Details|\n  blocks[0].accessory.type=image\n  blocks[0].accessory.image_url=http://y\n"},
		"a message by form": {"slack.message.send", nil, aForm, "channel=C1&blocks=%5B%7B%22type%22%3A%22section%22%2C%22text%22%3A%7B%22text%22%3A%22hi%22%7D%7D%5D",
			"table |\n  Channel=C1\nprose Blocks|hi\n"},
		"a model": {"anthropic.message.create", nil, aJSON, `{"model":"m-1","max_tokens":100,"system":"Be kind.","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"Yes?"},{"type":"tool_use","name":"bash","input":{"cmd":"ls"}}]}],"tools":[{"name":"bash"}]}`,
			"table |\n  Model=m-1\n  Max tokens=100\n  Tools=1: bash\nprose System|Be kind.\nprose User|Hi\nprose Assistant|Yes?⏎(tool use bash)\ntable Details|\n  messages[1].content[1].type=tool_use\n  messages[1].content[1].name=bash\n  messages[1].content[1].input.cmd=ls\n  tools[0].name=bash\n"},
		"a response": {"openai.response.create", nil, aJSON, `{"model":"m-2","input":"Hi"}`, "table |\n  Model=m-2\nprose Input|Hi\n"},
		"a tool": {"mcp.tools.call", nil, aJSON, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_file","arguments":{"path":"/a","password":"hunter2"}}}`,
			"table |\n  Tool=delete_file\ntable Arguments|\n  path=/a\n  password=…, 7 characters\n"},
		"another message of MCP": {"mcp.resources.read", nil, aJSON, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}`,
			"table |\n  Method=resources/read\ntable Details|\n  params.uri=file:///a\n"},
		"JSON":            {"http.post", nil, aJSON, `{"b":1.50,"a":{"token":"abc"},"c":[],"b2":null}`, "code JSON|{⏎  \"b\": 1.50,⏎  \"a\": {⏎    \"token\": \"…, 3 characters\"⏎  },⏎  \"c\": [],⏎  \"b2\": null⏎}\n"},
		"a form":          {"http.post", nil, aForm, "b=1&a=x+y%26&c", "table |\n  b=1\n  a=x y&\n  c=\n"},
		"a diff":          {"http.post", nil, "text/x-diff", "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a\n+b\n c\n", "diff |\n  f=--- a/x\n  f=+++ b/x\n  @=@@ -1,2 +1,2 @@\n  -=--- a\n  +=+b\n  = c\n"},
		"a diff inside":   {"http.post", nil, aJSON, `{"patch":"@@ -1 +1 @@\n-a\n+b"}`, "diff patch|\n  @=@@ -1 +1 @@\n  -=-a\n  +=+b\ncode JSON|{⏎  \"patch\": \"(shown above)\"⏎}\n"},
		"text":            {"http.post", nil, "text/plain", "hello", "code |hello\n"},
		"not JSON":        {"http.post", nil, aJSON, "hello", "note |The request says that its body is JSON, and it is not.\ncode |hello\n"},
		"JSON as a form":  {"stripe.charge.create", nil, aForm, `{"amount":1,"currency":"eur"}`, "note |The request says that its body is application/x-www-form-urlencoded. It is JSON.\namount Amount|0.01 EUR\ntable Details|\n  currency=eur\n"},
		"bytes":           {"http.post", nil, "image/png", "\x89PNG\x00", "table Bytes|\n  Size=5 bytes\n  Type=image/png\n  SHA-256=ad91235e882292469812e16da0b8fc77075a7c6d6f8760c24be14a5c792508cf\n"},
		"a key twice":     {"github.pr.create", nil, aJSON, `{"base":"main","base":"prod"}`, "note |“base” is there more than once. The service may take either.\ntable Details|\n  base=main\n  base=prod\n"},
		"a field twice":   {"stripe.charge.create", nil, aForm, "customer=a&customer=b", "note |“customer” is there more than once. The service may take either.\ntable |\n  Customer=a\ntable Details|\n  customer=b\n"},
		"a broken escape": {"http.post", nil, aForm, "a=%zz", "note |The body can be read in two ways. The service may take it otherwise than it is shown here.\ntable |\n  a=%zz\n"},
		"two directions":  {"github.issue.create", nil, aJSON, "{\"title\":\"a\u202eb\"}", "note |The text has characters that change the direction of writing. What you see may not be in the order in which it is sent.\nprose Title|a\u202eb\n"},
		"no width":        {"github.issue.create", nil, aJSON, "{\"title\":\"a\u200bb\"}", "note |The text has characters that have no width, and cannot be seen.\nprose Title|a\u200bb\n"},
		"tags":            {"mcp.tools.call", nil, aJSON, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\U000e0041\"}}", "note |The text has invisible tags, in which words can be hidden from people that programs read.\ntable |\n  Tool=x\U000e0041\n"},
		"parts": {"slack.file.upload", nil, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"channels\"\r\n\r\nC1\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n",
			"table |\n  Channels=C1\ntable Files|\n  file: a.txt=5 bytes, text/plain\ncode a.txt|hello\n"},
		"no boundary": {"slack.file.upload", nil, "multipart/form-data", "--x", "note |The request says that its body has parts, and not what separates them.\ncode |--x\n"},
	} {
		got := written(show.Request(action.Action{Name: tt.action, Params: tt.params}, tt.kind, "", whole(tt.body)))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
