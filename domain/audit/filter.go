package audit

import "time"

// Filter chooses requests. Its zero value chooses all.
type Filter struct {
	Decision  string // "allow", "deny" or "require_approval"
	GatewayID string
	Host      string
	Action    string // an action, or with a star at the end what begins like it
	Method    string
	Run       string
	Text      string // anywhere in host, path, action or resource, whatever the case
	Since     time.Time
	Until     time.Time
	Killed    bool   // only what a kill switch stopped
	Flagged   bool   // only what the enforcement level let pass
	Alert     string // only what raised this alert, or AnyAlert
}

// Tally counts requests by what became of them. Each is counted once.
type Tally struct {
	Allowed int64
	Denied  int64
	Held    int64 // a person was asked
	Killed  int64 // a kill switch stopped it
	Flagged int64 // the enforcement level let pass what would have been refused or held
}

// Total is the number of requests.
func (t Tally) Total() int64 { return t.Allowed + t.Denied + t.Held + t.Killed + t.Flagged }

// Add adds o to t.
func (t *Tally) Add(o Tally) {
	t.Allowed += o.Allowed
	t.Denied += o.Denied
	t.Held += o.Held
	t.Killed += o.Killed
	t.Flagged += o.Flagged
}

// Bucket is the tally of a stretch of time.
type Bucket struct {
	Start time.Time
	Tally
}
