package netguard

import (
	"strconv"

	"github.com/tameflare/tameflare/domain/address"
	"github.com/tameflare/tameflare/domain/fault"
)

// ParseHost is address.ParseHost: the one spelling of a host, made at the door.
func ParseHost(s string) (host string, port uint16, err error) { return address.ParseHost(s) }

// JoinHost is its inverse, with brackets where they belong.
func JoinHost(host string, port uint16) string { return address.JoinHost(host, port) }

func invalid(s, what string) error {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return fault.New(fault.Invalid, strconv.QuoteToASCII(s)+" "+what+".", nil)
}
