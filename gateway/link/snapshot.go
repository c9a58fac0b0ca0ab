package link

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
)

const (
	pollWait     = 20 * time.Second
	pollSlack    = 10 * time.Second // on top, before the poll counts as lost
	keepConfirms = 5 * time.Minute  // how old the confirmation on disk may become
	badPause     = time.Second      // between looks for a snapshot that can be used
	refusedPause = time.Minute      // between attempts of a gateway that is not welcome
)

// kept is what snapshotFile holds. Credentials in it are sealed.
type kept struct {
	Snapshot     wire.Signed  `json:"snapshot"`
	Confirmation *wire.Signed `json:"confirmation,omitempty"`
}

// follower is where the snapshot loop stands.
type follower struct {
	l         *Link
	have      int64 // version acted on
	kept      kept
	confirmed time.Time // of the confirmation on disk
	bad       int64     // version that cannot be used
}

// restore takes up the snapshot from before a restart. Its signature, and that
// it is this gateway's, are checked like those of one that just came.
func (l *Link) restore() error {
	var k kept
	if err := l.dir.ReadJSON(snapshotFile, &k); fault.Of(err) == fault.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	s, err := l.readSnapshot(k.Snapshot)
	if err != nil {
		return err
	}
	if err := l.act(s); err != nil {
		return err
	}
	if k.Confirmation == nil {
		return nil
	}
	c, err := l.readConfirmation(*k.Confirmation)
	if err != nil {
		return err
	}
	if c.Version == s.Version {
		l.Current.Confirm(c.At)
	}
	return nil
}

// follow polls for snapshots until ctx ends.
func (l *Link) follow(ctx context.Context) error {
	f := &follower{l: l}
	if st, err := l.Current.Load(); st != nil {
		f.have = st.Version()
	} else if _, _, acted := l.Current.Until(); err != nil && acted {
		// One that is only too old is still the last. One that cannot be used
		// is not: the server is asked for it again, and says what is wrong.
		if version := l.keptVersion(); version > 0 {
			f.have = version
		}
	}
	retry := backoff{first: 200 * time.Millisecond, longest: 10 * time.Second}
	for ctx.Err() == nil {
		began, known := time.Now(), l.Status().Reachable
		wait := pollWait
		if !known {
			wait = 0
		}
		news, err := f.poll(ctx, wait)
		l.heard(err)
		_, no := errors.AsType[refused](err)
		switch {
		case ctx.Err() != nil: // the end, and not a failure
		case no:
			if !f.unwelcome(err) {
				retry.wait(ctx)
				continue
			}
			pause(ctx, refusedPause)
		case err != nil && f.bad != 0:
			pause(ctx, badPause) // a kill switch may come with the next one
		case err != nil:
			if fault.Of(err) != fault.Unavailable {
				l.Log.Error("cannot follow the configuration", "error", err)
			}
			retry.wait(ctx)
		case news:
			retry.reset()
		case !known:
			retry.reset() // that was only to find out whether the server is there
		case time.Since(began) < pollWait/4:
			// The server had no patience, perhaps because it is stopping.
			retry.wait(ctx)
		default:
			retry.reset()
		}
	}
	return nil
}

func (l *Link) keptVersion() int64 {
	var k kept
	if err := l.dir.ReadJSON(snapshotFile, &k); err != nil {
		return 0
	}
	s, err := l.readSnapshot(k.Snapshot)
	if err != nil {
		return 0
	}
	return s.Version
}

// poll asks once, and reports whether there was a newer snapshot.
func (f *follower) poll(ctx context.Context, wait time.Duration) (news bool, err error) {
	l := f.l
	if err := l.usable(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait+pollSlack)
	defer cancel()
	answer, err := call[wire.SnapshotAnswer](ctx, l.client.Load(), http.MethodGet,
		"/v1/snapshot?after="+strconv.FormatInt(f.have, 10)+"&wait="+wait.String(), nil)
	if err != nil {
		return false, err
	}
	l.welcome()
	if answer.Snapshot != nil {
		return true, f.take(*answer.Snapshot)
	}
	if answer.Confirmation != nil {
		return false, f.confirm(*answer.Confirmation)
	}
	return false, nil
}

// take makes a snapshot the one that is acted on, and keeps it.
func (f *follower) take(signed wire.Signed) error {
	l := f.l
	s, err := l.readSnapshot(signed)
	if err != nil {
		f.stop(signed)
		return fmt.Errorf("take snapshot: %w", err)
	}
	if s.Version <= f.have {
		return fmt.Errorf("take snapshot: version %d after %d is refused", s.Version, f.have)
	}
	if err := l.act(s); err != nil {
		f.stop(signed)
		if f.bad != s.Version {
			f.bad = s.Version
			l.Log.Error("the new configuration cannot be used; the one before stays", "version", s.Version, "error", err)
		}
		return fmt.Errorf("take snapshot: %w", err)
	}
	f.have, f.bad = s.Version, 0
	f.kept, f.confirmed = kept{Snapshot: signed}, s.IssuedAt
	if err := l.dir.WriteJSON(snapshotFile, f.kept); err != nil {
		l.Log.Error("the snapshot cannot be kept for the next start", "error", err)
	}
	return nil
}

// stop turns on the kill switches of a snapshot that cannot be used otherwise:
// whatever is wrong with it, those who pulled them meant it.
func (f *follower) stop(signed wire.Signed) {
	if !f.l.verify(wire.SnapshotContext, signed) {
		return
	}
	var only struct {
		GatewayID string        `json:"gateway_id"`
		Version   int64         `json:"version"`
		Kills     []policy.Kill `json:"kills"`
	}
	if err := json.Unmarshal(signed.Payload, &only); err != nil || only.GatewayID != f.l.Identity.GatewayID || only.Version <= f.have {
		return
	}
	f.l.Current.Stop(only.Kills)
}

func (f *follower) confirm(signed wire.Signed) error {
	l := f.l
	c, err := l.readConfirmation(signed)
	if err != nil {
		return fmt.Errorf("confirm snapshot: %w", err)
	}
	if c.Version != f.have {
		return nil
	}
	l.Current.Confirm(c.At)
	if f.kept.Snapshot.Payload == nil {
		if err := l.dir.ReadJSON(snapshotFile, &f.kept); err != nil {
			return fmt.Errorf("confirm snapshot: %w", err)
		}
	}
	if c.At.Sub(f.confirmed) >= keepConfirms {
		f.kept.Confirmation, f.confirmed = &signed, c.At
		if err := l.dir.WriteJSON(snapshotFile, f.kept); err != nil {
			l.Log.Error("the snapshot's confirmation cannot be kept for the next start", "error", err)
		}
	}
	return nil
}

// act compiles s and makes it count.
func (l *Link) act(s wire.Snapshot) error {
	st, err := decide.Compile(s, l.seal.Open)
	if err != nil {
		return err
	}
	l.Current.Use(st)
	l.Log.Info("configuration in use", "version", s.Version, "rules", len(s.Rules), "kills", len(s.Kills))
	for _, sentence := range st.Broken() {
		l.Log.Error(sentence, "version", s.Version)
	}
	return nil
}

func (l *Link) verify(context string, signed wire.Signed) bool {
	return ed25519.Verify(l.Identity.SnapshotKey, append([]byte(context), signed.Payload...), signed.Signature)
}

func (l *Link) readSnapshot(signed wire.Signed) (wire.Snapshot, error) {
	var s wire.Snapshot
	if !l.verify(wire.SnapshotContext, signed) {
		return s, errors.New("the snapshot's signature is not the server's")
	}
	if err := json.Unmarshal(signed.Payload, &s); err != nil {
		return s, fmt.Errorf("read snapshot: %w", err)
	}
	if s.GatewayID != l.Identity.GatewayID {
		return s, errors.New("the snapshot is another gateway's")
	}
	return s, nil
}

func (l *Link) readConfirmation(signed wire.Signed) (wire.Confirmation, error) {
	var c wire.Confirmation
	if !l.verify(wire.ConfirmationContext, signed) {
		return c, errors.New("the confirmation's signature is not the server's")
	}
	if err := json.Unmarshal(signed.Payload, &c); err != nil {
		return c, fmt.Errorf("read confirmation: %w", err)
	}
	if c.GatewayID != l.Identity.GatewayID {
		return c, errors.New("the confirmation is another gateway's")
	}
	return c, nil
}

// welcome notes that the server accepts the gateway.
func (l *Link) welcome() {
	l.mu.Lock()
	l.refuse = 0
	l.mu.Unlock()
}

// unwelcome denies everything at once and forgets what the gateway knew: the
// server does not accept it any more. It reports whether that is so. An alert
// in the handshake counts when it comes twice in a row, an answer at once.
func (f *follower) unwelcome(err error) bool {
	l := f.l
	l.mu.Lock()
	l.refuse++
	count := l.refuse
	l.mu.Unlock()
	if fault.Of(err) == fault.Unavailable && count < 2 {
		return false
	}
	const problem = "The server does not accept this gateway any more. Enrol it again: run tameflare gateway up"
	l.again(problem)
	if _, _, had := l.Current.Until(); had {
		l.Log.Error(problem, "error", err)
	}
	l.Current.Revoke()
	if err := l.dir.Remove(snapshotFile); err != nil {
		l.Log.Error("the snapshot cannot be removed", "error", err)
	}
	f.have, f.kept = 0, kept{}
	return true
}
