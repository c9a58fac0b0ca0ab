package link_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tameflare/tameflare/app/link"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/wire"
)

// known is a fleet in which everybody is who the server's name says.
type known struct{ link.Fleet }

func (known) Peer(_ context.Context, state tls.ConnectionState) (fleet.Gateway, error) {
	return fleet.Gateway{ID: state.ServerName}, nil
}

func (known) Saw(context.Context, fleet.Gateway, string) error { return nil }

// slow is a trail that takes its time over one gateway's entries.
type slow struct {
	of    string
	begun chan<- struct{}
	end   <-chan struct{}
}

func (s slow) Append(_ context.Context, gw fleet.Gateway, _ []audit.Sealed) (wire.AuditAnswer, error) {
	if gw.ID == s.of {
		s.begun <- struct{}{}
		<-s.end
	}
	return wire.AuditAnswer{}, nil
}

// An upload is small packed and large unpacked: a few at once are enough for a
// gateway, and a thousand would be too many for the server.
func TestOneGatewayUploadsTwoAtOnce(t *testing.T) {
	t.Parallel()

	begun, end := make(chan struct{}), make(chan struct{})
	h := (&link.Server{Fleet: known{}, Trail: slow{"gw_a", begun, end}, Log: slog.New(slog.DiscardHandler)}).Handler()
	upload := func(gateway string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/audit", strings.NewReader(""))
		r.Header.Set("Content-Type", "application/x-ndjson")
		r.TLS = &tls.ConnectionState{ServerName: gateway}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	var uploads sync.WaitGroup
	for range 2 {
		uploads.Go(func() {
			if status := upload("gw_a"); status != http.StatusOK {
				t.Errorf("one of two: %d, want 200", status)
			}
		})
		<-begun
	}
	third := make(chan int, 1)
	go func() { third <- upload("gw_a") }()
	select {
	case status := <-third:
		if status != http.StatusTooManyRequests {
			t.Errorf("a third: %d, want 429", status)
		}
	case <-begun:
		t.Error("a third is let in")
	}
	if status := upload("gw_b"); status != http.StatusOK {
		t.Errorf("another gateway's: %d, want 200", status)
	}
	close(end)
	uploads.Wait()
	go func() { <-begun }()
	if status := upload("gw_a"); status != http.StatusOK {
		t.Errorf("afterwards: %d, want 200", status)
	}
}
