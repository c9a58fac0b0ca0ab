package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// known is a small catalogue.
type known struct{}

func (known) Types() []string { return []string{"github", "http"} }

func (known) Actions(typ string) []string {
	if typ == "http" {
		return []string{"http.get", "http.post"}
	}
	return []string{"github.pr.merge", "github.pr.get", "github.repo.delete"}
}

func (known) Params(_ string, of action.Pattern) (all []string) {
	for name, params := range map[string][]string{"github.pr.merge": {"base", "method"}, "github.pr.get": {"fields", "base"}} {
		if of.Matches(name) {
			all = append(all, params...)
		}
	}
	return all
}

func (known) Check(all ...config.Connector) error {
	hosts := map[string]bool{}
	for _, c := range all {
		for _, h := range c.Hosts {
			if hosts[h] || strings.Contains(h, "/") {
				return fault.New(fault.Invalid, "The host "+h+" is taken or no host.", nil)
			}
			hosts[h] = true
		}
	}
	return nil
}

const sample = `version: 1
credentials:
  - {name: github-bot, connector: github, from: {env: GITHUB_TOKEN}}     # env, file or stdin; never inline
gateways:
  - name: deploy-bot
    environment: production
    enforcement: full_enforce            # monitor | soft_enforce | full_enforce
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {preset: read_only}          # allow_all | read_only | require_approval
          - {action: "github.pr.merge", decision: require_approval, hold: 55s, ttl: 10m}
          - {action: "github.repo.delete", decision: deny}
      - type: http
        name: internal-api
        hosts: [api.internal.example]
        private: [10.0.0.0/8]
        auth: {style: header, name: X-Api-Key}
        credential: internal
        client_key: require_dummy
        rules: [{action: "http.*", decision: allow}]
`

func sampleDocument() *config.Document {
	hold := 55 * time.Second
	return &config.Document{
		Credentials: []config.Credential{{Name: "github-bot", Connector: "github", From: config.Source{Env: "GITHUB_TOKEN"}}},
		Gateways: []config.Gateway{{Name: "deploy-bot", Environment: "production", Connectors: []config.Connector{
			{Type: "github", Name: "github", Credential: "github-bot", Rules: []config.Rule{
				{Preset: policy.ReadOnly},
				{Action: "github.pr.merge", Decision: policy.RequireApproval, Hold: &hold, TTL: 10 * time.Minute},
				{Action: "github.repo.delete", Decision: policy.Deny},
			}},
			{
				Type: "http", Name: "internal-api", Hosts: []string{"api.internal.example"}, Private: []string{"10.0.0.0/8"},
				Auth: credential.Style{Kind: credential.Header, Name: "X-Api-Key"}, Credential: "internal", ClientKey: credential.RequireDummy,
				Rules: []config.Rule{{Action: "http.*", Decision: policy.Allow}},
			},
		}}},
	}
}

func TestADocumentSaysWhatItSays(t *testing.T) {
	t.Parallel()

	got, err := config.Parse("tameflare.yaml", []byte(sample), known{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleDocument(), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if external := got.External(); !slices.Equal(external, []string{"internal"}) {
		t.Errorf("external credentials are %v, want internal", external)
	}
	rules, err := got.Gateways[0].AccessRules()
	if err != nil {
		t.Fatal(err)
	}
	read := action.Read
	want := []policy.Rule{
		{ID: "github/preset read_only", Connector: "github", Pattern: "*", Class: &read, Effect: policy.Allow},
		{ID: "github/github.pr.merge", Connector: "github", Pattern: "github.pr.merge", Effect: policy.RequireApproval, Hold: got.Gateways[0].Connectors[0].Rules[1].Hold, TTL: 10 * time.Minute},
		{ID: "github/github.repo.delete", Connector: "github", Pattern: "github.repo.delete", Effect: policy.Deny},
		{ID: "internal-api/http.*", Connector: "internal-api", Pattern: "http.*", Effect: policy.Allow},
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules: (-want +got)\n%s", diff)
	}
}

// with returns the sample with one text in it replaced.
func with(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(sample, old) {
		t.Fatalf("there is no %q in the sample", old)
	}
	return strings.Replace(sample, old, new, 1)
}

func TestWhatIsWrongIsNamedWithItsPlaceAndTheRightSpelling(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		doc  string
		want []string // each in a line of its own, from top to bottom
	}{
		"a key":                     {with(t, "decision: require", "decison: require"), []string{`13:14: gateways[0].connectors[0].rules[1].action`, `13:41: gateways[0].connectors[0].rules[1].decison: unknown key; did you mean "decision"?`}},
		"a key at the top":          {with(t, "gateways:", "gateway:"), []string{`4:1: gateway: unknown key; did you mean "gateways"?`}},
		"a key like none":           {with(t, "environment:", "colour:"), []string{`6:5: gateways[0].colour: unknown key; there are name, environment, enforcement or connectors`}},
		"an environment":            {with(t, "environment: production", "environment: Production"), []string{`6:18: gateways[0].environment: an environment is a word such as production`}},
		"a key twice":               {with(t, "environment: production", "name: other"), []string{`6:5: gateways[0].name: the key is there twice`}},
		"no version":                {with(t, "version: 1\n", ""), []string{`version is missing`}},
		"another version":           {with(t, "version: 1", "version: 2"), []string{`1:10: version: this program reads version 1`}},
		"a policy's file":           {sample + "policies:\n  - file: a.yaml\n", []string{`policies[0].file: a file can be read only where the document is applied from`}},
		"a decision":                {with(t, "decision: deny", "decision: denny"), []string{`14:54: gateways[0].connectors[0].rules[2].decision: "denny" is not one of allow, deny or require_approval; did you mean "deny"?`}},
		"a client key":              {with(t, "client_key: require_dummy", "client_key: require_dumy"), []string{`gateways[0].connectors[1].client_key: "require_dumy" is not one of replace, pass or require_dummy; did you mean "require_dummy"?`}},
		"a level":                   {with(t, "full_enforce ", "full_enforced "), []string{`did you mean "full_enforce"?`}},
		"a preset":                  {with(t, "preset: read_only", "preset: readonly"), []string{`12:22: gateways[0].connectors[0].rules[0].preset: "readonly" is not one of allow_all, read_only or require_approval; did you mean "read_only"?`}},
		"a preset and more":         {with(t, "{preset: read_only}", "{preset: read_only, decision: allow}"), []string{`rules[0].decision: a preset stands alone`}},
		"a type":                    {with(t, "type: github", "type: githup"), []string{`gateways[0].connectors[0].type: there is no connector type "githup"; there are github or http; did you mean "github"?`}},
		"no type":                   {with(t, "type: http\n        name:", "name:"), []string{`15:9: gateways[0].connectors[1]: type is missing`}},
		"a style":                   {with(t, "style: header", "style: heder"), []string{`did you mean "header"?`}},
		"a style without a name":    {with(t, "style: header, name: X-Api-Key", "style: header"), []string{`auth: Name the header`}},
		"an action nearly":          {with(t, "github.repo.delete", "github.repo.delte"), []string{`rules[2].action: there is no action github.repo.delte; did you mean "github.repo.delete"?`}},
		"an action of others":       {with(t, "http.*", "github.*"), []string{`rules[0].action: github.* matches nothing here: the actions of this connector begin with "http."`}},
		"a pattern":                 {with(t, "http.*", "http.ge*"), []string{`rules[0].action: A pattern is words`}},
		"no decision":               {with(t, ", decision: deny", ""), []string{`rules[2].action`, `decision is missing`}},
		"no action":                 {with(t, `action: "github.repo.delete", `, ""), []string{`a rule has an action or a preset`}},
		"a hold too long":           {with(t, "hold: 55s", "hold: 2h"), []string{`rules[1].action`, `A hold is between`}},
		"a hold that is none":       {with(t, "hold: 55s", "hold: soon"), []string{`rules[1].hold: a length of time belongs here`}},
		"a hold without approval":   {with(t, `decision: deny}`, `decision: deny, hold: 5s}`), []string{`hold, ttl and approvers go with the decision require_approval only`}},
		"a rule twice":              {with(t, `- {action: "github.repo.delete", decision: deny}`, "- {action: github.pr.merge, decision: deny}"), []string{`there is another rule for github.pr.merge before this`}},
		"a rule twice, with limits": {with(t, `- {action: "github.repo.delete", decision: deny}`, "- {action: github.pr.merge, when: {base: [a, b]}, decision: deny}\n          - {action: github.pr.merge, when: {base: [b, a, b]}, decision: allow}"), []string{`there is another rule for github.pr.merge where base=a, base=b before this`}},
		"a limit nearly":            {with(t, "hold: 55s", "when: {bse: main}, hold: 55s"), []string{`13:76: gateways[0].connectors[0].rules[1].when.bse: github.pr.merge has nothing of this name; did you mean "base"?`}},
		"a limit like none":         {with(t, "github.pr.merge\"", "github.pr.*\", when: {colour: red}"), []string{`rules[1].when.colour: github.pr.* has nothing of this name; there are base, fields, method or resource`}},
		"a limit twice":             {with(t, "hold: 55s", "when: {base: a, base: b}, hold: 55s"), []string{`rules[1].when.base: the key is there twice`}},
		"a limit on no name":        {with(t, "hold: 55s", "when: {a b: a}, hold: 55s"), []string{`rules[1].when.a b: A limit is on the resource or on a parameter`}},
		"a limit without a value":   {with(t, "hold: 55s", "when: {base: }, hold: 55s"), []string{`rules[1].when.base: text belongs here`}},
		"a limit of no text":        {with(t, "hold: 55s", "when: {base: \"\"}, hold: 55s"), []string{`rules[1].when.base: Say what it has to be`}},
		"a limit of no values":      {with(t, "hold: 55s", "when: {base: []}, hold: 55s"), []string{`rules[1].when.base: Say what it has to be`}},
		"a limit too long":          {with(t, "hold: 55s", "when: {base: "+strings.Repeat("x", 201)+"}, hold: 55s"), []string{`rules[1].when.base: What it has to be is longer than 200 bytes`}},
		"a limit in a limit":        {with(t, "hold: 55s", "when: {base: [a, {b: c}]}, hold: 55s"), []string{`rules[1].when.base[1]: text belongs here`}},
		"a number nobody writes so": {with(t, "hold: 55s", "when: {base: 0x10}, hold: 55s"), []string{`rules[1].when.base: text belongs here`}},
		"no limit at all":           {with(t, "hold: 55s", "when: {}, hold: 55s"), []string{`rules[1].when: names with values belong here`}},
		"limits that are a list":    {with(t, "hold: 55s", "when: [base], hold: 55s"), []string{`rules[1].when: names with values belong here`}},
		"too many limits":           {with(t, `action: "http.*"`, `action: "http.*", when: {a: a, b: a, c: a, d: a, e: a, f: a, g: a, h: a, i: a}`), []string{`rules[0].when: A rule is limited by at most 8 names.`}},
		"too many values":           {with(t, "hold: 55s", "when: {base: [a"+strings.Repeat(", a", 20)+"]}, hold: 55s"), []string{`rules[1].when.base: A limit names at most 20 values`}},
		"a preset with a limit":     {with(t, "{preset: read_only}", "{preset: read_only, when: {base: a}}"), []string{`rules[0].when: a preset stands alone`}},
		"a name that is none":       {with(t, "name: deploy-bot", "name: Deploy Bot"), []string{`5:11: gateways[0].name: A name is`}},
		"a name that is a number":   {with(t, "name: deploy-bot", "name: 12"), []string{`5:11: gateways[0].name: text belongs here`}},
		"a gateway twice":           {sample + "  - name: deploy-bot\n", []string{`gateways[1].name: there is another "deploy-bot" before this`}},
		"a connector twice":         {with(t, "name: internal-api", "name: github"), []string{`connectors[1].name: there is another "github" before this`}},
		"a network":                 {with(t, "10.0.0.0/8", "10.0.0.1/8"), []string{`18:19: gateways[0].connectors[1].private[0]: Write a network as`}},
		"a host":                    {with(t, "api.internal.example", "a/b"), []string{`connectors[1]: The host a/b`}},
		"hosts that are no list":    {with(t, "[api.internal.example]", "api.internal.example"), []string{`17:16: gateways[0].connectors[1].hosts: a list belongs here`}},
		"a credential nearly":       {with(t, "credential: github-bot", "credential: github-bott"), []string{`credential: there is no credential "github-bott"; did you mean "github-bot"?`}},
		"a credential for others":   {with(t, "credential: internal", "credential: github-bot"), []string{`the credential "github-bot" is for connectors of the type github`}},
		"two sources":               {with(t, "{env: GITHUB_TOKEN}", "{env: GITHUB_TOKEN, stdin: true}"), []string{`3:49: credentials[0].from`, `say one of env, file and stdin`}},
		"a gateway that is none":    {with(t, "  - name: deploy-bot\n    environment", "  - deploy\n  - name: deploy-bot\n    environment"), []string{`gateways[0]: keys with values belong here`}},
		"a rule's group":            {with(t, "hold: 55s, ttl: 10m", "approvers: {group: Ops}"), []string{`13:88: gateways[0].connectors[0].rules[1].approvers.group: A group's name is`}},
		"a rule's role":             {with(t, "hold: 55s, ttl: 10m", "approvers: {role: boss}"), []string{`approvers.role: "boss" is not one of member, admin`}},
		"approvers of a deny":       {with(t, "decision: deny}", "decision: deny, approvers: 2}"), []string{`rules[2]: hold, ttl and approvers go with`}},
		"approvers of a preset":     {with(t, "{preset: read_only}", "{preset: read_only, approvers: 2}"), []string{`rules[0].approvers: a preset stands alone`}},
		"a group of no name":        {with(t, "version: 1\n", "version: 1\ngroups: [{members: [a@b.example]}]\n"), []string{`2:10: groups[0]: name is missing`}},
		"a group twice":             {with(t, "version: 1\n", "version: 1\ngroups: [{name: a}, {name: a}]\n"), []string{`2:28: groups[1].name: there is another group "a" before this`}},
		"a group in capitals":       {with(t, "version: 1\n", "version: 1\ngroups: [{name: Ops}]\n"), []string{`2:17: groups[0].name: A group's name is`}},
		"a member of no address":    {with(t, "version: 1\n", "version: 1\ngroups: [{name: a, members: [ana]}]\n"), []string{`2:30: groups[0].members[0]: the e-mail address`}},
		"a member twice":            {with(t, "version: 1\n", "version: 1\ngroups: [{name: a, members: [ana@b.example, Ana@b.example]}]\n"), []string{`groups[0].members[1]: ana@b.example is there twice`}},
		"a misspelt key of a group": {with(t, "version: 1\n", "version: 1\ngroups: [{name: a, member: []}]\n"), []string{`did you mean "members"?`}},
		"two things at once":        {strings.Replace(with(t, "version: 1", "version: one"), "preset: read_only", "preset: all", 1), []string{`1:10: version`, `12:22: gateways[0].connectors[0].rules[0].preset`}},
		"an alias":                  {with(t, "environment: production", "environment: &a production"), []string{`6:18: Anchors and aliases`}},
		"a tag":                     {with(t, "environment: production", "environment: !!str production"), []string{`Tags and directives`}},
		"not YAML":                  {with(t, "[api.internal.example]", "[api.internal.example"), []string{`This is not YAML`}},
		"two documents":             {sample + "---\nversion: 1\n", []string{`There is a second document`}},
		"nothing":                   {"", []string{`1:1: The file is empty`}},
		"a comment":                 {"# nothing\n", []string{`The file is empty`}},
		"a list":                    {"- 1\n", []string{`keys with values belong here`}},
		"not text":                  {"\xff\xfe", []string{`not UTF-8`}},
		"too large":                 {sample + strings.Repeat("# more\n", 1<<18), []string{`at most 1048576`}},
	} {
		if strings.Contains(tt.want[0], ".action") && len(tt.want) == 2 { // where a rule begins is where its first key is
			tt.want = tt.want[1:]
		}
		doc, err := config.Parse("tameflare.yaml", []byte(tt.doc), known{})
		if doc != nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, %v, want fault.Invalid", name, doc, err)
			continue
		}
		rest := fault.Message(err)
		for _, want := range tt.want {
			i := strings.Index(rest, want)
			if i < 0 {
				t.Errorf("%s:\n%s\nwant %s", name, fault.Message(err), want)
				break
			}
			rest = rest[i+len(want):]
		}
		problems, ok := errors.AsType[*yamldoc.Problems](err)
		if !ok || len(problems.All) == 0 || problems.File != "tameflare.yaml" || !strings.HasPrefix(fault.Message(err), "tameflare.yaml:") {
			t.Errorf("%s: %v does not carry its problems", name, err)
		}
	}
}

func TestASecretInTheWrongPlaceIsNotRepeated(t *testing.T) {
	t.Parallel()

	const secret = "ghp_canary0123456789abcdefghijklmnopqrst"
	for _, tt := range [][2]string{
		{"{env: GITHUB_TOKEN}", secret},
		{"{env: GITHUB_TOKEN}", "{env: " + secret + "}"},
		{"{env: GITHUB_TOKEN}", "{value: " + secret + "}"},
		{"{env: GITHUB_TOKEN}", "{" + secret + ": x}"},
		{"{env: GITHUB_TOKEN}", "[" + secret + "]"},
		{"from: {env: GITHUB_TOKEN}", "secret: " + secret},
		{"credential: github-bot", "credential: " + secret},
		{"style: header", "style: " + secret},
		{"hold: 55s", "when: {" + secret + ": a}, hold: 55s"},
		{"hold: 55s", "when: {" + secret + ": \"\"}, hold: 55s"},
		{"hold: 55s", "when: {base: [" + secret + ", " + strings.Repeat("x", 201) + "]}, hold: 55s"},
	} {
		_, err := config.Parse("tameflare.yaml", []byte(with(t, tt[0], tt[1])), known{})
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want an error that does not repeat it", tt[1], err)
		}
	}
}

func TestLimitsAreReadInEveryFormTheyAreWrittenIn(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		when string
		want policy.Limits
	}{
		"one":                           {"{base: refs/heads/main}", policy.Limits{"base": {"refs/heads/main"}}},
		"several":                       {"{base: [b, a, b], resource: \"acme/*\"}", policy.Limits{"base": {"a", "b"}, "resource": {"acme/*"}}},
		"lines":                         {"\n              base:\n                - main\n                - \"*\"\n              resource: x", policy.Limits{"base": {"*", "main"}, "resource": {"x"}}},
		"one line":                      {"\n              base: main", policy.Limits{"base": {"main"}}},
		"numbers":                       {"{base: [12, -1.5, 0]}", policy.Limits{"base": {"-1.5", "0", "12"}}},
		"true":                          {"{base: true}", policy.Limits{"base": {"true"}}},
		"nothing":                       {"", nil},
		"what YAML takes for something": {"{base: [\"null\", \"~\", \"[a]\", \"a: b\"]}", policy.Limits{"base": {"[a]", "a: b", "null", "~"}}},
	} {
		text := with(t, `- {action: "github.pr.merge", decision: require_approval, hold: 55s, ttl: 10m}`, "- action: github.pr.merge\n            decision: deny\n            when: "+tt.when)
		doc, err := config.Parse("a.yaml", []byte(text), known{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, doc.Gateways[0].Connectors[0].Rules[1].When); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		rules, err := doc.Gateways[0].AccessRules()
		if err != nil || cmp.Diff(tt.want, rules[1].When) != "" {
			t.Errorf("%s: the access rule is %+v, %v", name, rules[1], err)
		}
	}
}

func TestWhatIsNotThereIsNoProblem(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		doc  string
		want *config.Document
	}{
		"only a version": {"version: 1\n", &config.Document{}},
		"empty lists":    {"version: 1\ngateways: []\ncredentials:\npolicies: []\n", &config.Document{}},
		"a bare gateway": {"version: 1\ngateways: [{name: a}]\n", &config.Document{Gateways: []config.Gateway{{Name: "a"}}}},
		"from standard input": {"version: 1\ncredentials: [{name: a, connector: http, from: stdin}]\n", &config.Document{
			Credentials: []config.Credential{{Name: "a", Connector: "http", From: config.Source{Stdin: true}}}}},
		"the older spelling": {"version: 1\ngateways: [{name: a, connectors: [{type: http, rules: [{action: http.get, decision: requires_approval, hold: 0s}]}]}]\n", &config.Document{
			Gateways: []config.Gateway{{Name: "a", Connectors: []config.Connector{{Type: "http", Name: "http", Rules: []config.Rule{{Action: "http.get", Decision: policy.RequireApproval, Hold: new(time.Duration)}}}}}}}},
	} {
		got, err := config.Parse("a.yaml", []byte(tt.doc), known{})
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

func TestHostileDocumentsAreRefusedSoon(t *testing.T) {
	t.Parallel()

	for name, doc := range map[string]string{
		"brackets":        strings.Repeat("[", 1<<19),
		"braces":          strings.Repeat("{a: ", 1<<17),
		"dashes":          strings.Repeat("- ", 1<<18),
		"colons":          strings.Repeat("a: ", 1<<18),
		"question marks":  strings.Repeat("? ", 1<<18),
		"many keys":       strings.Repeat("k: v\n", 1<<17),
		"many keys, flow": "{" + strings.Repeat("k: v, ", 1<<17) + "}",
		"many problems":   "version: 1\ngateways:\n" + strings.Repeat("  - x\n", 1<<16),
		"an alias bomb":   "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
	} {
		start := time.Now()
		_, err := config.Parse("a.yaml", []byte(doc), known{})
		if fault.Of(err) != fault.Invalid || len(fault.Message(err)) > 16<<10 {
			t.Errorf("%s: %d bytes of %v, want a short fault.Invalid", name, len(fault.Message(err)), fault.Of(err))
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("version: 1\ngateways: [{name: a, connectors: [{type: http, hosts: [a.b], rules: [{preset: allow_all}]}]}]"))
	f.Add([]byte("version: 1\ngateways: [{name: a, connectors: [{type: github, rules: [{action: github.pr.merge, when: {base: [a, '*'], resource: 1}, decision: deny}]}]}]"))
	f.Add([]byte("version: 1\ngroups: [{name: \"1\", members: [a@b, 'B@c']}]\ngateways: [{name: a, connectors: [{type: github, rules: [{action: github.pr.merge, decision: require_approval, approvers: {role: admin, group: [a, b], step_up: true}}]}]}]"))
	f.Add([]byte("a: |\n  b\n- ? [*x]"))
	f.Add([]byte("\"\\u0000\": !!binary 'x'"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := config.Parse("a.yaml", data, known{})
		if err != nil {
			if fault.Of(err) != fault.Invalid || doc != nil {
				t.Fatalf("%v, %v", doc, err)
			}
			return
		}
		again, err := config.Marshal(doc)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := config.Parse("b.yaml", again, known{})
		if diff := cmp.Diff(doc, back); err != nil || diff != "" {
			t.Fatalf("%s\n%v (-want +got)\n%s", again, err, diff)
		}
	})
}
