package api

import (
	"strconv"

	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// export returns the team's configuration as a document. It holds no secret.
func (s *Server) export(c *call) (rest.Configuration, error) {
	if err := c.only(); err != nil {
		return rest.Configuration{}, err
	}
	doc, err := s.Configurations.Export(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return rest.Configuration{}, err
	}
	text, err := config.Marshal(doc)
	return rest.Configuration{Document: string(text)}, err
}

// apply makes the team's configuration that of a document, or says what that
// would change.
func (s *Server) apply(c *call, in rest.Configuration) (rest.Changes, error) {
	if err := c.only("dry_run", "prune"); err != nil {
		return rest.Changes{}, err
	}
	dryRun, err := c.flag("dry_run")
	if err != nil {
		return rest.Changes{}, err
	}
	prune, err := c.flag("prune")
	if err != nil {
		return rest.Changes{}, err
	}
	file := "document"
	if in.File != "" {
		file = clip(in.File)
	}
	known, err := s.Configurations.Catalogue(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return rest.Changes{}, err
	}
	doc, err := config.Parse(file, []byte(in.Document), known)
	if err != nil {
		return rest.Changes{}, err
	}
	secrets := make(map[string]credential.Secret, len(in.Secrets))
	for name, value := range in.Secrets {
		secrets[name] = credential.NewSecret(value)
	}
	changes, err := s.Configurations.Apply(c.Context(), c.viewer, doc, secrets, dryRun, prune)
	if err != nil {
		return rest.Changes{}, err
	}
	out := rest.Changes{DryRun: dryRun, Changes: make([]rest.Change, 0, len(changes))}
	for _, ch := range changes {
		out.Changes = append(out.Changes, rest.Change{Op: string(ch.Op), Path: ch.Path, Detail: ch.Detail})
	}
	return out, nil
}

func (c *call) flag(name string) (bool, error) {
	text := c.query.Get(name)
	if text == "" {
		return c.query.Has(name), nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, fault.New(fault.Invalid, "The parameter "+name+" is true or false.", nil)
	}
	return yes, nil
}
