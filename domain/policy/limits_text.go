package policy

import (
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// maxLimitsText is more than Check lets through.
const maxLimitsText = 64 << 10

// ParseLimits reads limits as people type them: "ref=refs/heads/main", several
// with commas or line breaks between them. The same name again is another
// value that it may have. A value with a comma in it stands in double quotes.
// It returns nil for no limit, and fails with fault.Invalid.
func ParseLimits(text string) (Limits, error) {
	if len(text) > maxLimitsText {
		return nil, fault.New(fault.Invalid, "The limits are too long.", nil)
	}
	limits := Limits{}
	for rest := text; ; {
		if rest = strings.TrimLeft(rest, ", \t\r\n"); rest == "" {
			break
		}
		key, value, next, err := cutLimit(rest)
		if err != nil {
			return nil, err
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		if err := checkGlob(key, value); err != nil {
			return nil, err
		}
		limits[key], rest = append(limits[key], value), next
	}
	if err := limits.Check(); err != nil {
		return nil, err
	}
	return limits.Plain(), nil
}

// cutLimit takes the first limit off text.
func cutLimit(text string) (key, value, rest string, err error) {
	key, rest, ok := strings.Cut(text, "=")
	if key = strings.TrimSpace(key); !ok || strings.ContainsAny(key, ",\r\n") {
		return "", "", "", fault.New(fault.Invalid, `Write a limit as a name, an equals sign and a value: ref=refs/heads/main. Put a value with a comma in it in double quotes.`, nil)
	}
	rest = strings.TrimLeft(rest, " \t")
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexAny(rest, ",\r\n")
		if end < 0 {
			end = len(rest)
		}
		return key, strings.TrimSpace(rest[:end]), rest[end:], nil
	}
	literal, err := strconv.QuotedPrefix(rest)
	if err == nil {
		rest = strings.TrimLeft(rest[len(literal):], " \t")
		value, err = strconv.Unquote(literal)
	}
	if err != nil || rest != "" && !strings.ContainsRune(",\r\n", rune(rest[0])) {
		return "", "", "", fault.New(fault.Invalid, "The double quotes around what "+key+" has to be do not end where the value does.", err)
	}
	return key, value, rest, nil
}
