package connectors

import (
	"encoding/json"
	"strings"
)

// Problem is what a client is told when its request is not forwarded: an RFC
// 9457 problem with members of ours. Nothing in it is secret or comes from the
// service behind.
type Problem struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail"`
	Instance    string `json:"instance,omitempty"`
	Code        string `json:"code"`
	Decision    string `json:"decision,omitempty"`
	Action      string `json:"action,omitempty"`
	Rule        string `json:"rule,omitempty"`
	Policy      string `json:"policy,omitempty"`      // the name of the policy that decided
	PolicyRule  string `json:"policy_rule,omitempty"` // and of its rule
	PolicyLine  int    `json:"policy_line,omitempty"` // where that stands in its document, from 1
	RequestID   string `json:"request_id,omitempty"`
	ApprovalID  string `json:"approval_id,omitempty"`
	ApprovalURL string `json:"approval_url,omitempty"` // where a person decides
	StatusURL   string `json:"status_url,omitempty"`   // where the client asks what has become of it
	ExpiresAt   string `json:"expires_at,omitempty"`   // of an approval that waits, as RFC 3339 has it
	Decider     string `json:"decider,omitempty"`      // who decided, and what they said
	Reason      string `json:"reason,omitempty"`
	Suggestion  string `json:"suggestion,omitempty"`
}

func (p Problem) sentence() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

func (p Problem) generic() Reply { return p.shaped("application/problem+json", p) }

// shaped writes body, which has the problem's fields among others.
func (p Problem) shaped(contentType string, body any) Reply {
	b, err := json.Marshal(body)
	if err != nil { // strings and numbers always marshal
		return p.plain()
	}
	return Reply{ContentType: contentType, Body: b}
}

func (p Problem) plain() Reply {
	return Reply{ContentType: "text/plain; charset=utf-8", Body: []byte(p.text())}
}

// plainJSON is the content type of shaped refusals: some SDKs read no other.
const plainJSON = "application/json; charset=utf-8"

// text is p for a reader at a terminal.
func (p Problem) text() string {
	lines := []string{"TameFlare: " + p.sentence()}
	for _, line := range []struct{ label, value string }{
		{"", p.Suggestion}, {"Action: ", p.Action}, {"Approval: ", p.ApprovalURL}, {"Request: ", p.RequestID},
	} {
		if line.value != "" {
			lines = append(lines, line.label+line.value)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
