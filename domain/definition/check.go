package definition

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/fault"
)

// Problem is something in a definition that cannot stay.
type Problem struct {
	Operation int    // from 0; -1 for what is said of the whole
	Form      string // of that operation: "POST /invoices"
	Field     string // "action"; "" where it is none in particular
	Message   string // a sentence
}

func (p Problem) String() string {
	if p.Operation < 0 {
		return p.Message
	}
	return fmt.Sprintf("Operation %d (%s): %s", p.Operation+1, p.Form, p.Message)
}

const (
	maxOperations = 2000
	maxName       = 63
	maxAction     = 200
	maxPath       = 500
	maxText       = 200
	maxHosts      = 50
	maxParams     = 16
	maxEnv        = 5
	maxCaptures   = 8
	maxConditions = 4
	maxProblems   = 20 // in one message
)

// Err returns problems as one fault.Invalid, or nil.
func Err(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var b strings.Builder
	for i, p := range problems {
		if i == maxProblems {
			fmt.Fprintf(&b, "\n… and %d more.", len(problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return fault.New(fault.Invalid, b.String(), nil)
}

// Check returns what is wrong with d, which is as Plain makes it. Its hosts are
// for connectors to look at.
func (d Definition) Check() []Problem {
	c := &checking{d: d}
	c.head()
	if len(d.Operations) == 0 {
		c.bad(-1, "operations", "Name at least one operation.")
	}
	if len(d.Operations) > maxOperations {
		c.bad(-1, "operations", fmt.Sprintf("There are %d operations; a connector type has at most %d.", len(d.Operations), maxOperations))
		return c.problems
	}
	for i, o := range d.Operations {
		c.operation(i, o)
	}
	c.together()
	return c.problems
}

type checking struct {
	d        Definition
	problems []Problem
}

func (c *checking) bad(operation int, field, message string) {
	p := Problem{Operation: operation, Field: field, Message: message}
	if operation >= 0 {
		p.Form = shown(c.d.Operations[operation].Form())
	}
	c.problems = append(c.problems, p)
}

var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$`)

func (c *checking) head() {
	d := c.d
	if !names.MatchString(d.Name) || len(d.Name) > maxName {
		c.bad(-1, "name", "A connector type's name is 1 to 63 of a-z, 0-9, dash and underscore, and begins and ends with a letter or digit.")
	}
	if !plainText(d.Title) {
		c.bad(-1, "title", "A title is at most 200 bytes of plain text in one line.")
	}
	if u, err := url.Parse(d.Docs); d.Docs != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !plainText(d.Docs)) {
		c.bad(-1, "docs", "The documentation is an address that begins with https://.")
	}
	if len(d.Hosts) > maxHosts {
		c.bad(-1, "hosts", "A connector type has at most 50 hosts.")
	}
	if err := d.Auth.Check(); err != nil {
		c.bad(-1, "auth", fault.Message(err))
	}
	if d.Base != "" {
		if sentence := CheckPath(d.Base); sentence != "" || strings.Contains(d.Base, "...}") {
			c.bad(-1, "base", "What all paths begin with is written like /api/v1.")
		}
	}
	if len(d.Env) > maxEnv {
		c.bad(-1, "env", "At most 5 variables are set.")
	}
	for _, name := range d.Env {
		if !keyVariable(name) {
			c.bad(-1, "env", "“"+shown(name)+"” is not the name of a variable for a key. It is in capitals and ends in KEY, TOKEN, SECRET, PASSWORD, PAT or CREDENTIALS, and is not one that changes how programs run.")
		}
	}
}

var variable = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,60}(KEY|TOKEN|SECRET|PASSWORD|PAT|CREDENTIALS)$`)

// keyVariable reports whether clients may look for a key in a variable called
// name. Those that change how a program runs are none.
func keyVariable(name string) bool {
	if !variable.MatchString(name) {
		return false
	}
	for _, prefix := range []string{"LD_", "DYLD_", "TAMEFLARE_", "GIT_", "NODE_", "NPM_", "PYTHON", "RUBY", "PERL", "JAVA", "GO", "BASH", "SSL_", "SSH_", "XDG_", "DBUS_", "TF_"} {
		if strings.HasPrefix(name, prefix) && (prefix != "GO" || len(name) > 2 && !strings.HasPrefix(name, "GOO")) {
			return false
		}
	}
	return true
}

func plainText(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// shown makes what somebody wrote fit for a message.
func shown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= 80 {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"}

func (c *checking) operation(i int, o Operation) {
	if !slices.Contains(methods, o.Method) {
		c.bad(i, "method", "The method is GET, POST, PUT, PATCH, DELETE, OPTIONS or QUERY. HEAD is what GET is.")
	}
	if sentence := CheckPath(o.Path); sentence != "" {
		c.bad(i, "path", sentence)
		return // what follows looks at the names in it
	}
	captures := Captures(c.d.Base + o.Path)
	if len(captures) > maxCaptures {
		c.bad(i, "path", "A path has at most 8 names in braces.")
	}
	for j, name := range captures {
		if slices.Contains(captures[:j], name) {
			c.bad(i, "path", "The path has the name “"+name+"” twice.")
		}
	}
	c.action(i, o.Action)
	c.when(i, o.When)
	c.params(i, o.Params, captures)
	c.resource(i, o.Resource, captures)
	c.title(i, o)
}

func (c *checking) action(i int, name string) {
	words := strings.Split(name, ".")
	switch {
	case name == "":
		c.bad(i, "action", "It has no action. Write it as "+c.d.Name+".resource.verb.")
	case len(name) > maxAction:
		c.bad(i, "action", "An action's name has at most 200 bytes.")
	case len(words) != 3 || !names.MatchString(words[1]) || !names.MatchString(words[2]):
		c.bad(i, "action", "“"+shown(name)+"” is not an action. Write it as "+c.d.Name+".resource.verb, in a-z, 0-9, dash and underscore.")
	case words[0] != c.d.Name:
		c.bad(i, "action", "The action "+shown(name)+" does not begin with "+c.d.Name+".")
	case words[1] == "other" && words[2] == "get":
		c.bad(i, "action", "The action "+name+" is what reading anything else is called. Choose another.")
	}
}

// CheckPath says what is wrong with a path, "" where nothing is.
func CheckPath(path string) string {
	switch {
	case path == "/":
		return ""
	case len(path) > maxPath:
		return "A path has at most 500 bytes."
	case !strings.HasPrefix(path, "/"):
		return "A path begins with a slash."
	case strings.ContainsAny(path, "?#"):
		return "A path has no query; tell operations apart by it with when: ?name=value."
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if sentence := checkSegment(s, i == len(segments)-1); sentence != "" {
			return sentence
		}
	}
	return ""
}

var capture = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

func checkSegment(s string, last bool) string {
	name, named := strings.CutPrefix(s, "{")
	switch {
	case s == "":
		return "The path has two slashes together."
	case s == "." || s == "..":
		return "The path has . or .. in it; write out where it leads."
	case !named && strings.ContainsAny(s, "{}"):
		return "Between two slashes there is either text or one name in braces, not both: “" + shown(s) + "”."
	case !named && (strings.ContainsAny(s, "%\\;") || !plainText(s) || strings.TrimSpace(s) != s):
		return "Write the path without escapes, spaces at an end, semicolons and backslashes: “" + shown(s) + "”."
	case !named:
		return ""
	}
	name, closed := strings.CutSuffix(name, "}")
	name, rest := strings.CutSuffix(name, "...")
	switch {
	case !closed || !capture.MatchString(name):
		return "A name in a path is written like {invoice}, of letters, digits, dot, dash and underscore: “" + shown(s) + "”."
	case rest && !last:
		return "What takes the rest of the path stands at its end: “" + shown(s) + "”."
	}
	return ""
}

// Captures returns the names in a path, from left to right.
func Captures(path string) []string {
	var all []string
	for s := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			all = append(all, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return all
}

// Shape is what operations of one form have in common: the method, and the
// path whatever its names are called.
func Shape(method, path string) string {
	segments := strings.Split(strings.ToLower(strings.Trim(path, "/")), "/")
	for i, s := range segments {
		switch {
		case strings.HasSuffix(s, "...}"):
			segments[i] = "{...}"
		case strings.HasPrefix(s, "{"):
			segments[i] = "{}"
		}
	}
	return method + " /" + strings.Join(segments, "/")
}
