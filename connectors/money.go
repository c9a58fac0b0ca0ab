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

// money writes an amount in minor units as people do: 2050 eur is 20.50.
func money(minor int64, currency string) string {
	places, special := decimals[strings.ToLower(currency)]
	if !special {
		places = 2
	}
	if places == 0 {
		return fmt.Sprint(minor)
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := fmt.Sprintf("%0*d", places+1, minor)
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}
