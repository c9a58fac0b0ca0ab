package document_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// What somebody hostile may send as a document, and whether it is refused.
func hostile() map[string]string {
	const size = document.MaxSize
	fill := func(head, part, end string) string {
		return head + strings.Repeat(part, (size-len(head)-len(end))/len(part)) + end
	}
	rules := func(n int, rule string) string {
		var b strings.Builder
		b.WriteString("name: p\nrules:\n")
		for i := 0; i < n && b.Len()+len(rule)+10 < size; i++ {
			b.WriteString(fmt.Sprintf(rule, i) + "\n")
		}
		return b.String()
	}
	long := "(?:" + strings.Repeat("[a-zа-я]{9}", 40) + "){90}"
	return map[string]string{
		"10 MB":                       strings.Repeat("name: p\n", 10<<17),
		"brackets":                    fill("", "[", ""),
		"braces":                      fill("", "{a: ", ""),
		"dashes":                      fill("", "- ", ""),
		"nested conditions":           "name: p\nrules:\n  - name: a\n    decision: deny\n    conditions: " + strings.Repeat("{not: ", 10_000) + strings.Repeat("}", 10_000),
		"a bomb of references":        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
		"tags":                        "name: !!binary aGk=\nrules: []\n",
		"a list of many":              fill("name: p\nrules:\n  - {name: a, decision: deny, conditions: {field: owner, operator: in, value: [", "a,", "]}}\n"),
		"a list of many of nothing":   fill("name: p\nrules: [", ",", "]"),
		"a line for each":             fill("name: p\nrules:\n", "- a\n", ""),
		"keys":                        fill("name: p\n", "k: v\n", ""),
		"comments":                    fill("name: p\n", "#\n", ""),
		"quotes":                      fill("name: [", `"",`, "]"),
		"one long text":               fill("name: ", "x", "\n"),
		"one long quoted text":        fill("name: \"", `\u0041`, "\"\n"),
		"a block of empty lines":      fill("name: |\n", "\n", " x\n"),
		"long names of fields":        fill("name: p\nrules:\n  - {name: a, decision: deny, conditions: {field: ", "x", ", operator: exists}}\n"),
		"an expression that explodes": rules(1000, "  - {name: r%d, decision: deny, conditions: {field: owner, operator: matches, value: \""+long+"\"}}"),
		"expressions that repeat":     rules(1000, "  - {name: r%d, decision: deny, conditions: {field: owner, operator: matches, value: \"((a{99}){2}b{99}){9}\"}}"),
		"expressions of many signs":   rules(1000, "  - {name: r%d, decision: deny, conditions: {field: owner, operator: matches, value: \"(?i)[\\\\pL\\\\pN]{300}\"}}"),
		"an old expression":           rules(1000, "  - {name: r%d, decision: deny, conditions: {field: parameters.branch_name, operator: matches, value: \"((a{99}){2}b{99}){9}\"}}"),
		"CEL, nested":                 rules(50, "  - {name: r%d, decision: deny, when: '"+strings.Repeat("(", 2000)+"true"+strings.Repeat(")", 2000)+"'}"),
		"CEL, long":                   rules(50, "  - {name: r%d, decision: deny, when: '"+strings.Repeat("true || ", 500)+"true'}"),
		"CEL, wrong":                  rules(4000, "  - {name: r%d, decision: deny, when: 'a b c d'}"),
		"CEL, all wrong":              rules(1000, "  - {name: r%d, decision: deny, when: 'a b "+strings.Repeat("c.d[e] f(", 14)+"'}"),
		"CEL, loops":                  rules(200, "  - {name: r%d, decision: deny, when: '[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, [1,2,3].all(d, a + b + c + d > 3))))'}"),
		"many rules":                  rules(4000, "  - {name: r%d, decision: deny}"),
		"wrong rules":                 rules(1000, "  - {name: r%d, verdict: deny, conditions: {filed: a, op: b}}"),
		"tests":                       "name: p\nrules: [{name: a, decision: deny}]\ntests:\n" + strings.Repeat("  - {name: t, expect: deny, action: {action: a.b}}\n", 3900),
		"a body":                      "name: p\nrules: [{name: a, decision: deny}]\ntests:\n  - {name: t, expect: deny, request: {method: POST, url: \"https://a.example\", body: " + strings.Repeat("{a: ", 60) + "1" + strings.Repeat("}", 60) + "}}\n",
		"fine: expressions":           rules(40, "  - {name: r%d, decision: deny, conditions: {field: owner, operator: matches, value: \"(?:[a-zа-я]{9}){40}\"}}"),
		"fine: rules":                 rules(1000, "  - {name: r%d, decision: deny, conditions: [{field: action, operator: equals, value: github.branch.merge}, {field: params.base, operator: equals, value: main%[1]d}]}"),
		"fine: CEL":                   rules(1000, "  - {name: r%d, decision: deny, when: 'action == \"github.branch.merge\" && params.base == \"m%[1]d\"'}"),
		"fine: lists":                 "name: p\nrules:\n" + strings.Repeat("  - {name: a, decision: deny, conditions: {field: owner, operator: in, value: ["+strings.Repeat("a,", 900)+"]}}\n", 1),
		"fine: branches of before":    rules(900, "  - {name: r%d, decision: deny, conditions: {field: parameters.branch_name, operator: equals, value: main%[1]d}}"),
		"windows":                     rules(1000, "  - {name: r%d, decision: deny, conditions: {field: time, operator: time_window, value: \"0:0-25:00 ../../etc/passwd\"}}"),
	}
}

// Each is read in a process of its own, so that what it takes can be told from
// what the others do.
func TestHostileDocumentsAreRefusedSoonAndCheaply(t *testing.T) {
	t.Parallel()

	if name := os.Getenv("HOSTILE_DOCUMENT"); name != "" {
		fmt.Println("measured", measured(name))
		return
	}
	for name := range hostile() {
		t.Run(name, func(t *testing.T) {
			took, memory, says := child(t, name)
			t.Logf("%v, %d MB, %.100s", took, memory, says)
			if took == 0 || took > slower*time.Second || memory > slower*64 {
				t.Errorf("%v and %d MB, want at most 1s and 64 MB", took, memory)
			}
			if accepted := says == "accepted"; accepted != strings.HasPrefix(name, "fine: ") {
				t.Errorf("it is %.200s", says)
			}
		})
	}
}

// child reads a document in a process of its own.
func child(t *testing.T, name string) (took time.Duration, memory int, says string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileDocumentsAreRefusedSoonAndCheaply$", "-test.v")
	cmd.Env = append(os.Environ(), "HOSTILE_DOCUMENT="+name, "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	_, found, ok := strings.Cut(string(out), "measured ")
	line, _, _ := strings.Cut(found, "\n")
	parts := strings.SplitN(line, " ", 3)
	if err != nil || !ok || len(parts) != 3 {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	if took, err = time.ParseDuration(parts[0]); err != nil {
		t.Fatal(err)
	}
	if memory, err = strconv.Atoi(parts[1]); err != nil {
		t.Fatal(err)
	}
	// The machine may have had something else to do meanwhile.
	took = min(took, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return took, memory, parts[2]
}

// measured reads one, and says how long it took, how many MB the heap had at
// its largest, and the first sentence about it.
func measured(name string) string {
	text := []byte(hostile()[name])
	document.Parse("p.yaml", []byte("name: p\nrules: [{name: a, decision: deny, when: 'true'}]\n"), known) //nolint:errcheck // what is made once
	known.Params("github", "github.*")
	runtime.GC()
	debug.SetGCPercent(50)
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	largest, stop, stopped := uint64(0), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			largest = max(largest, now.HeapAlloc)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	start := time.Now()
	_, err := document.Parse("p.yaml", text, known)
	took := time.Since(start)
	close(stop)
	<-stopped
	says := "accepted"
	if err != nil {
		says, _, _ = strings.Cut(fault.Message(err), "\n")
	}
	return fmt.Sprint(took, " ", (int64(largest)-int64(before.HeapAlloc))>>20, " ", says)
}
