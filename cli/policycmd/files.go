package policycmd

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/apply"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// file is a policy in a file, read and with its tests made.
type file struct {
	path    string
	text    string
	doc     *document.Document
	results []document.Result
}

// expand puts in the place of a directory the YAML files that are in it and
// below.
func expand(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			all = append(all, path)
			continue
		}
		before := len(all)
		err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
			hidden := strings.HasPrefix(entry.Name(), ".") && at != path
			switch ext := filepath.Ext(at); {
			case err != nil:
				return err
			case entry.IsDir() && hidden:
				return fs.SkipDir
			case !entry.IsDir() && !hidden && (ext == ".yaml" || ext == ".yml"):
				all = append(all, at)
			}
			return nil
		})
		if err != nil {
			return nil, fault.New(fault.Invalid, "The folder "+path+" cannot be read.", err)
		}
		if len(all) == before {
			return nil, fault.New(fault.NotFound, "There is no .yaml file in "+path+".", nil)
		}
	}
	return all, nil
}

// read reads a policy and makes its tests. It fails with fault.Invalid where
// it cannot be read; tests that fail are in its results.
func read(c *console.Console, path string, own connectors.Own) (file, error) {
	text, _, err := apply.Read(c, path)
	if err != nil {
		return file{path: path}, err
	}
	f := file{path: path, text: string(text)}
	if path == "-" {
		f.path = "standard input"
	}
	if f.doc, err = document.Parse(f.path, text, connectors.Catalogue{Own: own}); err != nil {
		return f, err
	}
	f.results, err = f.doc.Run(policies.Reader(own))
	return f, err
}

// ready reads a policy that is to go to the server. Where it is about what
// this program does not know, the server is asked for the team's own connector
// types. A test that fails ends it with exit.Denied.
func ready(ctx context.Context, c *console.Console, client *apiclient.Client, path string) (file, error) {
	f, err := read(c, path, nil)
	if path != "-" && (err != nil && f.text != "" || failed(f.results) > 0 || f.doc != nil && len(f.doc.Notes) > 0) {
		if own, unknown := apply.Known(ctx, client); unknown == nil && len(own) > 0 {
			f, err = read(c, path, own)
		}
	}
	if err != nil && f.text != "" {
		return f, exit.With(exit.Usage, err)
	}
	if err != nil {
		return f, err
	}
	if wrong := policies.Failed(f.path, f.results); wrong != nil {
		return f, exit.With(exit.Denied, wrong.Err())
	}
	return f, nil
}

func failed(results []document.Result) int {
	n := 0
	for _, r := range results {
		if !r.Passed {
			n++
		}
	}
	return n
}
