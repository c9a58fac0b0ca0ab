package run

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/gateway/runs"
)

// files are what clients read that no variable reaches. They are in a
// directory of the run's own, and gone with it.
type files struct {
	dir                   string
	wgetrc, phpini, trust string
}

const trustPassword = "changeit" // what every Java has; the store holds nothing secret

func writeFiles(c *console.Console, door runs.Door) (f files, err error) {
	runtime, err := runs.RuntimeDir(c.Getenv)
	if err != nil {
		return f, err
	}
	f.dir = filepath.Join(runtime, door.RunID)
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return f, fmt.Errorf("make the run's directory: %w", err)
	}
	defer func() {
		if err != nil {
			f.remove()
		}
	}()
	bundle, err := os.ReadFile(door.Bundle)
	if err != nil {
		return f, fmt.Errorf("read bundle: %w", err)
	}
	f.wgetrc, f.phpini, f.trust = filepath.Join(f.dir, "wgetrc"), filepath.Join(f.dir, "php"), filepath.Join(f.dir, "trust.p12")
	store, err := trustStore(bundle)
	if err != nil {
		return f, fmt.Errorf("make Java's trust store: %w", err)
	}
	if err := os.Mkdir(f.phpini, 0o700); err != nil {
		return f, fmt.Errorf("make the run's directory: %w", err)
	}
	for path, content := range map[string][]byte{
		f.wgetrc:                                 append(userWGETRC(c), "\nca_certificate="+door.Bundle+"\n"...),
		filepath.Join(f.phpini, "tameflare.ini"): []byte("curl.cainfo=\"" + door.Bundle + "\"\nopenssl.cafile=\"" + door.Bundle + "\"\n"),
		f.trust:                                  store,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return f, fmt.Errorf("write the run's files: %w", err)
		}
	}
	return f, nil
}

func (f files) remove() { _ = os.RemoveAll(f.dir) } // it is in the runtime directory, which does not last anyway

// userWGETRC is what wget would have read.
func userWGETRC(c *console.Console) []byte {
	path := c.Getenv("WGETRC")
	if path == "" {
		path = filepath.Join(c.Getenv("HOME"), ".wgetrc")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// trustStore is the bundle as Java reads it.
func trustStore(bundle []byte) ([]byte, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // some old roots are not what Go takes; Java has no more use for them
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("the bundle has no certificate")
	}
	return pkcs12.Modern2023.EncodeTrustStore(certs, trustPassword)
}
