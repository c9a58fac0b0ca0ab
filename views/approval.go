package views

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
)

// Card is one approval as it stands before somebody in particular.
type Card struct {
	approval.Approval
	Now       time.Time
	MayDecide bool
	MayManage bool
	Refused   string // why they cannot approve it; "" where they can
	Confirm   bool   // they have to show who they are before they approve it
	Several   bool   // it may be decided together with others like it
	Like      int    // how many others like it wait on the page
	LikeURL   string // where all of them are
	Note      string // why it is not as its reader left it
	Facts     *Facts // nil: they are read once the card is looked at
	Alone     bool   // on a page of its own
}

// Facts is what is known of a held request beyond its row.
type Facts struct {
	Parts   []show.Part
	Body    string   // what to know about the body besides
	Asked   *WhyRule // what asked
	RuleURL string   // where that access rule is
	Before  approval.History
	RuleFor string // where a rule would be made of it; "" for none
	Bytes   string // where its exact bytes are; "" for none
}

// path is the address of the card's page, or of one below it.
func (c Card) path(below string) string { return "/approvals/" + c.ID + below }

// key is what cards have in common that can be decided together.
func (c Card) key() string { return c.GatewayID + " " + c.Action.Name }

// name is what the card is called where it cannot be seen.
func (c Card) name() string {
	return Visible(c.GatewayName, 60) + " wants to " + Visible(c.Sentence, 120)
}

// said is the sentence about a request in three parts, the middle one being
// what it is about. Each is as a person may safely read it.
func said(a approval.Approval) (before, resource, after string) {
	const most = 300
	i := -1
	if a.Action.Resource != "" {
		i = strings.Index(a.Sentence, a.Action.Resource)
	}
	if i < 0 || len(a.Sentence) > most {
		return Visible(a.Sentence, most), "", ""
	}
	end := i + len(a.Action.Resource)
	return Visible(a.Sentence[:i], most), Visible(a.Sentence[i:end], most), Visible(a.Sentence[end:], most)
}

// riskState is how much a request can break.
func riskState(r action.Risk) state {
	switch r {
	case action.Low:
		return state{"", "shield-check", "Low risk"}
	case action.Medium:
		return state{"", "shield", "Medium risk"}
	case action.High:
		return state{"state-held", "triangle-alert", "High risk"}
	case action.Critical:
	}
	return state{"state-denied", "flame", "Critical risk"}
}

// undoState is whether what a request does can be taken back.
func undoState(a action.Action) state {
	switch {
	case a.Class == action.Read:
		return state{"", "eye", "Only reads"}
	case a.Reversible:
		return state{"", "rotate-ccw", "Can be undone"}
	}
	return state{"state-held", "ban", "Cannot be undone"}
}

// choices are the ways to approve a request for longer than once.
var choices = []struct {
	Value, Text string
}{
	{"approve-15m", "Approve the same for 15 minutes"},
	{"approve-1h", "Approve the same for 1 hour"},
	{"approve-8h", "Approve the same for 8 hours"},
}

// shortPrint is the beginning of a fingerprint, enough to compare two screens.
func shortPrint(s string) string {
	if len(s) < 12 {
		return Visible(s, 12)
	}
	return s[:4] + " " + s[4:8] + " " + s[8:12]
}

// beforeText says what the same gateway asked of the same before.
func beforeText(h approval.History) string {
	if h.Asked == 0 {
		return "Never in the last 30 days."
	}
	var ends []string
	for _, e := range []struct {
		n    int
		word string
	}{{h.Approved, "approved"}, {h.Denied, "denied"}, {h.Expired, "expired"}} {
		if e.n > 0 {
			ends = append(ends, number(int64(e.n))+" "+e.word)
		}
	}
	s := count(int64(h.Asked), "time") + " in the last 30 days"
	if len(ends) > 0 {
		s += ": " + strings.Join(ends, ", ")
	}
	return s + "."
}

// readable is a text of an agent's, line by line, as it may safely be read.
func readable(s string) string {
	const most, wide = 400, 2000
	all := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	more := len(all) - most
	if more > 0 {
		all = all[:most]
	}
	for i, l := range all {
		all[i] = strings.ReplaceAll(Visible(strings.ReplaceAll(l, "\t", "    "), wide), "⟨U+000D⟩", "⟨CR⟩")
	}
	if more > 0 {
		all = append(all, fmt.Sprintf("… (%d more lines)", more))
	}
	return strings.Join(all, "\n")
}

// diffClass is the class of a line of a diff, and diffSign what stands before it.
func diffClass(mark string) string {
	switch mark {
	case show.Added:
		return "new"
	case show.Removed:
		return "old"
	case show.Hunk, show.File:
		return "place"
	}
	return ""
}

func diffSign(mark string) string {
	switch mark {
	case show.Added, show.Removed:
		return mark
	}
	return " "
}

// exactly spells out what a grant is bound to.
func exactly(a approval.Approval) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", Visible(a.Method, 20), Visible(a.URL, 4000))
	names := make([]string, 0, len(a.Action.Params))
	for name := range a.Action.Params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", Visible(name, 100), Visible(fmt.Sprint(a.Action.Params[name]), 500))
	}
	for _, name := range a.Action.Unknown {
		if name == "*" {
			b.WriteString("What else it says could not be read.\n")
			continue
		}
		fmt.Fprintf(&b, "%s: could not be read\n", Visible(name, 100))
	}
	for _, or := range a.Action.Or {
		fmt.Fprintf(&b, "may also be: %s (%s)\n", Visible(or.Name, 100), or.Class)
	}
	if a.BodySize > 0 {
		fmt.Fprintf(&b, "body: %s, SHA-256 %s\n", bytesText(a.BodySize), a.BodyDigest)
	} else {
		b.WriteString("body: none\n")
	}
	fmt.Fprintf(&b, "fingerprint: %s", a.Fingerprint)
	return b.String()
}

// outcomeText says what became of a decided request.
func outcomeText(a approval.Approval, now time.Time) string {
	s := ""
	switch a.Status {
	case approval.Approved:
		s = "Good for this one request, once, for " + spanText(a.TTL) + ". It goes out as soon as the agent asks."
	case approval.Executed:
		s = "The request was sent. It cannot be taken back here."
		if a.Upstream > 0 {
			s = fmt.Sprintf("The request was sent; the service answered %d. It cannot be taken back here.", a.Upstream)
		}
	case approval.Denied:
		return "The request was not sent."
	case approval.Cancelled:
		return Visible("Cancelled before it was sent. "+a.Note, 500)
	case approval.Expired, approval.Unused, approval.Pending:
		s = a.Settled()
	}
	if a.Repeating(now) {
		s += " The same request is approved until " + a.RepeatUntil.UTC().Format("15:04") + " UTC."
	}
	return s
}

func secs(d time.Duration) string { return fmt.Sprintf("%d", max(int64(d/time.Second), 0)) }

// Spelled is text byte for byte: what would not be seen in a line is spelled out.
func Spelled(b []byte) string {
	var out strings.Builder
	for line := range strings.SplitSeq(string(b), "\n") {
		out.WriteString(Visible(line, len(line)))
		out.WriteByte('\n')
	}
	return strings.TrimSuffix(out.String(), "\n")
}
