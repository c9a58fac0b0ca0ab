package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/app/identity"
)

var _ identity.Store = (*Store)(nil)

// LoadKey returns one of the authority's own keys, sealed.
func (s *Store) LoadKey(ctx context.Context, name string) (identity.Key, error) {
	var k identity.Key
	err := s.db.NewSelect().Model(&k).ModelTableExpr("ca_keys AS key").Where("name = ?", name).Scan(ctx)
	return k, translate(err)
}

// InsertKey keeps key unless there is one of that name.
func (s *Store) InsertKey(ctx context.Context, key identity.Key) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&key).ModelTableExpr("ca_keys").On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}

// UseToken reports whether this was the token's first use.
func (s *Store) UseToken(ctx context.Context, token identity.UsedToken) (first bool, err error) {
	err = s.write(ctx, func(tx bun.Tx) error {
		res, err := tx.NewInsert().Model(&token).ModelTableExpr("ca_tokens").On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		first = n == 1
		return err
	})
	return first && err == nil, err
}

// InsertCertificate enters a certificate into the ledger. What it is about is
// recorded by whoever asked for it, with the gateway's row.
func (s *Store) InsertCertificate(ctx context.Context, cert identity.Issued) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&cert).ModelTableExpr("ca_certificates").Exec(ctx)
		return err
	})
}

func (s *Store) issued(rows any) *bun.SelectQuery {
	return s.db.NewSelect().Model(rows).ModelTableExpr("ca_certificates AS issued").
		ColumnExpr("issued.*").ColumnExpr("r.revoked_at").
		Join("LEFT JOIN ca_revocations AS r ON r.serial = issued.serial")
}

// Certificate returns the certificate with the given serial.
func (s *Store) Certificate(ctx context.Context, serial string) (identity.Issued, error) {
	var c identity.Issued
	err := s.issued(&c).Where("issued.serial = ?", serial).Scan(ctx)
	return c, translate(err)
}

// LiveCertificates returns the gateway's certificates that count at now.
func (s *Store) LiveCertificates(ctx context.Context, gatewayID string, now time.Time) ([]identity.Issued, error) {
	var cs []identity.Issued
	err := s.issued(&cs).Where("issued.gateway_id = ?", gatewayID).Where("issued.not_after > ?", now).
		Where("r.serial IS NULL").Order("issued.not_before", "issued.serial").Scan(ctx)
	return cs, translate(err)
}

// RevokeSerial keeps the first revocation of a serial.
func (s *Store) RevokeSerial(ctx context.Context, r identity.Revocation) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&r).ModelTableExpr("ca_revocations").On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}
