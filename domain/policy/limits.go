package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/fault"
)

// Limits narrow a rule to what its requests are about. Each key is OnResource
// or the name of one of the action's parameters, and its globs are what that
// may be: one of them has to match, and so for every key. In a glob a star
// stands for any run of characters, slashes too, and all else for itself.
// Without keys there is no limit.
type Limits map[string][]string

// OnResource is the key that stands for the action's resource.
const OnResource = "resource"

const (
	maxLimits  = 8
	maxGlobs   = 20
	maxGlob    = 200
	maxLimited = 64 // of a key
)

// Check fails with fault.Invalid where l cannot be used as it stands.
func (l Limits) Check() error {
	if len(l) > maxLimits {
		return fault.New(fault.Invalid, fmt.Sprintf("A rule is limited by at most %d names.", maxLimits), nil)
	}
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if err := checkKey(key); err != nil {
			return err
		}
		if len(l[key]) == 0 {
			return fault.New(fault.Invalid, "Say what "+key+" has to be, or leave the limit out.", nil)
		}
		if len(l[key]) > maxGlobs {
			return fault.New(fault.Invalid, fmt.Sprintf("A limit names at most %d values; %s has more.", maxGlobs, key), nil)
		}
		for _, g := range l[key] {
			if err := checkGlob(key, g); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkKey(key string) error {
	if key == "" || len(key) > maxLimited || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" {
		return fault.New(fault.Invalid, "A limit is on the resource or on a parameter by its name: letters, digits, dot, dash and underscore.", nil)
	}
	return nil
}

func checkGlob(key, g string) error {
	switch {
	case g == "":
		return fault.New(fault.Invalid, "Say what "+key+" has to be; a star stands for anything.", nil)
	case len(g) > maxGlob:
		return fault.New(fault.Invalid, fmt.Sprintf("What %s has to be is longer than %d bytes. Use a star for what differs.", key, maxGlob), nil)
	case !utf8.ValidString(g) || strings.ContainsFunc(g, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.New(fault.Invalid, "What "+key+" has to be has a character in it that cannot be seen.", nil)
	}
	return nil
}

// Plain returns l in its one spelling: globs sorted and each once, and nil
// where there is no limit.
func (l Limits) Plain() Limits {
	if len(l) == 0 {
		return nil
	}
	out := make(Limits, len(l))
	for key, globs := range l {
		out[key] = slices.Compact(slices.Sorted(slices.Values(globs)))
	}
	return out
}

// Keys returns the names that l is about, sorted.
func (l Limits) Keys() []string { return slices.Sorted(maps.Keys(l)) }

// String writes l as ParseLimits reads it: "ref=refs/heads/main, tool=delete_*".
func (l Limits) String() string {
	var parts []string
	for _, key := range l.Keys() {
		for _, g := range l[key] {
			parts = append(parts, key+"="+quoted(g))
		}
	}
	return strings.Join(parts, ", ")
}

// quoted puts quotes around what would not be read back without them.
func quoted(g string) string {
	if strings.ContainsAny(g, ",\n\r") || strings.HasPrefix(g, `"`) || strings.TrimSpace(g) != g || g == "" {
		return strconv.Quote(g)
	}
	return g
}

// words says what has to hold, within a sentence: "ref is refs/heads/main or
// refs/heads/next and tool is delete_*".
func (l Limits) words() string {
	var parts []string
	for _, key := range l.Keys() {
		parts = append(parts, key+" is "+either(l[key]))
	}
	return strings.Join(parts, " and ")
}

const (
	namedGlobs = 3 // in a sentence; people can look at the rule for the others
	shownGlob  = 60
)

func either(globs []string) string {
	var named []string
	for _, g := range globs[:min(len(globs), namedGlobs)] {
		named = append(named, shorten(g))
	}
	if more := len(globs) - len(named); more > 0 {
		return strings.Join(named, ", ") + " or one of " + strconv.Itoa(more) + " more"
	}
	return strings.Join(named, " or ")
}

func shorten(g string) string {
	if len(g) <= shownGlob {
		return g
	}
	end := shownGlob
	for !utf8.RuneStart(g[end]) {
		end--
	}
	return g[:end] + "…"
}
