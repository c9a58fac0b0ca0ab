// Package dummy makes the keys that a run is given in place of real ones, and
// knows them again when they come back.
//
// They open nothing. Clients want to have one, and what is brought somewhere
// where it does not belong gives away that somebody carries keys about.
package dummy

import (
	"crypto/rand"
	"strings"
	"sync"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/credential"
)

// Keys are the dummy keys of one run. They come from a seed that is nowhere
// else and is never written down, so nobody who reads the records of a run can
// work out its keys. The zero Keys is ready, and of another run than any other.
type Keys struct {
	mu   sync.Mutex
	seed string
	made map[Origin]string // the keys
	from map[string]Origin // by the key without its prefix

	token string
}

// Origin is what a key was made for. The zero Origin is that of the token.
type Origin struct {
	Type      string // of the connector
	Connector string // its name
}

// For returns the key for a gateway's connector; always the same one, whatever
// else about the connector changes.
func (k *Keys) For(gatewayID string, c *connectors.Connector) string {
	o := Origin{Type: c.Type().Name, Connector: c.Name()}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.made[o]; ok {
		return key
	}
	k.begin()
	key := c.Type().Dummy(strings.Join([]string{gatewayID, k.seed, o.Connector}, "\x00"))
	k.made[o] = key
	if plain, ok := connectors.FindDummy(key); ok {
		k.from[plain] = o
	}
	return key
}

// begin makes what is this run's alone. The caller holds mu.
func (k *Keys) begin() {
	if k.seed != "" {
		return
	}
	k.seed = rand.Text()
	k.made, k.from = map[Origin]string{}, map[string]Origin{}
	plain := connectors.DummyMarker + strings.ToLower((rand.Text() + rand.Text())[:tokenDigits])
	k.token = tokenPrefix + plain
	k.from[plain] = Origin{}
}

const (
	tokenPrefix = "tfr_"
	tokenDigits = 27 // as many as the keys have: then it is found like them
)

// Token returns what the run shows when it asks the gateway itself about its
// approvals. It opens nothing else, and is looked for like a key that goes
// elsewhere.
func (k *Keys) Token() credential.Secret {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begin()
	return credential.NewSecret(k.token)
}

// Origin returns what a key, as connectors.FindDummy finds it, was made for. It
// knows every key that For has returned, also of connectors that are gone.
func (k *Keys) Origin(plain string) (o Origin, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, ok = k.from[plain]
	return o, ok
}
