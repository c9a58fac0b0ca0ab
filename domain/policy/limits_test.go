package policy_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// when is a rule for every action, with limits as people write them.
func when(id, limits string, e policy.Effect) policy.Rule {
	r := rule(id, "*", e)
	var err error
	if r.When, err = policy.ParseLimits(limits); err != nil {
		panic(err)
	}
	return r
}

func push(params map[string]any, unknown ...string) action.Action {
	a := act("github.repo.push", action.Write)
	a.Resource, a.Params, a.Unknown = "acme/site", params, unknown
	return a
}

func TestALimitHoldsForWhatItNames(t *testing.T) {
	t.Parallel()

	big := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("v", i))
		}
		return list
	}
	for name, tt := range map[string]struct {
		limits string
		params any // of the name "p"
		want   policy.Effect
	}{
		"the same":                      {"p=main", "main", policy.Allow},
		"another":                       {"p=main", "next", policy.Deny},
		"a beginning only":              {"p=main", "maintain", policy.Deny},
		"another case":                  {"p=main", "Main", policy.Deny},
		"a star":                        {"p=*", "any/thing", policy.Allow},
		"a star for nothing":            {"p=*", "", policy.Allow},
		"a star at the end":             {"p=refs/heads/*", "refs/heads/a/b", policy.Allow},
		"a star at the end, for others": {"p=refs/heads/*", "refs/tags/a", policy.Deny},
		"a star at the beginning":       {"p=*/main", "refs/heads/main", policy.Allow},
		"a star within":                 {"p=refs/*/main", "refs/heads/x/main", policy.Allow},
		"no overlap of both ends":       {"p=aba*aba", "ababa", policy.Deny},
		"parts in their order":          {"p=*a*b*", "ba", policy.Deny},
		"parts in their order, there":   {"p=*a*b*", "xaxbx", policy.Allow},
		"a question mark is itself":     {"p=mai?", "main", policy.Deny},
		"brackets are themselves":       {"p=[m]ain", "[m]ain", policy.Allow},
		"one of two":                    {"p=next, p=main", "main", policy.Allow},
		"both of two names":             {"p=main, resource=acme/*", "main", policy.Allow},
		"one of two names":              {"p=main, resource=other/*", "main", policy.Deny},
		"no such parameter":             {"q=*", "main", policy.Deny},
		"a whole number":                {"p=12", int64(12), policy.Allow},
		"a negative number":             {"p=-12", int64(-12), policy.Allow},
		"a number with a part":          {"p=1.5", 1.5, policy.Allow},
		"a number without one":          {"p=2", 2.0, policy.Allow},
		"a large number":                {"p=1e+21", 1e21, policy.Allow},
		"a small number":                {"p=1e-7", 1e-7, policy.Allow},
		"another number":                {"p=1*", int64(21), policy.Deny},
		"true":                          {"p=true", true, policy.Allow},
		"false":                         {"p=true", false, policy.Deny},
		"every element":                 {"p=v*", []string{"v1", "v2"}, policy.Allow},
		"not every element":             {"p=v*", []string{"v1", "w"}, policy.Deny},
		"one element":                   {"p=v*", []string{"v"}, policy.Allow},
		"no element":                    {"p=*", []string{}, policy.Deny},
		"as many as are tried":          {"p=v*", big(64), policy.Allow},
		"more than are tried":           {"p=v*", big(65), policy.Deny},
		"nothing":                       {"p=*", nil, policy.Deny},
		"a number of another type":      {"p=*", 12, policy.Deny},
		"no number":                     {"p=*", math.NaN(), policy.Deny},
		"a list of others":              {"p=*", []any{"v"}, policy.Deny},
	} {
		d := engine(t, policy.FullEnforce, []policy.Rule{when("r", tt.limits, policy.Allow)}).Decide(policy.Question{Action: push(map[string]any{"p": tt.params}), Type: "github"})
		if d.Effect != tt.want {
			t.Errorf("%s: %v, want %v", name, d.Effect, tt.want)
		}
	}
}

func TestTheWalkEndsAtTheRuleThatCertainlyApplies(t *testing.T) {
	t.Parallel()

	const deny, ask, allow = policy.Deny, policy.RequireApproval, policy.Allow
	main := map[string]any{"ref": "main", "labels": []string{"a", "b"}, "tags": []string{"x", "y"}}
	class := when("class", "ref=main", allow)
	write := action.Write
	class.Class = &write
	exact := when("exact", "ref=next", deny)
	labels := when("labels", "labels=z", deny)
	exact.Pattern, labels.Pattern = "github.repo.push", "github.repo.push"
	for name, tt := range map[string]struct {
		rules []policy.Rule
		act   action.Action
		want  policy.Effect
		rule  string
	}{
		"limits before none":                    {[]policy.Rule{when("a", "", deny), when("b", "ref=main", allow)}, push(main), allow, "b"},
		"more limits before fewer":              {[]policy.Rule{when("a", "ref=main", deny), when("b", "ref=*, resource=*", allow)}, push(main), allow, "b"},
		"limits before a class":                 {[]policy.Rule{rule("a", "*", deny, action.Write), when("b", "ref=main", allow)}, push(main), allow, "b"},
		"limits and a class before limits":      {[]policy.Rule{when("a", "ref=main", deny), class}, push(main), allow, "class"},
		"then the stricter":                     {[]policy.Rule{when("a", "ref=main", allow), when("b", "ref=m*", ask)}, push(main), ask, "b"},
		"a pattern before limits":               {[]policy.Rule{when("a", "ref=main", deny), rule("b", "github.repo.push", allow)}, push(main), allow, "b"},
		"what does not apply is passed over":    {[]policy.Rule{exact, when("b", "", allow)}, push(main), allow, "b"},
		"nothing applies":                       {[]policy.Rule{exact}, push(main), deny, ""},
		"no resource":                           {[]policy.Rule{when("a", "resource=*", allow)}, act("github.user.get", action.Read), deny, ""},
		"unknown, and stricter":                 {[]policy.Rule{exact, when("b", "", allow)}, push(main, "ref"), deny, "exact"},
		"unknown, and not stricter":             {[]policy.Rule{when("a", "ref=next", allow), when("b", "", ask)}, push(main, "ref"), ask, "b"},
		"unknown, and then nothing":             {[]policy.Rule{when("a", "ref=main", allow)}, push(main, "ref"), deny, ""},
		"all unknown":                           {[]policy.Rule{exact, when("b", "", allow)}, push(main, "*"), deny, "exact"},
		"the resource unknown":                  {[]policy.Rule{when("a", "resource=other/*", ask), when("b", "", allow)}, push(main, "resource"), ask, "a"},
		"another unknown":                       {[]policy.Rule{when("a", "ref=next", deny), when("b", "", allow)}, push(main, "title"), allow, "b"},
		"unknown, but another limit fails":      {[]policy.Rule{when("a", "ref=main, resource=other/*", deny), when("b", "", allow)}, push(main, "ref"), allow, "b"},
		"what comes after the end is not met":   {[]policy.Rule{rule("a", "github.repo.push", allow), when("b", "ref=next", deny)}, push(main, "ref"), allow, "a"},
		"the strictest of several that may":     {[]policy.Rule{when("a", "ref=a", ask), when("b", "ref=b", deny), when("c", "", allow)}, push(main, "ref"), deny, "b"},
		"one element is stricter":               {[]policy.Rule{when("a", "labels=b", deny), when("b", "", allow)}, push(main), deny, "a"},
		"one combination is stricter":           {[]policy.Rule{when("a", "labels=b, tags=y", deny), when("b", "", allow)}, push(main), deny, "a"},
		"no combination is":                     {[]policy.Rule{when("a", "labels=b, tags=z", deny), when("b", "", allow)}, push(main), allow, "b"},
		"each element by another rule":          {[]policy.Rule{when("a", "labels=a", allow), when("b", "labels=b", ask)}, push(main), ask, "b"},
		"a list that no rule speaks of":         {[]policy.Rule{when("a", "ref=main", allow)}, push(map[string]any{"ref": "main", "labels": make([]string, 1000)}), allow, "a"},
		"a list too long makes it perhaps":      {[]policy.Rule{when("a", "labels=z", ask), when("b", "", allow)}, push(map[string]any{"labels": make([]string, 65)}), ask, "a"},
		"a list of one beside one too long":     {[]policy.Rule{when("a", "labels=z, tags=x", ask), when("b", "", allow)}, push(map[string]any{"labels": make([]string, 65), "tags": []string{"y"}}), allow, "b"},
		"both ends of a glob overlap":           {[]policy.Rule{when("a", "ref=aba*aba", deny), when("b", "", allow)}, push(map[string]any{"ref": "ababa"}), allow, "b"},
		"lists of rules beyond the end":         {[]policy.Rule{labels, rule("b", "github.repo.push", allow), when("c", "tags=z", deny)}, push(map[string]any{"labels": make([]string, 10), "tags": make([]string, 10)}), allow, "b"},
		"an empty name in a list is an element": {[]policy.Rule{when("a", "labels=*", allow)}, push(map[string]any{"labels": []string{""}}), allow, "a"},
	} {
		d := engine(t, policy.FullEnforce, tt.rules).Decide(policy.Question{Action: tt.act, Type: "github"})
		if d.Effect != tt.want || d.Rule != tt.rule {
			t.Errorf("%s: %v by rule %q, want %v by %q", name, d.Effect, d.Rule, tt.want, tt.rule)
		}
	}
}

// A rule's deny stands at soft_enforce and the default's does not: what may be
// either has to stand.
func TestWhatMayBeDeniedByARuleIsDeniedAtSoftEnforce(t *testing.T) {
	t.Parallel()

	e := engine(t, policy.SoftEnforce, []policy.Rule{when("a", "ref=main", policy.Deny)})
	if d := e.Decide(policy.Question{Action: push(nil, "ref"), Type: "github"}); d.Effect != policy.Deny || d.Rule != "a" {
		t.Errorf("got %+v, want the rule's deny", d)
	}
	if d := e.Decide(policy.Question{Action: push(nil), Type: "github"}); d.Effect != policy.Allow || !d.Flagged {
		t.Errorf("got %+v, want it to pass, marked", d)
	}
}

func TestOfWhatElseARequestMayBeNothingIsKnown(t *testing.T) {
	t.Parallel()

	limited := when("limited", "ref=next", policy.Deny)
	limited.Pattern = "github.repo.push"
	rules := []policy.Rule{
		rule("all", "*", policy.Allow), rule("ask", "github.pr.merge", policy.RequireApproval), rule("read", "github.pr.get", policy.Deny, action.Read), limited,
	}
	for name, tt := range map[string]struct {
		rules []policy.Rule
		other string
		want  policy.Effect
		rule  string
	}{
		"a limit on it counts":              {rules, "github.repo.push", policy.Deny, "limited"},
		"a class is known":                  {rules, "github.pr.get", policy.Allow, "all"},
		"any of the pull requests":          {rules, "github.pr.*", policy.Deny, "read"},
		"any of all":                        {rules, "github.*", policy.Deny, "limited"},
		"anything at all":                   {rules, "*", policy.Deny, "limited"},
		"any where there are no rules":      {rules, "github.issue.*", policy.Allow, "all"},
		"any of more words than patterns":   {rules, "github.pr.merge.*", policy.Allow, "all"},
		"any, and a rule for each":          {[]policy.Rule{rule("a", "github.*.*", policy.Allow), rule("main", "github.push", policy.Allow)}, "github.*", policy.Deny, ""},
		"any, and a rule for all of them":   {[]policy.Rule{rule("a", "github.*", policy.Allow), rule("main", "github.push", policy.Allow)}, "github.*", policy.Allow, "a"},
		"any, and only for a class":         {[]policy.Rule{rule("a", "*", policy.Allow, action.Write), rule("main", "github.push", policy.Allow)}, "github.*", policy.Deny, ""},
		"any, and only with limits":         {[]policy.Rule{when("a", "ref=*", policy.Allow), rule("main", "github.push", policy.Allow)}, "github.*", policy.Deny, ""},
		"any, with a star for the prefix":   {[]policy.Rule{rule("a", "*.*", policy.RequireApproval), rule("main", "github.push", policy.Allow)}, "github.*", policy.RequireApproval, "a"},
		"any of another connector's":        {[]policy.Rule{rule("a", "slack.*", policy.Deny), rule("main", "*", policy.Allow)}, "github.*", policy.Allow, "main"},
		"a pattern that ends at the prefix": {[]policy.Rule{rule("a", "github", policy.Deny), rule("main", "*", policy.Allow)}, "github.*", policy.Allow, "main"},
		"a star that is no word":            {rules, "github.*.get", policy.Deny, ""},
		"a prefix with a hole":              {rules, "github..*", policy.Deny, ""},
		"a prefix that is none":             {rules, ".*", policy.Deny, ""},
	} {
		a := act("github.push", action.Write)
		a.Or = []action.Alternative{{Name: tt.other, Class: action.Write}}
		d := engine(t, policy.FullEnforce, tt.rules).Decide(policy.Question{Action: a, Type: "github"})
		if d.Effect != tt.want || tt.want != policy.Allow && d.Rule != tt.rule || d.Reason == "" {
			t.Errorf("%s: %v by rule %q (%s), want %v by %q", name, d.Effect, d.Rule, d.Reason, tt.want, tt.rule)
		}
	}
}

func TestTheSentenceNamesTheLimit(t *testing.T) {
	t.Parallel()

	class := when("r", "ref=main", policy.Deny)
	class.Class = new(action.Class)
	*class.Class = action.Write
	own := when("r", "ref=main", policy.Deny)
	own.Reason = "Ask Ada."
	for name, tt := range map[string]struct {
		rule policy.Rule
		act  action.Action
		want string
	}{
		"one":            {when("r", "ref=refs/heads/main", policy.Deny), push(map[string]any{"ref": "refs/heads/main"}), "The rule for * where ref is refs/heads/main denies it."},
		"several":        {when("r", "ref=main,ref=next,resource=acme/*", policy.Allow), push(map[string]any{"ref": "main"}), "The rule for * where ref is main or next and resource is acme/* allows it."},
		"very many":      {when("r", "ref=a,ref=b,ref=c,ref=d,ref=e", policy.RequireApproval), push(map[string]any{"ref": "a"}), "The rule for * where ref is a, b, c or one of 2 more asks for a person's approval."},
		"a long one":     {when("r", "ref="+strings.Repeat("é", 100), policy.Deny), push(map[string]any{"ref": strings.Repeat("é", 100)}), "The rule for * where ref is " + strings.Repeat("é", 30) + "… denies it."},
		"with a class":   {class, push(map[string]any{"ref": "main"}), "The rule for *, class write, where ref is main denies it."},
		"unknown":        {when("r", "ref=main", policy.Deny), push(nil, "ref"), "The rule for * where ref is main denies it. The request does not show whether that is so, and then the strictest counts."},
		"a person's own": {own, push(nil, "ref"), "Ask Ada."},
	} {
		if d := engine(t, policy.FullEnforce, []policy.Rule{tt.rule, rule("all", "*", policy.Allow)}).Decide(policy.Question{Action: tt.act, Type: "github"}); d.Reason != tt.want {
			t.Errorf("%s: %q, want %q", name, d.Reason, tt.want)
		}
	}
	ask := when("r", "ref=main", policy.RequireApproval)
	ask.TTL = time.Hour
	want := policy.Decision{
		Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByRule, Rule: "r", Hold: policy.DefaultHold, TTL: time.Hour,
		Reason: "The rule for * where ref is main asks for a person's approval. The request does not show whether that is so, and then the strictest counts.",
	}
	got := engine(t, policy.FullEnforce, []policy.Rule{ask, rule("all", "*", policy.Allow)}).Decide(policy.Question{Action: push(nil, "ref"), Type: "github"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLimitsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()

	many := policy.Limits{}
	for i := range 9 {
		many[fmt.Sprint("p", i)] = []string{"*"}
	}
	for name, l := range map[string]policy.Limits{
		"too many names": many, "too many values": {"p": make([]string, 21)}, "no value": {"p": nil}, "an empty value": {"p": {""}},
		"a long value": {"p": {strings.Repeat("x", 201)}}, "a control character": {"p": {"a\nb"}}, "no text": {"p": {"\xff"}}, "a mark that turns text around": {"p": {"a\u202eb"}},
		"no name": {"": {"*"}}, "a long name": {strings.Repeat("x", 65): {"*"}}, "a name with a space": {"a b": {"*"}}, "a star for a name": {"*": {"*"}},
	} {
		r := rule("r", "*", policy.Allow)
		r.When = l
		if err := r.Check(); fault.Of(err) != fault.Invalid || !strings.HasSuffix(fault.Message(err), ".") {
			t.Errorf("%s: %v, want fault.Invalid with a sentence", name, err)
		}
	}
	if err := (policy.Limits{"p": {strings.Repeat("x", 200)}, strings.Repeat("k", 64): {"ü *"}}).Check(); err != nil {
		t.Errorf("what is just right is refused: %v", err)
	}
}

func TestLimitsAsPeopleTypeThem(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]policy.Limits{
		"":                              nil,
		" , \n":                         nil,
		"ref=refs/heads/main":           {"ref": {"refs/heads/main"}},
		"ref = refs/heads/main ,ref=a":  {"ref": {"a", "refs/heads/main"}},
		"ref=a\nref=a\r\nresource=a b,": {"ref": {"a"}, "resource": {"a b"}},
		"p=a=b":                         {"p": {"a=b"}},
		`p="a, b" , q=c`:                {"p": {"a, b"}, "q": {"c"}},
		`p=a"b`:                         {"p": {`a"b`}},
	} {
		got, err := policy.ParseLimits(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got)\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"ref", "ref=", "=a", "a,b=c", `p="a`, `p="a"b`, `p="a"b=c`, "p q=a", "p=\x01", "p=a, q", strings.Repeat("p=a,", 20_000)} {
		if l, err := policy.ParseLimits(text); fault.Of(err) != fault.Invalid || l != nil {
			t.Errorf("%.20q: %v, %v, want fault.Invalid", text, l, err)
		}
	}
}

func TestWhatIsWrittenOfLimitsIsReadAgain(t *testing.T) {
	t.Parallel()

	printable := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*,="'\ é/:;`)), 1, 12, 200)
	rapid.Check(t, func(t *rapid.T) {
		l := policy.Limits(rapid.MapOfN(rapid.StringMatching(`[a-z][a-z_.-]{0,5}`), rapid.SliceOfN(printable, 1, 4), 0, 4).Draw(t, "limits")).Plain()
		got, err := policy.ParseLimits(l.String())
		if diff := cmp.Diff(l, got); diff != "" || err != nil {
			t.Fatalf("%s: %v (-want +got)\n%s", l, err, diff)
		}
	})
}

func FuzzParseLimits(f *testing.F) {
	for _, seed := range []string{"ref=refs/heads/main, resource=acme/*", `p="a, b"`, "a=b\nc=d", "=", `a="\x`, "a==,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := policy.ParseLimits(text)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		again, err := policy.ParseLimits(l.String())
		if diff := cmp.Diff(l, again); diff != "" || err != nil || l.Check() != nil {
			t.Fatalf("%s: %v, %v (-want +got)\n%s", l, err, l.Check(), diff)
		}
	})
}

func TestLimitsAreStoredAndReadAgain(t *testing.T) {
	t.Parallel()

	for _, want := range []policy.Limits{nil, {"ref": {"a", "b"}, "resource": {"é*"}}} {
		stored, err := want.Value()
		if err != nil {
			t.Fatal(err)
		}
		got := policy.Limits{"left": {"over"}}
		if err := got.Scan(stored); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v became %v, %v", want, got, err)
		}
	}
	if v, err := (policy.Limits{}).Value(); v != "{}" || err != nil {
		t.Errorf("no limits are stored as %v, %v", v, err)
	}
	for _, damaged := range []any{"", "null", "[]", `{"ref":"a"}`, nil, 7} { // a rule without its limits would be a wider one
		var l policy.Limits
		if err := l.Scan(damaged); err == nil {
			t.Errorf("%v is read as %v", damaged, l)
		}
	}
}
