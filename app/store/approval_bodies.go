package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
)

type approvalBody struct {
	bun.BaseModel `bun:"table:approval_bodies"`

	ApprovalID string `bun:",pk"`
	TeamID     string
	Sealed     []byte
	Whole      bool
}

func insertBody(ctx context.Context, tx bun.Tx, a approval.Approval, q Asked) error {
	_, err := tx.NewInsert().Model(&approvalBody{ApprovalID: a.ID, TeamID: a.TeamID, Sealed: q.Body, Whole: q.Whole}).Exec(ctx)
	return err
}

func deleteBody(ctx context.Context, tx bun.Tx, approvalID string) error {
	_, err := tx.NewDelete().Model((*approvalBody)(nil)).Where("approval_id = ?", approvalID).Exec(ctx)
	return err
}

// ApprovalBody returns the sealed beginning of a held request's body, and
// whether there is no more of it. It fails with fault.NotFound where there is
// none, any more.
func (s *Store) ApprovalBody(ctx context.Context, teamID, approvalID string) (sealed []byte, whole bool, err error) {
	var b approvalBody
	err = s.db.NewSelect().Model(&b).Where("approval_id = ?", approvalID).Where("team_id = ?", teamID).Scan(ctx)
	return b.Sealed, b.Whole, translate(err)
}
