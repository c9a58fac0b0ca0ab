package runs

import (
	"testing"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/wire"
)

// Not parallel: what others allocate would count.
func TestARequestThatPassesAllocatesNothingForItsRun(t *testing.T) {
	r := &Run{events: make(chan Event, maxEvents)}
	entry := audit.Traffic{Step: audit.Intent, Scheme: "https", Host: "api.example.com", Path: "/things", Query: "page=2"}
	if n := testing.AllocsPerRun(100, func() { r.Saw(entry, wire.Approval{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if r.counts.Allowed == 0 || len(r.events) != 0 {
		t.Errorf("counted %+v, said %d", r.counts, len(r.events))
	}
}
