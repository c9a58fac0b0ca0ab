package trail

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
)

// Whatever an entry says, what follows from it can be stored, and belongs to
// the gateway that sent it.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"step":"intent","request":"req_abcd","host":"a\u0000b"}`), []byte(`{"step":"outcome","request":"req_abcd","status":200}`))
	f.Add([]byte(`null`), []byte(`{"step":"refused","request":"req_abcd","time":"9999-01-01T00:00:00Z","decision":"maybe"}`))
	f.Add([]byte("\xff"), []byte(`{"step":"outcome","request":"req_abcd","sent":-9223372036854775808}`))
	f.Add([]byte(`{"step":"intent","request":"req_abcd","why":{"flip":null},"policy_version":-1,"score":1000,"action":{"name":"a.b","unknown":["\u0000"]}}`), []byte(`{}`))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		m := merger{gw: fleet.Gateway{ID: "gw_1", TeamID: "team_1"}, now: now}
		m.add(audit.Sealed{Seq: 1, Entry: a})
		m.add(audit.Sealed{Seq: 2, Entry: b})
		u := m.upload(audit.Sealed{}, nil)
		if len(u.Entries) != 2 {
			t.Fatalf("%d entries, want 2", len(u.Entries))
		}
		for _, r := range u.Requests {
			if r.GatewayID != "gw_1" || r.TeamID != "team_1" || !requestID.MatchString(r.ID) {
				t.Errorf("row %+v", r)
			}
			if r.Time.Before(earliest) || r.Time.After(now.Add(ahead)) {
				t.Errorf("at %v", r.Time)
			}
			if r.Status < 0 || r.Status > 999 || r.Sent < 0 || r.Received < 0 || r.TotalMS < 0 {
				t.Errorf("numbers: %+v", r)
			}
			for _, s := range []string{r.RunID, r.Method, r.Scheme, r.Host, r.Path, r.Query, r.Action, r.Resource, r.Reason, r.Code, r.ApprovalID, r.Credential, r.Error, r.Decision,
				r.PolicyID, r.Reported, r.ReportedAs} {
				if !utf8.ValidString(s) || len(s) > maxLong || audit.Plain(s, maxLong) != s {
					t.Errorf("%q cannot be stored", s)
				}
			}
			for _, s := range []string{r.Facts, r.Why} {
				if len(s) > maxFacts || audit.Plain(s, maxFacts) != s || s != "" && !json.Valid([]byte(s)) {
					t.Errorf("%.100q cannot be stored, or read again", s)
				}
			}
			if r.PolicyV < 0 || r.Score < 0 || r.Score > maxScore {
				t.Errorf("version %d, score %d", r.PolicyV, r.Score)
			}
		}
	})
}
