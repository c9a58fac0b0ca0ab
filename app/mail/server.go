// Package mail tells people by e-mail what waits for them.
//
// A mail says what is asked and leads to the page where it can be decided,
// after signing in. Nothing in a mail decides: programs that look for malware
// open every link.
package mail

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
)

// Server is where mails are handed in. The zero Server is none.
type Server struct {
	Host     string
	Port     int
	TLS      bool // from the start; otherwise by STARTTLS
	Plain    bool // without TLS, which only a server on this machine may be
	User     string
	Password credential.Secret
	From     mail.Address
}

// Set reports whether there is a server.
func (s Server) Set() bool { return s.Host != "" }

// ParseURL reads "smtp://user:password@host:587?from=tameflare@example.com";
// smtps:// is TLS from the start, and otherwise there is STARTTLS. No error
// quotes the text: it holds a password.
func ParseURL(text credential.Secret) (Server, error) {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return Server{}, errors.New("not an address such as smtp://user:password@mail.example.com:587?from=tameflare@example.com; what is odd in a password is written %40 and the like")
	}
	s := Server{Host: u.Hostname(), TLS: u.Scheme == "smtps", Port: 587}
	if s.TLS {
		s.Port = 465
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return Server{}, errors.New("the port is none")
		}
		s.Port = int(n)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.User, s.Password = u.User.Username(), credential.NewSecret(password)
		if s.User == "" || password == "" {
			return Server{}, errors.New("a user has a name and a password")
		}
	}
	for name, values := range u.Query() {
		switch {
		case name == "from" && len(values) == 1:
			from, err := mail.ParseAddress(values[0])
			if err != nil || strings.ContainsAny(values[0], "\r\n") {
				return Server{}, errors.New("from is not an e-mail address")
			}
			s.From = *from
		case name == "tls" && len(values) == 1 && values[0] == "none" && !s.TLS && s.local():
			s.Plain = true
		case name == "tls":
			return Server{}, errors.New("only a server on this machine is spoken to without TLS: tls=none with smtp://localhost")
		default:
			return Server{}, errors.New("there is no setting but from and tls")
		}
	}
	if s.From.Address == "" {
		return Server{}, errors.New("say whom mails are from: …?from=tameflare@example.com")
	}
	if s.From.Name == "" {
		s.From.Name = "TameFlare"
	}
	return s, nil
}

func (s Server) local() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}
