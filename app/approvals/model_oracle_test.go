package approvals_test

import (
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// card is what the oracle knows of one approval.
type card struct {
	id       string
	request  byte
	terms    policy.Approvers
	critical bool
	status   approval.Status
	ttl      time.Duration
	created  time.Time
	expires  time.Time
	decided  time.Time
	until    time.Time // what was approved for a while
	by       int       // who settled it, -1 for nobody
	agreed   []int
	repeats  string
	sent     int // how often it let a request through
	events   []string
}

func (c *card) open() bool { return c.status == approval.Pending || c.status == approval.Approved }

func (c *card) wanted() int { return max(c.terms.Count, 1) }

func (c *card) repeatable() bool { return c.wanted() == 1 && !c.terms.StepUp && !c.critical }

func (c *card) repeating(now time.Time) bool {
	granted := c.status == approval.Approved || c.status == approval.Executed || c.status == approval.Unused
	return granted && now.Before(c.until)
}

func (c *card) become(s approval.Status) {
	c.status = s
	c.events = append(c.events, "approval."+string(s))
}

func (c *card) lapse(now time.Time) {
	switch {
	case !c.open() || now.Before(c.expires):
	case c.status == approval.Pending:
		c.become(approval.Expired)
	default:
		c.become(approval.Unused)
	}
}

// oracle says what should become of approvals, in as few words as it can. It
// shares no rule with the program.
type oracle struct {
	cards   []*card
	roles   [4]team.Role
	release [4]bool // who is in the group
	own     int     // whose the runs are, -1 for nobody's
	killed  bool
	revoked bool
}

const fine = fault.Internal // stands for no error here

func (o *oracle) may(p int, t policy.Approvers) bool {
	r := o.roles[p]
	role := r == team.RoleOwner || r == team.RoleAdmin || r == team.RoleMember && t.Role == ""
	return role && (t.Group == "" || o.release[p]) && (!t.NotSelf || o.own >= 0 && o.own != p)
}

func (o *oracle) allMay(people []int, t policy.Approvers) bool {
	return !slices.ContainsFunc(people, func(p int) bool { return !o.may(p, t) })
}

func (c *card) givers() []int {
	if slices.Contains(c.agreed, c.by) || c.by < 0 {
		return c.agreed
	}
	return append(slices.Clone(c.agreed), c.by)
}

// met is the card that a request meets, or nil; over is one that gives way to
// a new one.
func (o *oracle) met(request byte, now time.Time) (met, over *card) {
	for _, c := range o.cards {
		switch {
		case c.request != request:
		case c.open() && now.Before(c.expires), c.status == approval.Denied && now.Sub(c.decided) < time.Minute:
			met = c
		case c.open():
			over = c
		}
	}
	return met, over
}

func (o *oracle) ask(request byte, t policy.Approvers, ttl time.Duration, now time.Time) (*card, fault.Kind) {
	met, over := o.met(request, now)
	switch {
	case met != nil:
		return met, fine
	case o.revoked || o.killed:
		return nil, fault.Forbidden
	case over != nil:
		over.lapse(now)
	}
	c := &card{
		request: request, terms: t, critical: request == 'd', status: approval.Pending, ttl: ttl,
		created: now, expires: now.Add(ttl), by: -1, events: []string{"approval.opened"},
	}
	var before *card
	for _, b := range o.cards {
		if b.request == request && b.repeating(now) && (before == nil || b.decided.After(before.decided)) {
			before = b
		}
	}
	if before != nil && c.repeatable() && o.allMay(before.givers(), before.terms) && o.may(before.by, t) {
		c.become(approval.Approved)
		c.by, c.decided, c.repeats = before.by, now, before.id
	}
	o.cards = append(o.cards, c)
	return c, fine
}

func (o *oracle) decide(c *card, p int, grant bool, span time.Duration, fresh bool, now time.Time) fault.Kind {
	switch {
	case o.roles[p] == team.RoleViewer:
		return fault.Forbidden
	case c.status != approval.Pending:
		return fault.Conflict
	case !now.Before(c.expires):
		c.lapse(now)
		return fault.Expired
	}
	agreed := slices.DeleteFunc(slices.Clone(c.agreed), func(p int) bool { return !o.may(p, c.terms) })
	switch {
	case !grant:
		c.agreed = agreed
		c.become(approval.Denied)
		c.by, c.decided = p, now
		for _, other := range o.cards {
			if other.request == c.request {
				other.endRepeat(now)
			}
		}
		return fine
	case !o.may(p, c.terms), c.terms.StepUp && !fresh:
		return fault.Forbidden
	case c.wanted() > 1 && slices.Contains(agreed, p):
		return fault.Conflict
	case span != 0 && (span < 0 || span > 8*time.Hour || !c.repeatable()):
		return fault.Invalid
	}
	if c.wanted() > 1 {
		c.agreed = append(agreed, p)
		if len(c.agreed) < c.wanted() {
			c.events = append(c.events, "approval.agreed")
			return fine
		}
	}
	c.become(approval.Approved)
	c.by, c.decided, c.expires = p, now, now.Add(c.ttl)
	if span > 0 {
		c.until = now.Add(span)
	}
	return fine
}

func (c *card) endRepeat(now time.Time) bool {
	if !c.repeating(now) {
		return false
	}
	c.until = time.Time{}
	c.events = append(c.events, "approval.repeat_ended")
	return true
}

func (c *card) cancel() {
	if c.open() {
		c.until = time.Time{}
		c.become(approval.Cancelled)
	}
}

// stop is a kill switch that concerns the gateway, or its revocation.
func (o *oracle) stop(now time.Time) {
	for _, c := range o.cards {
		c.endRepeat(now)
	}
	for _, c := range o.cards {
		c.cancel()
	}
}

func (o *oracle) use(c *card, request byte, now time.Time) fault.Kind {
	switch {
	case o.revoked || o.killed:
		return fault.Forbidden
	case request != c.request || c.status != approval.Approved:
		return fault.Conflict
	case !now.Before(c.expires):
		c.lapse(now)
		return fault.Expired
	case !o.allMay(c.givers(), c.terms):
		c.cancel()
		return fault.Conflict
	}
	c.become(approval.Executed)
	c.sent++
	return fine
}
