package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/fleet"
)

func rules(ctx context.Context, db bun.IDB, gatewayIDs ...string) ([]fleet.Rule, error) {
	var rs []fleet.Rule
	if len(gatewayIDs) == 0 {
		return nil, nil
	}
	err := db.NewSelect().Model(&rs).Where("gateway_id IN (?)", bun.List(gatewayIDs)).Order("gateway_id", "position", "id").Scan(ctx)
	return rs, err
}
