package mitm

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Bundle returns all that a governed process should trust: the gateway's
// roots, those of the host, and those of a bundle that was configured before,
// as many companies do. Whatever is no certificate is left out.
//
// The process needs the others too: tools that are told about a bundle use it
// for everything, also for what does not go through the gateway.
func (a *Authority) Bundle(hostRoots, extra []byte) []byte {
	var out bytes.Buffer
	seen := map[string]bool{}
	for _, data := range [][]byte{a.CertPEM(), hostRoots, extra} {
		for {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" || seen[string(block.Bytes)] {
				continue
			}
			seen[string(block.Bytes)] = true
			// Encoding to memory cannot fail without headers.
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes}))
		}
	}
	return out.Bytes()
}

// WriteBundle writes the Bundle next to ca.pem and returns its path.
func (a *Authority) WriteBundle(hostRoots, extra []byte) (string, error) {
	path := filepath.Join(a.dir, "bundle.pem")
	if err := writeFile(path, a.Bundle(hostRoots, extra), 0o644); err != nil {
		return "", err
	}
	return path, nil
}

// CertFile returns the path of ca.pem.
func (a *Authority) CertFile() string { return filepath.Join(a.dir, "ca.pem") }

// hostBundles are where systems keep the roots they trust.
var hostBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Gentoo
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", // SUSE
	"/etc/ssl/cert.pem",      // Alpine, macOS, BSD
}

// HostRoots returns the roots that the host trusts, or nothing on a host that
// keeps them elsewhere.
func HostRoots() ([]byte, error) {
	for _, path := range hostBundles {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read host roots: %w", err)
		}
		return data, nil
	}
	return nil, nil
}
