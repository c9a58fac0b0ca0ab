// Command gen makes the tables of connectors out of the facts and our names
// for them. It fails, and writes nothing, where an operation has no name, a
// name no operation, or a file is not as README.md says.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// services are the folders, each with how the keys of its facts are made into
// the method and path that requests have.
var services = map[string]func(fact) wire{
	"anthropic": plain,
	"github":    plain,
	"openai": func(f fact) wire {
		w := plain(f)
		w.path = "/v1" + w.path
		return w
	},
	"slack": func(f fact) wire {
		if !strings.Contains(f.key, " ") {
			return wire{method: "POST", path: "/api/" + f.key}
		}
		return plain(f)
	},
	"stripe": plain,
}

func main() {
	dir := flag.String("dir", ".", "the folder of the tables")
	docs := flag.String("docs", "../../docs/actions", "the folder of the reference")
	check := flag.Bool("check", false, "write nothing; fail where a table is not what its sources make")
	flag.Parse()
	if err := run(*dir, *docs, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, docs string, check bool) error {
	var all error
	for name, toWire := range services {
		text, err := tableOf(filepath.Join(dir, name), toWire)
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		for file, text := range map[string]string{
			filepath.Join(dir, name+".tsv"): text,
			filepath.Join(docs, name+".md"): reference(name, text),
		} {
			all = errors.Join(all, put(file, text, check))
		}
	}
	return all
}

func put(file, text string, check bool) error {
	have, err := os.ReadFile(file)
	switch {
	case err == nil && string(have) == text:
		return nil
	case check:
		return fmt.Errorf("%s is older than its sources. Run make generate", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
