package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	delivery "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/outbox"
)

const patience = 15 * time.Second // of a server for one mail

// Deliver sends the mail about an approval, where somebody still has to decide
// it, or a test.
func (s *Service) Deliver(ctx context.Context, item outbox.Item) delivery.Result {
	i, err := s.find(ctx, item.TeamID, item.Integration)
	switch {
	case fault.Of(err) == fault.NotFound:
		return delivery.Result{Failed: true, Problem: fault.Message(err)}
	case err != nil:
		return s.stumbled(ctx, item, err)
	case !i.Enabled:
		return delivery.Result{Failed: true, Problem: "The integration is switched off."}
	case !s.Ready():
		return delivery.Result{Failed: true, Problem: "This server sends no e-mail."}
	}
	c := testCard(s.BaseURL)
	if item.Ref != "" {
		a, err := s.Approvals.Approval(ctx, item.Ref)
		if err != nil {
			return s.stumbled(ctx, item, err)
		}
		if a.Status != approval.Pending || !s.Now().Before(a.ExpiresAt) {
			return delivery.Result{Done: true} // there is nothing to ask any more
		}
		if may, err := s.mayStill(ctx, item); err != nil {
			return s.stumbled(ctx, item, err)
		} else if !may {
			return delivery.Result{Failed: true, Problem: "Whom it was for is not to decide any more."}
		}
		c = cardOf(a, s.BaseURL)
	}
	m, err := s.letter(c, item.Target, item.ID, item.CreatedAt)
	if err != nil {
		s.Log.WarnContext(ctx, "a mail could not be written", "item", item.ID, "error", err)
		return delivery.Result{Failed: true, Problem: "The address cannot be written to."}
	}
	answer, lasting, err := s.send(ctx, m)
	s.Integrations.Did(ctx, i.ID, err)
	if err != nil {
		return delivery.Result{Failed: lasting, Answer: answer, Problem: fault.Message(err)}
	}
	return delivery.Result{Done: true}
}

func (s *Service) stumbled(ctx context.Context, item outbox.Item, err error) delivery.Result {
	s.Log.WarnContext(ctx, "a mail could not be sent", "integration", item.Integration, "item", item.ID, "error", err)
	return delivery.Result{Problem: fault.Message(err)}
}

// mayStill reports whether whom a mail is for is still in the team, and may
// decide.
func (s *Service) mayStill(ctx context.Context, item outbox.Item) (bool, error) {
	members, err := s.People.Members(ctx, item.TeamID)
	if err != nil {
		return false, err
	}
	for _, m := range members {
		if m.User.Email == item.Target {
			return Settings{}.wants(approval.Approval{}, m), nil
		}
	}
	return false, nil
}

// send hands m in. It says what the server answered, and whether that will not
// change. No error quotes the server.
func (s *Service) send(ctx context.Context, m *gomail.Msg) (answer int, lasting bool, err error) {
	o := []gomail.Option{
		gomail.WithPort(s.Server.Port), gomail.WithTimeout(patience),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.Server.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch {
	case s.Server.TLS:
		o = append(o, gomail.WithSSL())
	case s.Server.Plain:
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Server.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.Server.User), gomail.WithPassword(s.Server.Password.Reveal()))
	}
	c, err := gomail.NewClient(s.Server.Host, o...)
	if err != nil {
		return 0, false, fmt.Errorf("set up mail: %w", err)
	}
	if err := c.DialAndSendWithContext(ctx, m); err != nil {
		return explain(err)
	}
	return 0, false, nil
}

func explain(err error) (answer int, lasting bool, _ error) {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return 0, false, fault.New(fault.Unavailable, "The certificate of the mail server is not one that this server trusts.", err)
	}
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		code := e.ErrorCode()
		said := "The mail server did not take the mail"
		if code > 0 {
			said += ": it answered " + strconv.Itoa(code)
		}
		return code, code >= 500 && !e.IsTemp(), fault.New(fault.Unavailable, said+".", err)
	}
	return 0, false, fault.New(fault.Unavailable, "The mail server cannot be reached, or does not let this server in.", err)
}
