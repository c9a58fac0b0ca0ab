package connectors_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

const (
	bounded   = 60_000 // cases, where nobody asks for more
	perPlain  = 8      // spellings of one request
	perRules  = 2      // sets of rules for one request
	maxShown  = 10     // violations
	someRules = 6
)

// TestNoSpellingIsLooser writes requests of every form of every type in other
// ways. Each must be refused, or be of a class, and under any rules get a
// decision, that is no looser than the one of the plain spelling. SPELLINGS
// says how many cases; a case has the same number in every run.
func TestNoSpellingIsLooser(t *testing.T) {
	t.Parallel()

	cases := int64(bounded)
	if s := os.Getenv("SPELLINGS"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("SPELLINGS: %v", err)
		}
		cases = n
	}
	all := forms(t)
	set := everyType(t)
	var next, made, refused, unknown, violations atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for violations.Load() < maxShown {
				n := next.Add(1) - 1
				if n*perPlain >= cases {
					return
				}
				s := subject(t, all[n%int64(len(all))], n)
				if s == nil {
					violations.Add(1)
					continue
				}
				for i := range int64(perPlain) {
					how, problem := s.respell(set, n*perPlain+i)
					made.Add(1)
					switch how {
					case isRefused:
						refused.Add(1)
					case isUnknown:
						unknown.Add(1)
					case isNamed:
					}
					if problem != "" {
						violations.Add(1)
						t.Errorf("case %d: %s", n*perPlain+i, problem)
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d cases of %d forms: %d were refused, %d hid something, %d violations", made.Load(), len(all), refused.Load(), unknown.Load(), violations.Load())
}

// plainly is a request with what is known and decided of its plain spelling.
type plainly struct {
	form
	plain
	seed    uint64
	act     action.Action
	engines []*policy.Engine
}

// subject makes the n-th request. Its plain spelling must be named as the
// table has it; it is nil, and t has failed, where it is not.
func subject(t *testing.T, f form, n int64) *plainly {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	s := &plainly{form: f, seed: uint64(n)}
	s.plain = f.request(rng)
	r := s.plain.written()
	a, err := f.c.Read(r)
	if err != nil || a.Name != f.does[0].name {
		t.Errorf("%s: %s, %v, want %s", show(r, s.plain.sent), a.Name, err, f.does[0].name)
		return nil
	}
	s.act = a
	for range perRules {
		engine, err := policy.Compile(policy.Settings{Rules: rules(rng, a)})
		if err != nil {
			t.Errorf("rules: %v", err)
			return nil
		}
		s.engines = append(s.engines, engine)
	}
	return s
}

type outcome int

const (
	isNamed outcome = iota
	isUnknown
	isRefused
)

// respell writes the request in another way, and says what is wrong about what
// becomes of it.
func (s *plainly) respell(set *connectors.Set, number int64) (outcome, string) {
	rng := rand.New(rand.NewPCG(2, uint64(number)))
	p := s.form.request(rand.New(rand.NewPCG(1, s.seed)))
	p.how.rng = rng
	var names []string
	var after []respelling
	for _, i := range rng.Perm(len(respellings))[:1+rng.IntN(3)] {
		one := respellings[i]
		if one.after != nil {
			after = append(after, one)
		} else if one.before(rng, &p) {
			names = append(names, one.name)
		}
	}
	r := p.written()
	for _, one := range after {
		if one.after(rng, &p, &r) {
			names = append(names, one.name)
		}
	}
	host := pick(rng, r.Host, strings.ToUpper(r.Host), r.Host+".", strings.ToUpper(r.Host[:2])+r.Host[2:]+".")
	if c := set.For(host); len(placeHosts[s.row().service]) > 0 && (c == nil || c.Name() != s.form.c.Name()) {
		return isNamed, fmt.Sprintf("%s is not the host of %s", host, s.form.c.Name())
	}
	a, err := s.form.c.Read(r)
	if err != nil {
		if fault.Of(err) != fault.Invalid || !strings.HasSuffix(fault.Message(err), ".") {
			return isRefused, fmt.Sprintf("%s, by %q: %v, want a sentence", show(r, p.sent), names, err)
		}
		return isRefused, ""
	}
	how := isNamed
	if len(a.Unknown) > len(s.act.Unknown) || a.Name != s.act.Name {
		how = isUnknown
	}
	was := func() string {
		w := s.plain.written()
		return fmt.Sprintf("%s\nby %q is %+v\nand %s\nis %+v", show(r, p.sent), names, a, show(w, s.plain.sent), s.act)
	}
	if loosest(a) > loosest(s.act) {
		return how, "a looser class: " + was()
	}
	for _, engine := range s.engines {
		typ := s.form.c.Type().Name
		d, than := engine.Decide(policy.Question{Action: a, Type: typ}), engine.Decide(policy.Question{Action: s.act, Type: typ})
		if d.Effect > than.Effect {
			return how, fmt.Sprintf("%v by %s, it was %v by %s: %s", d.Effect, cmp.Or(d.Rule, "default"), than.Effect, cmp.Or(than.Rule, "default"), was())
		}
	}
	return how, ""
}

func (s *plainly) row() row { return s.form.row }

// loosest is the class that counts: that of the strictest of what it may be.
func loosest(a action.Action) action.Class {
	class := a.Class
	for _, or := range a.Or {
		class = min(class, or.Class)
	}
	return class
}

func show(r connectors.Request, body []byte) string {
	return fmt.Sprintf("%s %s%s?%s %v %.600q", r.Method, r.Host, r.Path, r.RawQuery, r.Header, body)
}

// rules are made up about what is known of a request.
func rules(rng *rand.Rand, a action.Action) []policy.Rule {
	word, rest, _ := strings.Cut(a.Name, ".")
	noun, verb, _ := strings.Cut(rest, ".")
	var known []string
	for name := range a.Params {
		known = append(known, name)
	}
	slices.Sort(known)
	known = append(known, policy.OnResource)
	var all []policy.Rule
	for i := range 1 + rng.IntN(someRules) {
		pattern := pick(rng, a.Name, a.Name, word+".*", "*", word+"."+noun+".*", word+".unknown", word+".other.get", word+".*."+verb, word+"."+noun+".other")
		if verb == "" { // of two words
			pattern = pick(rng, a.Name, word+".*", "*", word+".unknown")
		}
		r := policy.Rule{ID: fmt.Sprint(i), Connector: a.Connector, Pattern: action.Pattern(pattern), Effect: policy.Effect(rng.IntN(3))}
		if rng.IntN(4) == 0 {
			class := []action.Class{action.Admin, action.Delete, action.Write, action.Read, a.Class, a.Class}[rng.IntN(6)]
			r.Class = &class
		}
		for range rng.IntN(3) {
			name := known[rng.IntN(len(known))]
			if r.When == nil {
				r.When = policy.Limits{}
			}
			r.When[name] = []string{glob(rng, a, name)}
		}
		all = append(all, r)
	}
	return all
}

func glob(rng *rand.Rand, a action.Action, name string) string {
	value := a.Resource
	if name != policy.OnResource {
		value = text(a.Params[name])
		if list, ok := a.Params[name].([]string); ok {
			value = list[rng.IntN(len(list))]
		}
	}
	if value == "" || strings.Contains(value, "*") {
		value = "x"
	}
	return pick(rng, value, value, value+"*", "*", "zz*", string([]rune(value)[:1])+"*")
}

func TestOddPathsAreRefusedWithASentence(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	for name, path := range map[string]string{
		"no slash":                "repos/acme/site",
		"a bad escape":            "/repos/acme/%zz",
		"half an escape":          "/repos/acme/site%2",
		"two slashes":             "/repos//acme/site",
		"two slashes at the end":  "/repos/acme/site//",
		"a dot":                   "/repos/./acme/site",
		"two dots":                "/repos/acme/x/../site",
		"escaped dots":            "/repos/acme/x/%2e%2E/site",
		"dots behind a slash":     "/repos/acme/site/contents/a%2F..%2Fb",
		"a backslash":             "/repos/acme\\site",
		"an escaped backslash":    "/repos/acme%5Csite",
		"a NUL":                   "/repos/acme/site%00",
		"a line break":            "/repos/acme/site/contents/a%0A",
		"invalid UTF-8":           "/repos/acme/site/contents/%ff",
		"escaped twice":           "/repos/acme/site/contents/%252e%252e",
		"a space at an end":       "/repos/acme/site/pulls/12/merge%20",
		"a semicolon":             "/repos/acme/site/contents/a;b",
		"a slash in the repo":     "/repos/acme%2Fsite/pulls/12/merge",
		"a slash in the verb":     "/repos/acme/site/pulls/12%2Fmerge",
		"a parameter in the repo": "/repos/acme/site;x/pulls/12/merge",
		"a number with a space":   "/repos/acme/site/pulls/12%20/merge",
		"a number with a sign":    "/repos/acme/site/pulls/+12/merge",
		"a number with a zero":    "/repos/acme/site/pulls/012/merge",
	} {
		a, err := c.Read(connectors.Request{Method: "PUT", Host: "api.github.com", Path: path, Body: connectors.Whole(nil)})
		if fault.Of(err) != fault.Invalid || !strings.HasSuffix(fault.Message(err), ".") {
			t.Errorf("%s: %s, %v, want fault.Invalid", name, a.Name, err)
		}
	}
	for name, r := range map[string]connectors.Request{
		"no method":           {Method: ""},
		"a method of two":     {Method: "GET PUT"},
		"an override":         {Method: "POST", Header: http.Header{"X-Http-Method-Override": {"DELETE"}}},
		"an override, second": {Method: "POST", Header: http.Header{"X-Http-Method": {"POST", "DELETE"}}},
		"an override, query":  {Method: "POST", RawQuery: "a=b&_method=delete"},
		"a broken query":      {Method: "GET", RawQuery: "service=%zz"},
	} {
		r.Host, r.Path = "github.com", "/acme/site/info/refs"
		if a, err := one(t, "github").Read(r); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %s, %v, want fault.Invalid", name, a.Name, err)
		}
	}
	r := connectors.Request{Method: "GET", Host: "github.com", Path: "/acme/site/info/refs", RawQuery: "service=git-upload-pack&service=git-receive-pack"}
	if a, err := c.Read(r); fault.Of(err) != fault.Invalid {
		t.Errorf("two services: %s, %v, want fault.Invalid", a.Name, err)
	}
}
