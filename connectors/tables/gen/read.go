package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// fact is an operation as the service's own description lists it.
type fact struct {
	key string // "PUT /repos/{owner}/{repo}", "mutation mergePullRequest", "chat.postMessage"
	id  string // operation id, and what the service files it under
}

// named is a line of naming.tsv.
type named struct {
	line                           int
	extra                          bool // not among the facts
	place, key, path, when, action string
	params, resource               string
}

// deed is a line of actions.tsv.
type deed struct {
	class, risk, undo, title string
	used                     bool
}

// lines calls each for every line of file that is not a comment, cut into cols
// columns.
func lines(file string, cols int, header bool, each func(n int, c []string) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var all error
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if header && i == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) > cols || len(c) < cols && !header {
			all = errors.Join(all, fmt.Errorf("%s:%d: %d columns, want %d", file, i+1, len(c), cols))
			continue
		}
		for len(c) < cols {
			c = append(c, "")
		}
		if err := each(i+1, c); err != nil {
			all = errors.Join(all, fmt.Errorf("%s:%d: %w", file, i+1, err))
		}
	}
	return all
}

func readFacts(dir string) (facts []fact, err error) {
	slack := filepath.Base(dir) == "slack"
	err = lines(filepath.Join(dir, "operations.tsv"), 4, true, func(_ int, c []string) error {
		f := fact{key: c[0] + " " + c[1], id: c[2]}
		if slack {
			f = fact{key: c[0], id: c[0]}
		} else if c[3] != "" {
			f.id = c[2] + "/" + c[3]
			if strings.Contains(c[2], "/") { // the id already begins with it
				f.id = c[2]
			}
		}
		facts = append(facts, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if filepath.Base(dir) != "github" { // the only one of them that speaks GraphQL
		return facts, nil
	}
	err = lines(filepath.Join(dir, "graphql.tsv"), 2, true, func(_ int, c []string) error {
		facts = append(facts, fact{key: c[0] + " " + c[1], id: c[1]})
		return nil
	})
	return facts, err
}

func readNaming(dir string) (all []named, err error) {
	err = lines(filepath.Join(dir, "naming.tsv"), 5, false, func(n int, c []string) error {
		one := named{line: n, when: c[1], action: c[2], params: c[3], resource: c[4]}
		key := c[0]
		if key, one.extra = strings.CutPrefix(key, "+"); key == "" {
			return errors.New("no operation")
		}
		key, one.path, _ = strings.Cut(key, " => ")
		if place, rest, ok := strings.Cut(key, ":"); ok && !strings.ContainsAny(place, " /") {
			one.place, key = place, rest
		}
		one.key = key
		all = append(all, one)
		return nil
	})
	return all, err
}

func readDeeds(dir string) (map[string]*deed, error) {
	all := map[string]*deed{}
	err := lines(filepath.Join(dir, "actions.tsv"), 5, false, func(_ int, c []string) error {
		if all[c[0]] != nil {
			return fmt.Errorf("%s is there twice", c[0])
		}
		word, _, _ := strings.Cut(c[0], ".")
		if word != filepath.Base(dir) || strings.Count(c[0], ".") != 2 || strings.Trim(c[0], "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" {
			return fmt.Errorf("%q is not %s.resource.verb", c[0], filepath.Base(dir))
		}
		all[c[0]] = &deed{class: c[1], risk: c[2], undo: c[3], title: c[4]}
		return nil
	})
	return all, err
}
