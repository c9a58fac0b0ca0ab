package policy_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestWhatCannotBeJudgedIsNotCompiled(t *testing.T) {
	t.Parallel()

	is := func(op policy.Op, args ...policy.Expr) *policy.Expr { return &policy.Expr{Op: op, Args: args} }
	with := func(op policy.Op, c policy.Const) *policy.Expr { return new(fieldHas(op, "params.x", c)) }
	field, one := policy.Expr{Field: "params.x"}, policy.Expr{Value: new(constWhole(1))}
	deep := fieldIs("params.x", 1)
	for range 100 {
		deep = *is(policy.Not, deep)
	}
	loops := policy.Expr{Value: new(constFrom(true))}
	for range 5 {
		loops = policy.Expr{Op: policy.Every, Var: "x", Args: []policy.Expr{field, loops}}
	}
	window := func(w policy.Window) *policy.Expr { return with(policy.InWindow, policy.Const{Window: &w}) }
	for name, tt := range map[string]struct {
		e    *policy.Expr
		says string
	}{
		"nothing at all":                {&policy.Expr{}, "A condition is an operator"},
		"two things at once":            {&policy.Expr{Op: policy.All, Field: "action"}, "A condition is an operator"},
		"an operator that there is not": {is("like", field, one), "no operator"},
		"a field that there is not":     {new(fieldIs("parms.x", 1)), `no field "parms.x"`},
		"all of a family":               {new(fieldIs("params.*", 1)), "no field"},
		"a family without a name":       {new(fieldIs("request.body.", 1)), "no field"},
		"a variable of no loop":         {is(policy.Eq, policy.Expr{Field: "$x"}, one), "stands for nothing"},
		"a variable in YAML":            {&policy.Expr{Op: policy.Exist, Var: "x", Args: []policy.Expr{field, fieldIs("$x", 1)}}, "is about a field"},
		"a loop without a name":         {is(policy.Exist, field, one), "Loops have a name"},
		"loops in loops":                {&loops, "Loops have a name"},
		"too deep":                      {&deep, "nested too deeply"},
		"too many":                      {is(policy.All, make([]policy.Expr, 2001)...), ""},
		"too few arguments":             {is(policy.Not), "another number"},
		"too many arguments":            {is(policy.Eq, one, one, one), "another number"},
		"a field for a constant":        {is(policy.Equals, field, field), "compares with a value"},
		"a secret header":               {new(fieldIs("request.headers.authorization", "x")), "carries a credential"},
		"a header in capitals":          {new(fieldIs("request.headers.Accept", "x")), "lower case: accept"},
		"equal to a list":               {with(policy.Equals, constTexts("a")), "needed here"},
		"in a text":                     {with(policy.In, constText("a")), "A list is needed"},
		"in a list of lists":            {with(policy.In, policy.Const{IsList: true, List: []policy.Const{constTexts("a")}}), "needed here"},
		"more than a text":              {with(policy.GT, constText("a")), "A number or a time"},
		"between one":                   {with(policy.Between, policy.Const{IsList: true, List: []policy.Const{constWhole(1)}}), "Two numbers"},
		"between a number and a time":   {with(policy.Between, policy.Const{IsList: true, List: []policy.Const{constWhole(1), constFrom(time.Unix(0, 0))}}), "Two numbers"},
		"no pattern":                    {with(policy.Matches, constText("(")), "cannot be read"},
		"a pattern that is too long":    {with(policy.Matches, constText(strings.Repeat("a", 1001))), "at most 1000 bytes"},
		"a pattern that repeats a lot":  {with(policy.Matches, constText("((a{30}){30}){1}b(x{100}){9}")), "too large"},
		"a pattern with a look behind":  {with(policy.Matches, constText("(?<!a)b")), "cannot be read"},
		"no network":                    {with(policy.CIDR, constText("10.0.0.0/33")), "A network is written"},
		"networks, and a number":        {with(policy.CIDR, policy.Const{IsList: true, List: []policy.Const{constWhole(1)}}), "a list of texts"},
		"a window that never is":        {window(policy.Window{From: 1440, To: 1, Zone: "UTC"}), "A window begins"},
		"a window without a zone":       {window(policy.Window{To: 1}), "no such time zone"},
		"a window of our own zone":      {window(policy.Window{To: 1, Zone: "Local"}), "no such time zone"},
		"a window on no day":            {window(policy.Window{To: 1, Zone: "UTC", Days: []time.Weekday{7}}), "A day is"},
		"infinity":                      {with(policy.GT, constFrom(math.Inf(1))), "infinite"},
		"no number":                     {is(policy.Eq, field, policy.Expr{Value: new(constFrom(math.NaN()))}), "infinite"},
		"of two types":                  {with(policy.Equals, policy.Const{Text: new(""), Int: new(int64(1))}), "exactly one type"},
		"of no type":                    {with(policy.Equals, policy.Const{}), "exactly one type"},
		"a text that is none":           {with(policy.Equals, constText("\xff")), "UTF-8"},
		"a text that is too long":       {with(policy.Equals, constText(strings.Repeat("a", 9000))), "at most"},
		"a list that is too long":       {with(policy.In, policy.Const{IsList: true, List: make([]policy.Const, 3000)}), "at most"},
		"a pattern that is reckoned":    {is(policy.Match, field, field), "has to stand there"},
		"a part that no time has":       {is(policy.TimePart, field, policy.Expr{Value: new(constText("era"))}, policy.Expr{Value: new(constText("UTC"))}), "no such part"},
		"has of a value":                {is(policy.HasField, one), "whether it is there"},
	} {
		tt.e.Line = 17
		_, err := policy.Compile(policy.Settings{Policies: []policy.Policy{just("pol_mine", policy.Clause{Name: "c", If: tt.e, Line: 3})}})
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
			continue
		}
		if m := fault.Message(err); !strings.HasPrefix(m, `Policy "mine", rule "c", line `) {
			t.Errorf("%s: %q does not say where", name, m)
		}
	}
}

func TestWhatAPolicyMayNotSay(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(p *policy.Policy, c *policy.Clause){
		"a priority":      func(p *policy.Policy, _ *policy.Clause) { p.Priority = 1001 },
		"below priority":  func(p *policy.Policy, _ *policy.Clause) { p.Priority = -1 },
		"a pattern":       func(p *policy.Policy, _ *policy.Clause) { p.Scope.Actions = []action.Pattern{"github."} },
		"a decision":      func(_ *policy.Policy, c *policy.Clause) { c.Effect = 3 },
		"a risk":          func(_ *policy.Policy, c *policy.Clause) { c.Risk = 101 },
		"a negative risk": func(_ *policy.Policy, c *policy.Clause) { c.Risk = -1 },
		"a role":          func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Role = "king" },
		"a count":         func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Count = 11 },
		"a group":         func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "Release" },
		"five groups":     func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "a+b+c+d+e" },
		"a group twice":   func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "a+a" },
		"groups unsorted": func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "b+a" },
		"a hold":          func(_ *policy.Policy, c *policy.Clause) { c.Hold = new(time.Hour) },
		"a ttl":           func(_ *policy.Policy, c *policy.Clause) { c.TTL = time.Second },
		// What is for another gateway is broken all the same.
		"elsewhere": func(p *policy.Policy, c *policy.Clause) { p.Scope.Gateways, c.Risk = []string{"other"}, 101 },
		"condition": func(p *policy.Policy, c *policy.Clause) {
			p.Scope.Environments, c.If = []string{"other"}, &policy.Expr{}
		},
	} {
		var p policy.Policy
		var c policy.Clause
		change(&p, &c)
		p.Name, p.Clauses = "mine", []policy.Clause{c}
		_, err := policy.Compile(policy.Settings{Policies: []policy.Policy{p}})
		if fault.Of(err) != fault.Invalid || !strings.HasPrefix(fault.Message(err), `Policy "mine"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
