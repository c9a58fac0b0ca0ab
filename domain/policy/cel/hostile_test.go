package cel_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/cel"
)

func TestHostileExpressionsAreRefusedCheaply(t *testing.T) { //nolint:paralleltest // it counts what everything in the process allocates
	if _, problems := cel.Parse("true"); len(problems) > 0 { // what is made once
		t.Fatal(problems)
	}
	for name, c := range map[string]struct {
		source  string
		refused bool
	}{
		"ten megabytes":         {strings.Repeat("true && ", 10<<20/8) + "true", true},
		"a byte too many":       {strings.Repeat(" ", 4<<10-3) + "true", true},
		"as long as may be":     {strings.Repeat(" ", 4<<10-4) + "true", false},
		"brackets":              {strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000), true},
		"thirty brackets":       {strings.Repeat("(", 30) + "true" + strings.Repeat(")", 30), true},
		"a sum of thirty":       {"1" + strings.Repeat("+1", 30) + " > 1", true},
		"open brackets":         {strings.Repeat("(", 4000), true},
		"open lists":            {strings.Repeat("[", 4000), true},
		"open maps":             {strings.Repeat("{", 4000), true},
		"closing brackets":      {strings.Repeat(")", 4000), true},
		"brackets one by one":   {"true" + strings.Repeat(" && (true)", 400), false},
		"nots":                  {strings.Repeat("!", 4000) + "true", true},
		"nots and brackets":     {strings.Repeat("!(", 1000) + "true" + strings.Repeat(")", 1000), true},
		"minuses":               {strings.Repeat("-", 4000) + "1 == 1", true},
		"minuses and nots":      {strings.Repeat("!-", 2000) + "1", true},
		"questions":             {strings.Repeat("true?", 700) + "true" + strings.Repeat(":true", 700), true},
		"questions at the end":  {strings.Repeat("true?true:", 400) + "true", true},
		"a long chain":          {"true" + strings.Repeat("&&true", 600), true},
		"a mixed chain":         {"true" + strings.Repeat("&&true||true", 300), true},
		"a long sum":            {"1" + strings.Repeat("+1", 1500) + " > 1", true},
		"dots":                  {"params" + strings.Repeat(".a", 1500) + " == 1", true},
		"a path of another":     {"action" + strings.Repeat(".a", 1500) + " == 1", true},
		"places":                {"params.a" + strings.Repeat("[0]", 1000) + " == 1", true},
		"methods":               {"action" + strings.Repeat(".lowerAscii()", 300) + " == 'a'", true},
		"functions":             {strings.Repeat("size(", 800) + "action" + strings.Repeat(")", 800) + " > 1", true},
		"a long list":           {"1 in [" + strings.Repeat("1,", 501) + "]", true},
		"a list as long as may": {"1 in [" + strings.Repeat("1,", 499) + "1]", false},
		"a list of fields":      {"1 in [" + strings.Repeat("risk,", 600) + "]", true},
		"loops in loops":        {strings.Repeat("params.a.all(x,", 200) + "true" + strings.Repeat(")", 200), true},
		"loops of three":        {"params.a.all(x, params.a.all(y, params.a.all(z, true)))", true},
		"loops beside loops":    {"true" + strings.Repeat("&&[1].all(x,x>0)", 150), true},
		"maps in filters":       {strings.Repeat("params.a.map(x,x>0,", 200) + "1" + strings.Repeat(")", 200) + "==[]", true},
		"many mistakes":         {strings.Repeat("$ ", 2000), true},
		"many unknown names":    {"x" + strings.Repeat("&&x", 1000), true},
		"many unknown calls":    {"x()" + strings.Repeat("||x()", 700), true},
		"many operators":        {strings.Repeat("==", 2000), true},
		"many quotes":           {strings.Repeat(`"`, 4001), true},
		"many open quotes":      {strings.Repeat("'\n", 2000), true},
		"nought bytes":          {strings.Repeat("\x00", 4000), true},
		"a regex":               {`action.matches("` + strings.Repeat("(a*)*", 150) + `$")`, false},
		"a regex of repeats":    {`action.matches("(((a{30}){30}){30}){30}")`, true},
		"a regex of classes":    {`action.matches("` + strings.Repeat(`\\pL{100}`, 80) + `")`, true},
		"a regex of brackets":   {`action.matches("` + strings.Repeat("(", 900) + strings.Repeat(")", 900) + `")`, true},
		"an endless number":     {strings.Repeat("9", 4000) + " > 1", true},
		"an endless name":       {strings.Repeat("a", 4000) + " == 1", true},
		"not UTF-8":             {strings.Repeat("\xff", 1000), true},
		"other letters":         {strings.Repeat("ä", 1000), true},
		"nothing":               {"", true},
		"only a comment":        {"//" + strings.Repeat("x", 4000), true},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		tree, problems := cel.Parse(c.source)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; took > time.Second || used > 64<<20 {
			t.Errorf("%s: %v and %d bytes", name, took, used)
		}
		if c.refused != (len(problems) > 0) || c.refused != (tree == nil) {
			t.Errorf("%s: refused is %v, for %v", name, len(problems) > 0, problems)
		}
		for _, p := range problems {
			if len(p.Message) > 1000 {
				t.Errorf("%s: a message of %d bytes", name, len(p.Message))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`action == "github.pr.merge" && params.base == "main"`, `"ä" in params.labels || !has(request.body.a)`,
		`params.l.exists(x, x.startsWith("a") ? true : x == 'b')`, `time.getHours("Europe/Berlin") >= 22 && in_window(time, "mon 9:00-10:00")`,
		`(params.a + 1.5) * -2 > [1,2][0]`, "a = 1", `request.headers["x-a"].matches(r"^\d$") // yes`, `{"a": 1}`, "\"", `1u + b""`,
		`params.n.map(x, x > 1, x + 1) == params.n.filter(y, true)`, "a..b", "has()", "!(", "`a`", `"""` + "\n" + `"""==action`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tree, problems := cel.Parse(source)
		if (tree == nil) == (len(problems) == 0) {
			t.Fatalf("a tree is %v and there are %v", tree, problems)
		}
		lines := strings.Split(source, "\n")
		for _, p := range problems {
			if p.Message == "" || p.Line < 1 || p.Line > max(len(lines), 1) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Errorf("%+v is not in the text", p)
			}
		}
		if tree == nil {
			return
		}
		written, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var again policy.Expr
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&again, tree); diff != "" {
			t.Errorf("it changes on the way:\n%s", diff)
		}
		var walk func(e policy.Expr)
		walk = func(e policy.Expr) {
			if e.Text != "" {
				at := []rune(strings.Join(lines[e.Line-1:], "\n"))[e.Column-1:]
				if !strings.HasPrefix(string(at), e.Text) {
					t.Errorf("%q is not at %d:%d", e.Text, e.Line, e.Column)
				}
				alone, problems := cel.Parse(e.Text)
				if len(problems) > 0 {
					t.Errorf("%q is no condition by itself: %v", e.Text, problems)
				} else if show(*alone) != show(e) {
					t.Errorf("%q is %s by itself, and %s where it stands", e.Text, show(*alone), show(e))
				}
			}
			for _, arg := range e.Args {
				walk(arg)
			}
		}
		walk(*tree)
	})
}
