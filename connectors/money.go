package connectors

import (
	"fmt"
	"strings"
)

// decimals of the currencies that do not have two (ISO 4217), as
// docs.stripe.com/currencies counts their minor units.
var decimals = map[string]int{
	"bif": 0, "clp": 0, "djf": 0, "gnf": 0, "jpy": 0, "kmf": 0, "krw": 0, "mga": 0, "pyg": 0, "rwf": 0, "vnd": 0, "vuv": 0, "xaf": 0, "xof": 0, "xpf": 0,
	"bhd": 3, "jod": 3, "kwd": 3, "omr": 3, "tnd": 3,
}

// Money writes an amount in minor units as people do: 205000 eur is 2,050.00.
func Money(minor int64, currency string) string {
	places, special := decimals[strings.ToLower(currency)]
	if !special {
		places = 2
	}
	digits, negative := strings.CutPrefix(fmt.Sprintf("%0*d", places+1, minor), "-")
	for len(digits) <= places {
		digits = "0" + digits
	}
	whole, rest := digits[:len(digits)-places], digits[len(digits)-places:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if places > 0 {
		whole += "." + rest
	}
	if negative {
		return "-" + whole
	}
	return whole
}
