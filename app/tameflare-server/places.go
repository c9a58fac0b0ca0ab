package main

import (
	"net"
	"net/url"
)

// places is where the server can be reached, once it listens.
type places struct {
	BaseURL   string   // of the dashboard
	LinkURL   string   // of the gateways' port
	LinkNames []string // that the gateways' port has a certificate for
	Loopback  bool     // nobody but this machine reaches the dashboard
	Secure    bool     // browsers come by https
}

// locate works out the addresses from the configuration and from what the
// listeners got: a port 0 becomes one of the system's choice.
func locate(c Config, dashboard, gateways net.Addr) places {
	host, _, _ := net.SplitHostPort(c.Addr) // checked by LoadConfig
	p := places{BaseURL: c.BaseURL}
	if p.BaseURL == "" {
		p.BaseURL = "http://" + net.JoinHostPort(host, port(dashboard))
	}
	base, err := url.Parse(p.BaseURL)
	if err != nil { // checked by LoadConfig
		base = &url.URL{}
	}
	p.Secure = base.Scheme == "https"
	// A proxy on this machine may lead others to a loopback address.
	p.Loopback = isLoopback(host) && isLoopback(base.Hostname())

	linkHost, _, _ := net.SplitHostPort(c.GatewayAddr)
	p.LinkNames = []string{linkHost}
	if isWildcard(c.GatewayAddr) {
		linkHost = base.Hostname()
		p.LinkNames = []string{linkHost, "localhost", "127.0.0.1"}
	}
	p.LinkURL = "https://" + net.JoinHostPort(linkHost, port(gateways))
	return p
}

func port(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
