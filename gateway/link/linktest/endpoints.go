package linktest

import (
	"bufio"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

func answer(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		status = fault.Of(err).Status()
		v = wire.Problem{Title: "no", Status: status, Detail: fault.Message(err), Code: fault.Of(err).String()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// until calls done at every ring, under the lock, until it says true or wait
// is over.
func (s *Server) until(r *http.Request, done func() bool) {
	wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
	over := time.After(wait)
	for {
		s.Lock()
		rung, yes := s.rung, done()
		s.Unlock()
		if yes {
			return
		}
		select {
		case <-rung:
		case <-over:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.Lock()
			refuse := s.Refuse
			if len(r.TLS.VerifiedChains) > 0 {
				s.Serials[r.TLS.PeerCertificates[0].SerialNumber.String()] = true
			}
			s.Unlock()
			if len(r.TLS.VerifiedChains) == 0 && pattern != "POST /v1/enrol" {
				answer(w, nil, fault.New(fault.Unauthenticated, "No certificate.", nil))
				return
			}
			if refuse != nil && pattern != "POST /v1/enrol" {
				w.WriteHeader(refuse.Status)
				_ = json.NewEncoder(w).Encode(refuse)
				return
			}
			v, err := do(r)
			answer(w, v, err)
		})
	}
	handle("POST /v1/enrol", s.enrol)
	handle("POST /v1/renew", s.renew)
	handle("GET /v1/snapshot", s.snapshot)
	handle("POST /v1/approvals", s.ask)
	handle("GET /v1/approvals/changes", s.changes)
	handle("GET /v1/approvals/{id}", s.wait)
	handle("POST /v1/approvals/{id}/use", s.use)
	handle("POST /v1/audit", s.audit)
	handle("POST /v1/kills", s.kill)
	return mux
}

func (s *Server) enrol(r *http.Request) (any, error) {
	var in wire.EnrolRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.Lock()
	defer s.Unlock()
	if !s.tokens[in.Token] {
		return nil, fault.New(fault.Conflict, "This enrolment token has been used.", nil)
	}
	delete(s.tokens, in.Token)
	s.SealKey = in.SealKey
	chain, until, err := s.issue(in.CSR)
	a := wire.EnrolAnswer{
		Chain: chain, NotAfter: until, GatewayID: GatewayID, TeamID: "team_test", Name: "test", SnapshotKey: s.signKey[ed25519.PrivateKeySize-ed25519.PublicKeySize:],
	}
	if n := len(s.Entries); n > 0 {
		a.AuditThrough, a.AuditHash = s.Entries[n-1].Seq, s.Entries[n-1].Hash
	}
	return a, err
}

func (s *Server) renew(r *http.Request) (any, error) {
	var in wire.RenewRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.Lock()
	defer s.Unlock()
	s.Renewals++
	chain, until, err := s.issue(in.CSR)
	return wire.RenewAnswer{Chain: chain, NotAfter: until}, err
}

func (s *Server) snapshot(r *http.Request) (any, error) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	s.until(r, func() bool {
		s.Acked = max(s.Acked, after)
		return s.Snapshot.Version > 0 && s.Snapshot.Version != after || s.Refuse != nil
	})
	s.Lock()
	defer s.Unlock()
	if s.Refuse != nil {
		return nil, fault.New(fault.Parse(s.Refuse.Code), s.Refuse.Detail, nil)
	}
	if s.Snapshot.Version > 0 && s.Snapshot.Version != after {
		return wire.SnapshotAnswer{Snapshot: s.Sign(wire.SnapshotContext, s.Snapshot)}, nil
	}
	return wire.SnapshotAnswer{Confirmation: s.Sign(wire.ConfirmationContext, wire.Confirmation{GatewayID: GatewayID, Version: after, At: time.Now().UTC()})}, nil
}

func (s *Server) ask(r *http.Request) (any, error) {
	var in wire.Ask
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.Lock()
	defer s.Unlock()
	s.Asked = append(s.Asked, in)
	id := "apr_" + in.Fingerprint
	if s.Approvals[id] == nil {
		s.Approvals[id] = &wire.Approval{
			ID: id, Status: approval.Pending, Seq: 1, URL: s.URL + "/approvals/" + id, ExpiresAt: time.Now().Add(time.Hour),
			Principal: in.Principal, Action: in.Action.Name, Sentence: in.Sentence,
		}
	}
	return *s.Approvals[id], nil
}

func (s *Server) wait(r *http.Request) (any, error) {
	seq, _ := strconv.ParseInt(r.URL.Query().Get("seq"), 10, 64)
	id := r.PathValue("id")
	s.until(r, func() bool { return s.Approvals[id] == nil || s.Approvals[id].Seq > seq })
	s.Lock()
	defer s.Unlock()
	if s.Approvals[id] == nil {
		return nil, fault.New(fault.NotFound, "No such approval.", nil)
	}
	return *s.Approvals[id], nil
}

func (s *Server) changes(r *http.Request) (any, error) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	s.Lock()
	if s.NoChanges {
		s.Unlock()
		return nil, fault.New(fault.NotFound, "There is nothing here. Is the gateway newer than the server?", nil)
	}
	s.Polls++
	s.Unlock()
	if after > 0 {
		s.until(r, func() bool { return len(s.changed)+1 > after })
	}
	s.Lock()
	defer s.Unlock()
	out := wire.Changes{After: int64(len(s.changed)) + 1}
	if after > 0 && after <= len(s.changed) {
		for _, id := range s.changed[after-1:] {
			out.Approvals = append(out.Approvals, *s.Approvals[id])
		}
	}
	return out, nil
}

// Settle decides about an approval.
func (s *Server) Settle(id string, status approval.Status) {
	s.Lock()
	s.Approvals[id].Status = status
	s.Approvals[id].Seq++
	s.changed = append(s.changed, id)
	s.Unlock()
	s.Ring()
}

func (s *Server) use(r *http.Request) (any, error) {
	var in wire.Use
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.Lock()
	defer s.Unlock()
	a := s.Approvals[r.PathValue("id")]
	if a == nil || a.Status != approval.Approved {
		return nil, fault.New(fault.Conflict, "There is no grant.", nil)
	}
	a.Status = approval.Executed
	a.Seq++
	s.changed = append(s.changed, a.ID)
	s.Used = append(s.Used, in)
	return *a, nil
}

func (s *Server) audit(r *http.Request) (any, error) {
	z, err := zstd.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var batch []audit.Sealed
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 2<<20)
	for lines.Scan() {
		var e wire.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fault.New(fault.Invalid, "Not an entry.", err)
		}
		batch = append(batch, audit.Sealed{Seq: e.Seq, Hash: e.Hash, Entry: []byte(strings.Clone(string(e.Entry)))})
	}
	s.Lock()
	defer s.Unlock()
	s.Uploads++
	if s.Answer != nil {
		if a, replaced := s.Answer(batch); replaced {
			return a, nil
		}
	}
	var seq int64
	var prev string
	if n := len(s.Entries); n > 0 {
		seq, prev = s.Entries[n-1].Seq, s.Entries[n-1].Hash
	}
	if len(batch) > 0 && batch[0].Seq > seq+1 {
		return wire.AuditAnswer{Through: seq, Expected: seq + 1}, nil
	}
	for len(batch) > 0 && batch[0].Seq <= seq {
		batch = batch[1:]
	}
	if err := audit.Verify(seq, prev, batch); err != nil {
		return nil, fault.New(fault.Invalid, "The chain does not hold.", err)
	}
	s.Entries = append(s.Entries, batch...)
	return wire.AuditAnswer{Through: seq + int64(len(batch))}, nil
}

func (s *Server) kill(r *http.Request) (any, error) {
	var in wire.KillReport
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.Lock()
	defer s.Unlock()
	s.Kills = append(s.Kills, in)
	return struct{}{}, nil
}
