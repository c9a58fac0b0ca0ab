package views

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tameflare/tameflare/connectors/lookup"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// Catalogue is what the connectors know: their types, or the actions that a
// filter has found.
type Catalogue struct {
	Types   []CatalogueType
	Total   int // actions of all types
	Filter  CatalogueFilter
	Choices []Option // types

	Listing bool // actions are listed, and not types
	Found   []*lookup.Action
	Count   int // how many the filter has found
	From    int // which of them is the first on this page, from 1
	Query   string

	Previous, Next string
}

// CatalogueFilter is the filter as it stands in the form.
type CatalogueFilter struct{ Text, Type, Class, Risk string }

// CatalogueType is a type, and which of the team's gateways use it.
type CatalogueType struct {
	lookup.Type
	Gateways []Link
}

// CatalogueAction is all that is known of one action.
type CatalogueAction struct {
	*lookup.Action
	BackURL string
}

// classes are in the order of how much they change.
var classes = []action.Class{action.Read, action.Write, action.Delete, action.Admin}

// classState says what class an action has. It is no decision, and so it has
// no colour.
func classState(c action.Class) state {
	switch c {
	case action.Read:
		return state{"", "eye", "Read"}
	case action.Write:
		return state{"", "pencil", "Write"}
	case action.Delete:
		return state{"", "trash-2", "Delete"}
	case action.Admin:
	}
	return state{"", "shield-alert", "Admin"}
}

func classText(c action.Class) string { return upper(c.String()) }

func riskWord(r action.Risk) string { return upper(r.String()) }

func classHelp(c action.Class) string {
	switch c {
	case action.Read:
		return "Looks, and changes nothing."
	case action.Write:
		return "Makes or changes something."
	case action.Delete:
		return "Removes something."
	case action.Admin:
	}
	return "Changes who may do what, or hands out keys."
}

func reversibleText(a action.Class, reversible bool) string {
	switch {
	case a == action.Read:
		return "Nothing is changed"
	case reversible:
		return "Yes"
	}
	return "No"
}

func countOf(n int) string {
	if n == 0 {
		return "–"
	}
	return strconv.Itoa(n)
}

// formsText says in how many ways an action can be asked for.
func formsText(n int) string {
	if n == 0 {
		return "–"
	}
	return number(int64(n))
}

func foundText(c Catalogue) string {
	switch {
	case c.Count == 0:
		return "No actions"
	case c.Count == len(c.Found):
		return count(int64(c.Count), "action")
	}
	return number(int64(c.From)) + "–" + number(int64(c.From+len(c.Found)-1)) + " of " + count(int64(c.Count), "action")
}

func actionURL(a *lookup.Action, query string) string {
	return withQuery("/connectors/"+url.PathEscape(a.Type.Name)+"/"+url.PathEscape(a.Operation.Action), query)
}

func typeURL(name string) string { return withParam("/connectors", "type", name) }

// hostsText is where a service lives.
func hostsText(hosts []string) string {
	if len(hosts) == 0 {
		return "The hosts that you name"
	}
	return strings.Join(hosts, ", ")
}

// Trial is a pasted command and what there is to say about it. Nothing that may
// be a key is in it.
type Trial struct {
	Gateways []Option
	Gateway  string // chosen
	Error    string // why the command cannot be read
	Answer   *TrialAnswer
}

// TrialAnswer says what a request would do, and what would be decided.
type TrialAnswer struct {
	Sentence  string // "merge acme/site#12"
	Malformed string // why a gateway would not take the request; then nothing else is known
	Notes     []string

	Method, Host, Path string
	Parameters         []string // names in the query
	Headers            []string // names
	Body               string   // how much of it there is
	Left               bool     // something that could be a key was left out

	Connector string // the type's title
	Nobody    bool   // no connector answers for the host
	Action    action.Action
	URL       string // the action's page
	Params    []TrialParam

	Decision *TrialDecision
}

// TrialParam is something that a rule may look at.
type TrialParam struct {
	Name, Value string
	Unknown     bool
}

// TrialDecision is what a gateway would do with it.
type TrialDecision struct {
	Gateway string
	State   string // "allow", "deny", "require_approval", "kill_switch", "flagged"
	By      string
	Rule    string
	Reason  string
	Would   string // at full enforcement, where that differs
	Told    string // what the client gets

	Approval string // who has to agree, and for how long that takes; "" where nobody has to
	Why      Why
}

func trialState(d TrialDecision) state {
	switch d.State {
	case "allow":
		return allowed
	case "require_approval":
		return held
	case "kill_switch":
		return killed
	case "flagged":
		return monitored
	}
	return denied
}

// EffectWords says in lower case what a decision does.
func EffectWords(e policy.Effect) string { return lowerFirst(effectState(e).word) }

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}
