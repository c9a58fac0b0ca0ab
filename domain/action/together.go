package action

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// Together returns the action of a request that does all of these at once. It
// has the name of the strictest, and the others are alternatives; what they do
// not all say alike is unknown. All must not be empty.
func Together(all []Action) Action {
	if len(all) == 1 {
		return all[0]
	}
	strictest := slices.MinFunc(all, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Risk, b.Risk))
	})
	t := strictest
	t.Or, t.Unknown = slices.Clone(t.Or), slices.Clone(t.Unknown)
	t.Params = maps.Clone(t.Params)
	differ := map[string]bool{}
	for _, a := range all {
		t.Reversible = t.Reversible && a.Reversible
		t.Risk = min(t.Risk, a.Risk)
		if a.Resource != t.Resource {
			differ["resource"] = true
		}
		for name, value := range a.Params {
			if !reflect.DeepEqual(value, strictest.Params[name]) {
				differ[name] = true
			}
		}
		for name := range strictest.Params {
			if _, there := a.Params[name]; !there {
				differ[name] = true
			}
		}
		for _, name := range a.Unknown {
			differ[name] = true
		}
		for _, other := range append([]Alternative{{Name: a.Name, Class: a.Class}}, a.Or...) {
			if other.Name != t.Name && !slices.ContainsFunc(t.Or, func(o Alternative) bool { return o == other }) {
				t.Or = append(t.Or, other)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(differ)) {
		if name == "resource" {
			t.Resource = ""
		}
		delete(t.Params, name)
		if !slices.Contains(t.Unknown, name) {
			t.Unknown = append(t.Unknown, name)
		}
	}
	return t
}
