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
	RequestID   string `json:"request_id,omitempty"`
	ApprovalID  string `json:"approval_id,omitempty"`
	ApprovalURL string `json:"approval_url,omitempty"`
	Suggestion  string `json:"suggestion,omitempty"`
}

func (p Problem) sentence() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

func (p Problem) generic() (string, []byte) {
	body, err := json.Marshal(p)
	if err != nil { // strings and a number always marshal
		return "text/plain; charset=utf-8", []byte(p.text())
	}
	return "application/problem+json", body
}

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
