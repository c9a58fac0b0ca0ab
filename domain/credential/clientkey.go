package credential

import (
	"database/sql/driver"
	"fmt"

	"github.com/tameflare/tameflare/domain/fault"
)

// ClientKey says what becomes of a key that a client brings of its own, where
// a connector has one of ours to put on its requests.
type ClientKey uint8

// The zero ClientKey is Replace.
const (
	Replace      ClientKey = iota // it is taken off, and ours is put on
	Pass                          // it goes through as it is, and ours stays here; without one of its own the client gets ours
	RequireDummy                  // a request must bring the key that its run was given in place of ours, and nothing else
)

var clientKeys = [...]string{Replace: "replace", Pass: "pass", RequireDummy: "require_dummy"}

func (k ClientKey) String() string {
	if int(k) >= len(clientKeys) {
		return fmt.Sprintf("client_key(%d)", uint8(k))
	}
	return clientKeys[k]
}

// Check fails with fault.Invalid where k is none of the above.
func (k ClientKey) Check() error {
	if int(k) >= len(clientKeys) {
		return fault.New(fault.Invalid, "A client's own key is one of replace, pass and require_dummy.", nil)
	}
	return nil
}

// MarshalText fails as Check does, so that what nobody knows is not written.
func (k ClientKey) MarshalText() ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText writes; nothing is Replace. It fails
// with fault.Invalid for any other word, so that a gateway does not act on a
// snapshot whose meaning it does not know.
func (k *ClientKey) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*k = Replace
		return nil
	}
	for i, word := range clientKeys {
		if word == string(b) {
			*k = ClientKey(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "A client's own key is one of replace, pass and require_dummy.", nil)
}

// Value and Scan are how databases keep it: as the word.
func (k ClientKey) Value() (driver.Value, error) {
	b, err := k.MarshalText()
	return string(b), err
}

func (k *ClientKey) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return k.UnmarshalText([]byte(v))
	case []byte:
		return k.UnmarshalText(v)
	}
	return fmt.Errorf("scan client key: %T is not text", src)
}
