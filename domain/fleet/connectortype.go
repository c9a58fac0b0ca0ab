package fleet

import (
	"time"

	"github.com/tameflare/tameflare/domain/definition"
)

// ConnectorType is a connector type that a team has defined.
type ConnectorType struct {
	ID         string `bun:",pk"` // "type_…"
	TeamID     string
	Name       string                // the definition's, unique in the team
	Definition definition.Definition `bun:"type:text"`
	Version    int64                 // rises with each change
	CreatedAt  time.Time
	ChangedAt  time.Time
}

// Definitions returns what types say.
func Definitions(types []ConnectorType) []definition.Definition {
	var all []definition.Definition
	for _, t := range types {
		all = append(all, t.Definition)
	}
	return all
}
