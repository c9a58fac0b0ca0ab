package views

import (
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// holdText says how long a request of a rule waits for a person.
func holdText(r fleet.Rule) string {
	if r.Effect != policy.RequireApproval {
		return ""
	}
	hold, ttl := policy.DefaultHold, policy.DefaultTTL
	if r.HoldMS >= 0 {
		hold = time.Duration(r.HoldMS) * time.Millisecond
	}
	if r.TTLMS > 0 {
		ttl = time.Duration(r.TTLMS) * time.Millisecond
	}
	text := "holds " + Duration(hold) + ", asks for " + spanText(ttl)
	if r.Approvers != (policy.Approvers{}) {
		text += "; takes " + r.Approvers.String()
	}
	return text
}

func enforcementHelp(e policy.Enforcement) string {
	switch e {
	case policy.Monitor:
		return "Everything passes; what would be stopped is marked."
	case policy.SoftEnforce:
		return "A rule's deny stands. The rest passes, and is marked."
	case policy.FullEnforce:
	}
	return "Decisions stand."
}

// Duration writes d as people type it: "2m", not "2m0s".
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
