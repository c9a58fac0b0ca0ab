package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
)

const canary = "canary-5f1d"

// spilled is what smallstep writes to the standard library's log while the
// tests run.
var spilled = new(lockedBuffer)

var quietLog = log.New(io.Discard, "", 0)

func TestMain(m *testing.M) {
	log.SetOutput(spilled)
	code := m.Run()
	if strings.Contains(spilled.String(), canary) {
		fmt.Fprintln(os.Stderr, "a token or request was written to the standard log:", spilled)
		code = 1
	}
	os.Exit(code)
}

func TestErrorsCarryNeitherTokenNorRequest(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	n := name{team: "tm_1", gateway: "gw_1"}
	csr := request(t, newKey(t), x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: canary},
		DNSNames: []string{canary + ".example"},
		URIs:     []*url.URL{mustURL("spiffe://" + canary + ".example/x")},
	})
	block, _ := pem.Decode(csr)
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	good := b.token(t, "gw_1", "tm_1")
	marked := b.signed(t, b.mint.signer, func(c *claims) { c.ID, c.Audience = canary, []string{canary} })

	errs := map[string]error{}
	_, errs["a request with names of its own"] = b.Enrol(t.Context(), good, csr)
	_, errs["a token for another audience"] = b.Enrol(t.Context(), marked, csr)
	_, errs["a token that is none"] = b.Enrol(t.Context(), canary+"."+canary+"."+canary, csr)
	_, errs["a request that is none"] = b.Enrol(t.Context(), good, []byte(canary))
	_, errs["smallstep sees the request"] = b.step.sign(t.Context(), good, n, req)
	_, errs["smallstep sees the token"] = b.step.sign(t.Context(), marked, n, req)
	_, errs["smallstep sees no token"] = b.step.sign(t.Context(), canary, n, req)
	errs["smallstep says more than it should"] = quiet("sign", errors.New(canary))
	for what, err := range errs {
		if err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		fmt.Fprintf(b.log, "%s\n", err)
		text := fmt.Sprintf("%s %v %+v %q %s", err, err, err, err, fault.Message(err))
		for _, secret := range []string{canary, good, strings.Split(good, ".")[2], marked, "CERTIFICATE REQUEST-"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the error quotes %.40q: %.300s", what, secret, text)
			}
		}
	}
}

func TestStoreErrorsComeThroughSmallstep(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	e := b.enrol(t, "gw_1", "tm_1")
	b.memory.beforeInsert = func() error { return errBroken }
	_, err := b.Renew(t.Context(), e.state(), nil)
	if err == nil || !strings.Contains(err.Error(), errBroken.Error()) {
		t.Errorf("error = %v, want the store's inside", err)
	}
	if err := quiet("renew", fmt.Errorf("smallstep: %s: %w", canary, storeError{errBroken})); !strings.Contains(err.Error(), errBroken.Error()) || strings.Contains(err.Error(), canary) {
		t.Errorf("error = %v", err)
	}
}
