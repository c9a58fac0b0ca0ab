// Package connectorstest turns what services say they offer into requests, for
// tests of whatever has to know them all.
package connectorstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Services are the folders of connectors/tables.
var Services = []string{"anthropic", "github", "openai", "slack", "stripe"}

// Fact is an operation as the service's own description lists it.
type Fact struct {
	Service string
	Key     string // as naming.tsv writes it: "PUT /repos/{owner}/{repo}", "mutation mergePullRequest", "chat.postMessage"
	ID      string // the service's own name for it, where it has one
}

// Facts reads what the services list from the folder of the tables.
func Facts(tables string) ([]Fact, error) {
	var all []Fact
	for _, service := range Services {
		for _, file := range []string{"operations.tsv", "graphql.tsv"} {
			path := filepath.Join(tables, service, file)
			if file == "graphql.tsv" && service != "github" {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("read facts: %w", err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			for _, line := range lines[1:] { // the first names the columns
				all = append(all, factOf(service, strings.Split(line, "\t")))
			}
		}
	}
	return all, nil
}

func factOf(service string, columns []string) Fact {
	f := Fact{Service: service}
	switch {
	case service == "slack":
		f.Key, f.ID = columns[0], columns[0]
	case len(columns) == 2:
		f.Key = columns[0] + " " + columns[1]
		f.ID = columns[1]
		if service == "anthropic" {
			f.ID = ""
		}
	default:
		f.Key, f.ID = columns[0]+" "+columns[1], columns[2]
	}
	return f
}

// Named returns the action that naming.tsv has for each fact where no
// condition holds, by service and key.
func Named(tables string) (map[Fact]string, error) {
	named := map[Fact]string{}
	for _, service := range Services {
		text, err := os.ReadFile(filepath.Join(tables, service, "naming.tsv"))
		if err != nil {
			return nil, fmt.Errorf("read naming: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "+") || len(columns) < 3 || columns[1] != "-" {
				continue
			}
			key, _, _ := strings.Cut(columns[0], " => ")
			action, _, _ := strings.Cut(columns[2], "+")
			named[Fact{Service: service, Key: key}] = action
		}
	}
	return named, nil
}
