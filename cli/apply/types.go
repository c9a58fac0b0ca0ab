package apply

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/openapi"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// Parse reads a document that came from file, and the OpenAPI descriptions and
// policies beside it, whose tests have to pass. The catalogue knows the
// document's own connector types afterwards; those of known are known besides.
func Parse(file, name string, text []byte, known connectors.Own) (*config.Document, connectors.Own, error) {
	return parse(name, text, policies.Catalogue{Catalogue: connectors.Catalogue{Own: known, Open: beside(file)}})
}

// ParseUntested is Parse without making the tests of policies.
func ParseUntested(file, name string, text []byte) (*config.Document, connectors.Own, error) {
	return parse(name, text, policies.Catalogue{Catalogue: connectors.Catalogue{Open: beside(file)}, Untested: true})
}

func parse(name string, text []byte, with policies.Catalogue) (*config.Document, connectors.Own, error) {
	doc, err := config.Parse(name, text, with)
	if err != nil {
		return nil, nil, err
	}
	own, err := connectors.DefineAll(doc.Definitions())
	if err != nil {
		return nil, nil, err
	}
	for _, t := range with.Own {
		if !slices.ContainsFunc(own, func(o *connectors.Type) bool { return o.Name == t.Name }) {
			own = append(own, t)
		}
	}
	return doc, own, nil
}

// Known returns the connector types that the team has defined.
func Known(ctx context.Context, client *apiclient.Client) (connectors.Own, error) {
	export, err := apiclient.Get[rest.Configuration](ctx, client, "/configuration", nil)
	if err != nil {
		return nil, err
	}
	doc, err := config.Parse("the server's configuration", []byte(export.Document), connectors.Catalogue{}) // of policies, only the names
	if err != nil {
		return nil, err
	}
	return connectors.DefineAll(doc.Definitions())
}

// beside opens files that a document names, by their paths from where it is.
func beside(document string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) && document != "-" {
			path = filepath.Join(filepath.Dir(document), path)
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Invalid, "There is no file "+path+".", err)
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "The file "+path+" cannot be read.", err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, openapi.MaxSize+1))
		if err != nil {
			return nil, fault.New(fault.Invalid, "The file "+path+" cannot be read.", err)
		}
		return data, nil
	}
}

const maxNotes = 20

// notes says what was guessed about connector types, and what of policies
// should be looked at.
func notes(c *console.Console, name string, doc *config.Document) {
	for _, t := range doc.Types {
		for i, n := range t.Notes {
			if i == maxNotes {
				c.Say("%s %s: and %d more like these", console.Note, t.Name, len(t.Notes)-i)
				break
			}
			c.Say("%s %s: %s", console.Note, t.Name, console.Line(n.String()))
		}
	}
	for _, p := range doc.Policies {
		for i, n := range p.Notes {
			if i == maxNotes {
				c.Say("%s policy %s: and %d more like these", console.Note, p.Name, len(p.Notes)-i)
				break
			}
			c.Say("%s %s:%d:%d: %s", console.Note, console.Line(cmp.Or(n.File, name)), n.Line, n.Column, console.Line(n.Message))
		}
	}
}
