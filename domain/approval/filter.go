package approval

// Filter chooses approvals. Its zero value chooses all, and what is set has to
// be true of an approval.
type Filter struct {
	Status    []Status
	GatewayID string
	Connector string // its configured name
	Action    string // a name, or the beginning of one: "github.pr.*"
	Risk      string
	Channel   string // where it was decided
	Decider   string // user ID or name of whoever settled it
	Text      string // somewhere in what people read of it
	Oldest    bool   // in the other order: the oldest first
}
