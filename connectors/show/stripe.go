package show

import (
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/connectors"
)

// stripe shows money as people write it, then whose it is, then the rest.
func (s *sheet) stripe(root *node) {
	values := map[string]string{} // by name, with one kind of brackets
	root.walk("", func(path string, v *node) {
		if path = dotted(path); values[path] == "" {
			values[path] = v.text
		}
	})
	root.walk("", func(path string, v *node) {
		path = dotted(path)
		minor, ok := minorUnits(path, v)
		if !ok {
			return
		}
		currency, cents := currencyOf(path, values), v.text+" in the smallest unit of a currency that the request does not name"
		if currency != "" {
			cents = connectors.Money(minor, currency) + " " + strings.ToUpper(currency)
		}
		switch path {
		case "amount", "unit_amount", "amount_off", "amount.value":
			v.shown = true
			s.amount(spoken(strings.TrimSuffix(path, ".value")), cents)
		default:
			v.text = cents + " (" + v.text + ")"
		}
	})
	var rows [][2]string
	for _, name := range []string{
		"customer", "charge", "payment_intent", "invoice", "subscription", "destination", "source", "payment_method", "reason", "description",
	} {
		if v := root.get(name); v != nil && v.kind == text && len(v.text) <= maxValue {
			rows = append(rows, s.row(spoken(name), root.take(name)))
		}
	}
	s.table("", rows)
	s.rest("Details", root)
}

// dotted writes items[0][price] as items.0.price.
func dotted(path string) string {
	return strings.TrimSuffix(strings.NewReplacer("][", ".", "[", ".", "]", "").Replace(path), ".")
}

// minorUnits returns a whole number that is an amount by its name.
func minorUnits(path string, v *node) (int64, bool) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if name == "value" && strings.HasSuffix(path, "amount.value") {
		name = "amount"
	}
	if name != "amount" && !strings.HasSuffix(name, "_amount") && name != "amount_off" && name != "balance" {
		return 0, false
	}
	if v.kind != text && v.kind != number || v.cut {
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == v.text
}

// currencyOf finds the currency that is nearest to the amount at path.
func currencyOf(path string, values map[string]string) string {
	for {
		at := strings.LastIndexByte(path, '.')
		path = path[:max(at, 0)]
		name := "currency"
		if at > 0 {
			name = path + ".currency"
		}
		if c := values[name]; len(c) == 3 && strings.Trim(strings.ToLower(c), "abcdefghijklmnopqrstuvwxyz") == "" {
			return c
		}
		if at <= 0 {
			return ""
		}
	}
}
