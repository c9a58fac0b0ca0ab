package pktline

import "strings"

// signed reads on after the line push-cert. The lines of a certificate are: a
// header, an empty one, the commands, the signature. Git joins the packets and
// cuts them at line feeds, so a packet that is not exactly one line is refused.
func (p *pushReader) signed(r *reader) (Push, error) {
	p.push.Signed = true
	for part := header; ; {
		k, text, err := r.next()
		if err != nil {
			return Push{}, err
		}
		text, ended := strings.CutSuffix(text, "\n")
		if k != line || !ended || strings.ContainsAny(text, "\n\x00") {
			return Push{}, malformed("a certificate that is not made of lines")
		}
		switch {
		case text == "push-cert-end":
			if part == header {
				return Push{}, malformed("a certificate without commands")
			}
			if k, _, err := r.next(); err != nil || k != flush {
				return Push{}, orMalformed(err, "more after the certificate")
			}
			return p.push, nil
		case strings.HasPrefix(text, "-----BEGIN "):
			// Git takes the last such line for the beginning of the signature.
			if part != commands {
				return Push{}, malformed("a signature out of place")
			}
			part = signature
		case part == header && text == "":
			part = commands
		case part == commands:
			if err := p.command(text); err != nil {
				return Push{}, err
			}
		}
	}
}

type part uint8

const (
	header part = iota
	commands
	signature
)

func orMalformed(err error, what string) error {
	if err != nil {
		return err
	}
	return malformed("%s", what)
}
