package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestFirstKeyStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, text := range []string{"first", "second"} {
			if err := s.InsertKey(t.Context(), identity.Key{Name: "root", Sealed: []byte(text), Public: []byte{0, 255}, CreatedAt: now}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.LoadKey(t.Context(), "root")
		if err != nil || string(got.Sealed) != "first" || len(got.Public) != 2 || !got.CreatedAt.Equal(now) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var firsts atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				first, err := s.UseToken(t.Context(), identity.UsedToken{ID: "jti", GatewayID: "gw_1", UsedAt: now, ExpiresAt: now})
				if err != nil {
					t.Error(err)
				}
				if first {
					firsts.Add(1)
				}
			})
		}
		wg.Wait()
		if n := firsts.Load(); n != 1 {
			t.Errorf("%d first uses, want 1", n)
		}
	})
}

func TestLedgerKnowsWhatStillCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for serial, ends := range map[string]time.Time{"1": now.Add(-time.Second), "2": now.Add(time.Hour), "3": now.Add(time.Hour)} {
			if err := s.InsertCertificate(ctx, identity.Issued{
				Serial: serial, TeamID: "team_1", GatewayID: "gw_1", DER: []byte(serial), NotBefore: now.Add(-time.Hour), NotAfter: ends, CreatedAt: now,
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range []time.Time{now, now.Add(time.Minute)} { // the second changes nothing
			if err := s.RevokeSerial(ctx, identity.Revocation{Serial: "2", Reason: "lost", RevokedAt: at}); err != nil {
				t.Fatal(err)
			}
		}
		live, err := s.LiveCertificates(ctx, "gw_1", now)
		if err != nil || len(live) != 1 || live[0].Serial != "3" || string(live[0].DER) != "3" {
			t.Errorf("%+v, %v", live, err)
		}
		if c, err := s.Certificate(ctx, "2"); err != nil || !c.RevokedAt.Equal(now) {
			t.Errorf("revoked: %+v, %v", c, err)
		}
		if c, err := s.Certificate(ctx, "3"); err != nil || !c.RevokedAt.IsZero() || c.GatewayID != "gw_1" {
			t.Errorf("not revoked: %+v, %v", c, err)
		}
		_, err = s.Certificate(ctx, "4")
		wantKind(t, err, fault.NotFound)
	})
}
