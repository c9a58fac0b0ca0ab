package mail_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// envelope is a mail that was taken.
type envelope struct {
	from, to string
	data     string
	tls      bool
	user     string
}

// postOffice is a mail server that takes mails as the real ones do (RFC 5321,
// RFC 3207, RFC 4954): nobody gets in without TLS and a password.
type postOffice struct {
	addr     string
	roots    *x509.CertPool
	config   *tls.Config
	noTLS    bool   // it does not offer it
	atOnce   bool   // TLS from the start
	password string // "" asks for none
	refuse   string // what it says to whoever a mail is to; "" takes it

	mu    sync.Mutex
	taken []envelope
}

func openOffice(t *testing.T, set func(*postOffice)) *postOffice {
	t.Helper()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	t.Cleanup(cert.Close)
	o := &postOffice{config: &tls.Config{Certificates: cert.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots: x509.NewCertPool(), password: "p@ss word"}
	o.roots.AddCert(cert.Certificate())
	set(o)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.addr = l.Addr().String()
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { o.serve(c) })
		}
	}()
	return o
}

func (o *postOffice) mails() []envelope {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]envelope(nil), o.taken...)
}

func (o *postOffice) serve(c net.Conn) {
	defer func() { c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var e envelope
	if o.atOnce {
		c, e.tls = tls.Server(c, o.config), true
	}
	r := bufio.NewReader(c)
	say := func(lines ...string) {
		for _, l := range lines {
			fmt.Fprintf(c, "%s\r\n", l)
		}
	}
	say("220 office ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			say("250-office")
			if !e.tls && !o.noTLS {
				say("250-STARTTLS")
			}
			if e.tls {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			c, e.tls = tls.Server(c, o.config), true
			r = bufio.NewReader(c)
		case "AUTH":
			_, coded, _ := strings.Cut(rest, " ")
			b, _ := base64.StdEncoding.DecodeString(coded)
			parts := strings.Split(string(b), "\x00")
			if !e.tls || len(parts) != 3 || parts[2] != o.password {
				say("535 5.7.8 CANARY no")
				continue
			}
			e.user = parts[1]
			say("235 welcome")
		case "MAIL":
			if o.password != "" && e.user == "" {
				say("530 5.7.0 CANARY sign in")
				continue
			}
			e.from = rest
			say("250 ok")
		case "RCPT":
			if o.refuse != "" {
				say(o.refuse)
				continue
			}
			e.to = rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(l, "."))
			}
			e.data = b.String()
			o.mu.Lock()
			o.taken = append(o.taken, e)
			o.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
