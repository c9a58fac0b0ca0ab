package netguard

import "github.com/tameflare/tameflare/domain/address"

// Class is what kind of place an address leads to.
type Class = address.Class

// The classes that decisions here are about, and that errors name.
const (
	Invalid   = address.Invalid
	Public    = address.Public
	Private   = address.Private
	Multicast = address.Multicast
	Loopback  = address.Loopback
	Metadata  = address.Metadata
	Own       = address.Own
)
