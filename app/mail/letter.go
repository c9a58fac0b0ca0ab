package mail

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
)

const maxSubject = 150

// card is what a mail says of an approval. All of it may come from an agent.
type card struct {
	Title, Page string
	Rows        [][2]string
	Reason      string
	Until       string
	Foot        string
}

// plain makes s one line, without what would hide or move text, and such that
// mail programs make no link of an address that an agent wrote.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, audit.Plain(s, most))
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "://", "[:]//")), " ")
}

func cardOf(a approval.Approval, baseURL string) card {
	c := card{
		Title:  plain(cmp.Or(a.GatewayName, "A gateway")+" wants to "+cmp.Or(a.Sentence, a.Action.Name), 400),
		Page:   baseURL + "/approvals/" + a.ID,
		Reason: plain(a.Reason, 500),
		Until:  a.ExpiresAt.UTC().Format("15:04 on 2 January 2006") + " UTC",
		Foot:   "The link asks you to sign in. Opening it decides nothing.",
	}
	for _, row := range [][2]string{
		{"Gateway", a.GatewayName}, {"Run by", a.Principal}, {"Action", a.Action.Name}, {"On", a.Action.Resource},
		{"Risk", a.Action.Risk.String()}, {"Fingerprint", a.Fingerprint[:min(12, len(a.Fingerprint))]},
	} {
		if text := plain(row[1], 300); text != "" {
			c.Rows = append(c.Rows, [2]string{row[0], text})
		}
	}
	return c
}

func testCard(baseURL string) card {
	return card{Title: "TameFlare can reach you", Page: baseURL + "/settings/integrations", Reason: "Somebody in your team sent this to see whether mails arrive. Nothing happened.", Foot: "You need not do anything."}
}

func (c card) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", c.Title)
	if c.Reason != "" {
		fmt.Fprintf(&b, "%s\n\n", c.Reason)
	}
	for _, r := range c.Rows {
		fmt.Fprintf(&b, "%-12s %s\n", r[0]+":", r[1])
	}
	if c.Until != "" {
		fmt.Fprintf(&b, "\nIt waits until %s.\n\nLook at it and decide:\n", c.Until)
	}
	fmt.Fprintf(&b, "%s\n\n%s\n", c.Page, c.Foot)
	return b.String()
}

// page is the part of a mail that is HTML. It loads nothing, and has no form.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body style="font-family:system-ui,sans-serif;line-height:1.5;max-width:36rem;margin:1rem auto;padding:0 1rem">
<h1 style="font-size:1.1rem">{{.Title}}</h1>
{{with .Reason}}<p>{{.}}</p>{{end}}
{{with .Rows}}<table cellpadding="4" style="border-collapse:collapse">{{range .}}<tr><th align="left" scope="row" style="font-weight:normal;color:#666">{{index . 0}}</th><td>{{index . 1}}</td></tr>{{end}}</table>{{end}}
{{with .Until}}<p>It waits until {{.}}.</p>{{end}}
<p><a href="{{.Page}}">{{if .Until}}Look at it and decide{{else}}Open the settings{{end}}</a></p>
<p style="color:#666">{{.Foot}}</p>
</body></html>
`))

// letter makes a mail. Its ID is the same in every attempt.
func (s *Service) letter(c card, to, id string, at time.Time) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.Server.From)
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("write to somebody: %w", err)
	}
	m.Subject(shorten(c.Title))
	host := "tameflare.invalid"
	if u, err := url.Parse(s.BaseURL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	m.SetMessageIDWithValue(id + "@" + host)
	m.SetDateWithValue(at)
	m.SetGenHeaderPreformatted("List-Id", "TameFlare approvals <approvals."+host+">")
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetBodyString(gomail.TypeTextPlain, c.text())
	var b bytes.Buffer
	if err := page.Execute(&b, c); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	m.AddAlternativeString(gomail.TypeTextHTML, b.String())
	return m, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxSubject {
		return string(r[:maxSubject-1]) + "…"
	}
	return s
}
