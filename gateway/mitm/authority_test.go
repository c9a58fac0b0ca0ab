package mitm_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/mitm"
)

const day = 24 * time.Hour

var began = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is a clock that the test sets.
type clock struct{ now atomic.Pointer[time.Time] }

func newClock() *clock { c := &clock{}; c.set(began); return c }

func (c *clock) set(t time.Time) { c.now.Store(&t) }
func (c *clock) Now() time.Time  { return *c.now.Load() }

func load(t *testing.T, dir string, c mitm.Config) *mitm.Authority {
	t.Helper()
	if c.Now == nil {
		c.Now = newClock().Now
	}
	a, err := c.Load(dir, c.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func roots(t *testing.T, data []byte) (*x509.CertPool, []*x509.Certificate) {
	t.Helper()
	pool := x509.NewCertPool()
	var list []*x509.Certificate
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			return pool, list
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(c)
		list = append(list, c)
	}
}

func leaf(t *testing.T, a *mitm.Authority, host string) *x509.Certificate {
	t.Helper()
	c, err := a.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func verify(t *testing.T, a *mitm.Authority, c *x509.Certificate, host string, at time.Time) error {
	t.Helper()
	pool, _ := roots(t, a.CertPEM())
	_, err := c.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, CurrentTime: at})
	return err
}

func TestRootStaysTheSameAcrossStarts(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "made", "as needed")
	first := load(t, dir, mitm.Config{})
	second := load(t, dir, mitm.Config{})
	if got, want := second.Fingerprint(), first.Fingerprint(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := len(first.Fingerprint()), 32*3-1; got != want {
		t.Errorf("fingerprint %q has %d letters, want %d", first.Fingerprint(), got, want)
	}
	onDisk, err := os.ReadFile(first.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(onDisk), string(first.CertPEM()); got != want {
		t.Errorf("ca.pem is\n%s, want\n%s", got, want)
	}
}

func TestGatewaysThatStartAtOnceShareARoot(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	var wg sync.WaitGroup
	prints := make([]string, 16)
	for i := range prints {
		wg.Go(func() {
			a, err := mitm.Load(dir, began)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = a.Fingerprint()
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Fatalf("two roots: %s and %s", p, prints[0])
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestKeyIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	load(t, dir, mitm.Config{})
	for name, want := range map[string]os.FileMode{"ca.key": 0o600, "ca.pem": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(public), "PRIVATE") {
		t.Error("ca.pem holds a key")
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(filepath.Join(dir, "ca.key"), mode); err != nil {
			t.Fatal(err)
		}
		_, err := mitm.Load(dir, began)
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "ca.key") {
			t.Errorf("mode %o: got %v", mode, err)
		}
	}
}

func TestDamagedKeyFileIsNotReplaced(t *testing.T) {
	t.Parallel()

	for name, data := range map[string]string{"empty": "", "text": "hello", "half a pair": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			path := filepath.Join(dir, "ca.key")
			if name == "half a pair" {
				load(t, dir, mitm.Config{})
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				data = string(whole[:strings.Index(string(whole), "-----BEGIN PRIVATE")])
			}
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := mitm.Load(dir, began); fault.Of(err) != fault.Invalid {
				t.Errorf("got %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != data {
				t.Errorf("the file became %q, %v", got, err)
			}
		})
	}
}

func TestRootCanSignServersOnly(t *testing.T) {
	t.Parallel()

	a := load(t, t.TempDir(), mitm.Config{Name: "build-7"})
	_, list := roots(t, a.CertPEM())
	if len(list) != 1 {
		t.Fatalf("%d roots, want 1", len(list))
	}
	r := list[0]
	if !r.IsCA || !r.MaxPathLenZero || r.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign ||
		len(r.ExtKeyUsage) != 1 || r.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || len(r.SubjectKeyId) == 0 {
		t.Errorf("root is %+v", r)
	}
	if got, want := r.Subject.CommonName, "TameFlare gateway on build-7"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	c := leaf(t, a, "api.example")
	pool, _ := roots(t, a.CertPEM())
	if _, err := c.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: began, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
		t.Error("a leaf verifies as a client")
	}
}

func TestRootIsReplacedBeforeItEnds(t *testing.T) {
	t.Parallel()

	dir, now := t.TempDir(), newClock()
	a := load(t, dir, mitm.Config{Life: 120 * day, Now: now.Now})
	old := a.Fingerprint()
	renew := func(after time.Duration, changed bool, published int, signer string) {
		t.Helper()
		now.set(began.Add(after))
		got, err := a.Renew(now.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got != changed {
			t.Errorf("after %v: changed is %v, want %v", after, got, changed)
		}
		if _, list := roots(t, a.CertPEM()); len(list) != published {
			t.Errorf("after %v: %d roots published, want %d", after, len(list), published)
		}
		if same := a.Fingerprint() == old; same != (signer == "old") {
			t.Errorf("after %v: the old root signs: %v, want the %s to sign", after, same, signer)
		}
		if err := verify(t, a, leaf(t, a, "api.example"), "api.example", now.Now()); err != nil {
			t.Errorf("after %v: %v", after, err)
		}
	}
	renew(109*day, false, 1, "old")
	renew(111*day, true, 2, "old") // published, and known to whoever starts now
	renew(112*day, false, 2, "old")
	renew(116*day, true, 2, "new") // signs, while the old is still published
	renew(117*day, false, 2, "new")
	renew(121*day, true, 1, "new")

	if got, want := load(t, dir, mitm.Config{Life: 120 * day, Now: now.Now}).Fingerprint(), a.Fingerprint(); got != want {
		t.Errorf("after a restart %s signs, want %s", got, want)
	}
}

func TestRotateDropsTheOldRoot(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	a := load(t, dir, mitm.Config{})
	old, before := a.Fingerprint(), leaf(t, a, "api.example")
	if err := a.Rotate(began); err != nil {
		t.Fatal(err)
	}
	if a.Fingerprint() == old {
		t.Fatal("the root is still the same")
	}
	if err := verify(t, a, before, "api.example", began); err == nil {
		t.Error("a leaf of the old root still verifies")
	}
	if err := verify(t, a, leaf(t, a, "api.example"), "api.example", began); err != nil {
		t.Errorf("a leaf of the new root: %v", err)
	}
	if got, want := load(t, dir, mitm.Config{}).Fingerprint(), a.Fingerprint(); got != want {
		t.Errorf("after a restart %s signs, want %s", got, want)
	}
}

func TestLeavesAreMadeForOneDay(t *testing.T) {
	t.Parallel()

	now := newClock()
	a := load(t, t.TempDir(), mitm.Config{Now: now.Now})
	first := leaf(t, a, "api.example")
	if life := first.NotAfter.Sub(first.NotBefore); life > day {
		t.Errorf("valid for %v", life)
	}
	if !first.NotBefore.Before(began) {
		t.Errorf("valid from %v, and clients' clocks may run behind", first.NotBefore)
	}
	for _, c := range []struct {
		after time.Duration
		same  bool
	}{{time.Hour, true}, {21 * time.Hour, true}, {22*time.Hour + time.Second, false}} {
		now.set(began.Add(c.after))
		if got := leaf(t, a, "api.example").Equal(first); got != c.same {
			t.Errorf("after %v: the same certificate: %v, want %v", c.after, got, c.same)
		}
	}
	now.set(began.Add(-2 * time.Hour))
	if _, err := a.Leaf("api.example"); err == nil {
		t.Error("a certificate that is not valid yet was given out")
	}
	now.set(began.Add(400 * day))
	if _, err := a.Leaf("api.example"); err == nil {
		t.Error("a root that has ended signed")
	}
}

func TestLeafNamesExactlyItsHost(t *testing.T) {
	t.Parallel()

	a := load(t, t.TempDir(), mitm.Config{})
	for _, host := range []string{
		"api.example", "localhost", "a_b.example", "xn--bcher-kva.example", "127.0.0.1", "::1", "2001:db8::a",
		strings.Repeat("abcdefg.", 20) + "example",
	} {
		c := leaf(t, a, host)
		if got := len(c.DNSNames) + len(c.IPAddresses); got != 1 {
			t.Errorf("%s: %d names", host, got)
		}
		if len(c.AuthorityKeyId) == 0 || len(c.SubjectKeyId) == 0 {
			t.Errorf("%s: keys are not named", host)
		}
		if err := verify(t, a, c, host, began); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if err := verify(t, a, c, "other.example", began); err == nil {
			t.Errorf("%s: verifies for another host", host)
		}
	}
	for _, host := range []string{
		"", ".", "a..b", ".a", "a.", "*.example", "API.example", "bücher.example", "a b", "a:443", "[::1]", "fe80::1%eth0",
		"a\x00b", "a/b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a",
	} {
		if _, err := a.Leaf(host); err == nil {
			t.Errorf("made a certificate for %q", host)
		}
	}
	if got, want := a.Stats(), (mitm.Stats{Minted: 8, Cached: 8}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOneMintForAHundredCallers(t *testing.T) {
	t.Parallel()

	a := load(t, t.TempDir(), mitm.Config{})
	// Many hosts, or the hundred hardly ever come at once.
	const hosts, callers = 50, 100
	for i := range hosts {
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range callers {
			wg.Go(func() {
				<-start
				if _, err := a.Leaf(fmt.Sprintf("h%d.example", i)); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
	}
	if got, want := a.Stats().Minted, uint64(hosts); got != want {
		t.Errorf("minted %d, want %d", got, want)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()

	a := load(t, t.TempDir(), mitm.Config{Cache: 8})
	for i := range 50 {
		leaf(t, a, fmt.Sprintf("h%d.example", i))
		if _, err := a.Leaf(fmt.Sprintf("BAD%d", i)); err == nil {
			t.Fatal("made a certificate for a bad name")
		}
	}
	if got := a.Stats().Cached; got > 8 {
		t.Errorf("%d certificates kept, want at most 8", got)
	}
}

func BenchmarkMint(b *testing.B) {
	a, err := mitm.Config{Cache: 1}.Load(b.TempDir(), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := a.Leaf(fmt.Sprintf("h%d.example", i)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeafFromCache(b *testing.B) {
	a, err := mitm.Load(b.TempDir(), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Leaf("api.example"); err != nil {
			b.Fatal(err)
		}
	}
}
