// Package gateway is the data plane: the process on the user's machine that
// agents' requests go through.
//
// It puts the rooms beside it together and holds no rules of its own. What is
// asked of it comes through the control socket (package runs), what it decides
// by comes from the server (package link), and the requests themselves go
// through package proxy.
package gateway

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

// Config is what a gateway is started with. Everything else it is told by its
// server.
type Config struct {
	StateDir   string   // its own directory; see package state
	RuntimeDir string   // of control sockets; see runs.RuntimeDir
	ConnectTo  []string // "HOST:PORT:ADDR:PORT", as in curl; each permits its destination
	UpstreamCA string   // PEM file of roots to trust upstream besides the system's
	Version    string   // of the program
	Log        *slog.Logger

	// Idle is how long the gateway goes on with no run; zero is for ever. It
	// is for gateways that were started by a run and not by a person.
	Idle time.Duration

	// Ready is called once runs can begin. May be nil.
	Ready func(socket string)
}

func (c Config) connectTo() ([]netguard.ConnectTo, error) {
	var all []netguard.ConnectTo
	for _, s := range c.ConnectTo {
		list, err := netguard.ParseConnectToList(s)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// roots returns what upstream certificates must lead to, nil for the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.UpstreamCA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.UpstreamCA)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The file "+c.UpstreamCA+" for upstream verification cannot be read.", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("load the system's roots: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "The file "+c.UpstreamCA+" has no certificate in it that can be read.", nil)
	}
	return pool, nil
}
