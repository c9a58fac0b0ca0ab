package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// wire is how an operation looks in a request.
type wire struct{ place, method, path string }

func plain(f fact) wire {
	method, path, _ := strings.Cut(f.key, " ")
	if method == "mutation" || method == "query" {
		return wire{"graphql", strings.ToUpper(method), "/" + path}
	}
	return wire{method: method, path: path}
}

// tableOf makes the table of the service in dir.
func tableOf(dir string, toWire func(fact) wire) (string, error) {
	facts, err := readFacts(dir)
	naming, err2 := readNaming(dir)
	deeds, err3 := readDeeds(dir)
	if err := errors.Join(err, err2, err3); err != nil {
		return "", err
	}
	ids := make(map[string]string, len(facts))
	for _, f := range facts {
		ids[f.key] = f.id
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by connectors/tables/gen from the files in %s/. Do not edit.\n", filepath.Base(dir))
	var all error
	bad := func(n named, format string, args ...any) {
		all = errors.Join(all, fmt.Errorf("%s:%d: %s", filepath.Join(dir, "naming.tsv"), n.line, fmt.Sprintf(format, args...)))
	}
	settled := map[string]bool{} // keys that have had their row without a condition
	for _, n := range naming {
		id, known := ids[n.key]
		first, more, _ := strings.Cut(n.action, "+")
		d := deeds[first]
		at := n.place + ":" + n.key
		switch {
		case known == n.extra && n.place == "":
			bad(n, "%s: a + before it means that the facts do not have it", n.key)
			continue
		case d == nil:
			bad(n, "%s is not in actions.tsv", n.action)
			continue
		case settled[at] && !strings.HasPrefix(n.when, "%"):
			bad(n, "%s is never reached", n.key)
		}
		d.used = true
		does, err := together(first, more, deeds)
		if err != nil {
			bad(n, "%v", err)
			continue
		}
		settled[at] = settled[at] || n.when == "-"
		if n.place == "" || known {
			settled[":"+n.key] = settled[":"+n.key] || n.when == "-"
		}
		w := toWire(fact{key: n.key})
		if n.extra {
			w = plain(fact{key: n.key})
		}
		if n.path != "" {
			w.path = n.path
			if !n.extra {
				w.path = toWire(fact{key: w.method + " " + n.path}).path
			}
		}
		w.place = cmp.Or(n.place, w.place, "api")
		if n.extra && n.place == "" {
			w.path = toWire(fact{key: n.key}).path
		}
		fmt.Fprintln(&b, strings.Join([]string{
			w.place, w.method, w.path, does, d.class, d.risk, d.undo, n.when, n.params, n.resource, d.title, cmp.Or(id, "-"),
		}, "\t"))
	}
	for _, f := range facts {
		if !settled[":"+f.key] {
			all = errors.Join(all, fmt.Errorf("%s: %s has no row without a condition in naming.tsv", dir, f.key))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(deeds)) {
		if !deeds[name].used {
			all = errors.Join(all, fmt.Errorf("%s: no operation is %s", filepath.Join(dir, "actions.tsv"), name))
		}
	}
	return b.String(), all
}

// together writes an action and what the same request does as well, each with
// its class.
func together(first, more string, deeds map[string]*deed) (string, error) {
	if more == "" {
		return first, nil
	}
	for name := range strings.SplitSeq(more, "+") {
		d := deeds[name]
		if d == nil {
			return "", fmt.Errorf("%s is not in actions.tsv", name)
		}
		d.used = true
		first += "+" + name + "=" + d.class
	}
	return first, nil
}
