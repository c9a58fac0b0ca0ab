package approvals_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// envelope stands for the vault: what it seals opens in its place only.
type envelope struct{}

func (envelope) SealAt(_ context.Context, at vault.Place, plain credential.Secret) ([]byte, error) {
	b := []byte(plain.Reveal())
	slices.Reverse(b)
	return fmt.Appendf(nil, "%v|%s", at, b), nil
}

func (envelope) OpenAt(_ context.Context, at vault.Place, sealed []byte) (credential.Secret, error) {
	b, ok := bytes.CutPrefix(sealed, fmt.Appendf(nil, "%v|", at))
	if !ok {
		return credential.Secret{}, errors.New("sealed elsewhere")
	}
	slices.Reverse(b)
	return credential.NewSecret(string(b)), nil
}

func (f fixture) askWith(t *testing.T, fingerprint byte, body string, size int64) approval.Approval {
	t.Helper()
	q := question(fingerprint)
	q.Body, q.BodySize, q.BodyType = []byte(body), size, "application/json"
	a, err := f.Ask(t.Context(), f.gw, q)
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

func TestABodyIsKeptAsLongAsItsApprovalIsOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.Bodies = envelope{}
		team := f.owner.Team.ID
		is := func(when string, a approval.Approval, want string, whole bool) {
			t.Helper()
			b, err := f.Body(t.Context(), team, a.ID)
			if err != nil || string(b.Bytes) != want || b.Whole != whole {
				t.Errorf("%s: %q, whole %v, %v", when, b.Bytes, b.Whole, err)
			}
		}
		gone := func(when string, a approval.Approval) {
			t.Helper()
			if b, err := f.Body(t.Context(), team, a.ID); fault.Of(err) != fault.NotFound {
				t.Errorf("%s: %q, %v", when, b.Bytes, err)
			}
			if _, _, err := f.store.ApprovalBody(t.Context(), team, a.ID); fault.Of(err) != fault.NotFound {
				t.Errorf("%s: a row is left, %v", when, err)
			}
		}
		whole := f.askWith(t, 'a', "{\"x\":\"\x00\xff\"}", 10)
		cut := f.askWith(t, 'b', "beginn", 1000)
		is("whole", whole, "{\"x\":\"\x00\xff\"}", true)
		is("cut", cut, "beginn", false)
		if sealed, _, err := f.store.ApprovalBody(t.Context(), team, cut.ID); err != nil || bytes.Contains(sealed, []byte("beginn")) {
			t.Errorf("stored as it is: %q, %v", sealed, err)
		}
		if _, err := f.Body(t.Context(), storetest.Owner(t, f.store).Team.ID, whole.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team: %v", err)
		}
		if again := f.askWith(t, 'a', "other", 10); again.ID != whole.ID {
			t.Fatal("asked anew")
		}
		is("asked again", whole, "{\"x\":\"\x00\xff\"}", true)

		f.decide(t, whole.ID, approval.Grant)
		is("granted", whole, "{\"x\":\"\x00\xff\"}", true)
		f.use(t, whole)
		gone("executed", whole)
		f.decide(t, cut.ID, approval.Deny)
		gone("denied", cut)

		lapsed := f.askWith(t, 'c', "beginn", 1000)
		f.clock.Add(lapsed.TTL)
		if _, err := f.Body(t.Context(), team, lapsed.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("over, and not yet noted: %v", err)
		}
		if err := f.Lapse(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone("expired", lapsed)
		killed := f.askWith(t, 'd', "beginn", 1000)
		if _, err := (&kills.Service{Store: f.store, Bus: f.bus, Now: f.clock.Now}).Pull(t.Context(), f.owner, kills.Scope{}, ""); err != nil {
			t.Fatal(err)
		}
		gone("cancelled", killed)
		gone("without a body", approval.Approval{ID: "apr_none"})
	})
}

func TestBodiesThatAreNotKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		without := f.askWith(t, 'a', "{}", 2) // no vault
		if _, err := f.Body(t.Context(), f.owner.Team.ID, without.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("without a vault: %v", err)
		}
		f.Bodies = envelope{}
		empty := f.askWith(t, 'b', "", 0)
		if _, err := f.Body(t.Context(), f.owner.Team.ID, empty.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("no body: %v", err)
		}
		for name, change := range map[string]func(*wire.Ask){
			"longer than it may be": func(q *wire.Ask) { q.Body, q.BodySize = make([]byte, wire.MaxBody+1), 1<<20 },
			"longer than it is":     func(q *wire.Ask) { q.Body, q.BodySize = []byte("abc"), 2 },
		} {
			q := question('c')
			change(&q)
			if _, err := f.Ask(t.Context(), f.gw, q); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.Bodies = broken{}
		q := question('d')
		q.Body, q.BodySize = []byte("{}"), 2
		if _, err := f.Ask(t.Context(), f.gw, q); err == nil {
			t.Error("asked without what it is about")
		}
		if list, _, err := f.List(t.Context(), f.owner.Team.ID, approvals.Filter{}, approvals.Cursor{}, 10); err != nil || len(list) != 2 {
			t.Errorf("%d are there, %v, want the first two", len(list), err)
		}
	})
}

type broken struct{ envelope }

func (broken) SealAt(context.Context, vault.Place, credential.Secret) ([]byte, error) {
	return nil, errors.New("no key")
}
