package policies

import (
	"context"
	"fmt"

	"github.com/tameflare/tameflare/connectors"
	read "github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// Types are the connector types that documents may be about: the built-in
// ones, and those that a team has defined.
type Types struct {
	Store interface {
		ConnectorTypes(ctx context.Context, teamID string) ([]fleet.ConnectorType, error)
	}
}

var _ Known = Types{}

// For returns the catalogue of a team's types, and what names requests by them.
func (t Types) For(ctx context.Context, teamID string) (document.Catalogue, document.Reader, error) {
	rows, err := t.Store.ConnectorTypes(ctx, teamID)
	if err != nil {
		return nil, nil, fmt.Errorf("list connector types: %w", err)
	}
	own, err := connectors.DefineAll(fleet.Definitions(rows))
	if err != nil {
		return nil, nil, err
	}
	return connectors.Catalogue{Own: own}, read.Reader(own), nil
}
