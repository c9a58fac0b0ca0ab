package audit

import "time"

// What a request can be an alert for: each looks as if somebody tried to carry
// something past a gateway, or as if a key had got to where it should not be.
const (
	ForeignKey        = "foreign_key"          // a key of the client's own, to a connector that takes only the run's
	DummyElsewhere    = "dummy_elsewhere"      // a run's dummy key, on its way to another service than the one it is for
	DummyOfAnotherRun = "dummy_of_another_run" // a dummy key that this run was not given
)

// AnyAlert is what Filter takes for all of them.
const AnyAlert = "any"

// ClientsOwn stands in the place of a credential's ID where a client's own key
// went through.
const ClientsOwn = "client's own"

// SecurityAlert is the type of the event of an Alert.
const SecurityAlert = "security.alert"

// Alert is one kind of alert that the requests of a run to one host have
// raised, as stored. It is raised once, however many they are.
type Alert struct {
	GatewayID string `bun:",pk"`
	RunID     string `bun:",pk"`
	Kind      string `bun:",pk"`
	Host      string `bun:",pk"`
	TeamID    string
	Connector string // "" where none answers for the host
	RequestID string // the first of them
	Requests  int64
	FirstAt   time.Time
	LastAt    time.Time
}

// Alerts returns every kind that this version knows.
func Alerts() []string { return []string{ForeignKey, DummyElsewhere, DummyOfAnotherRun} }
