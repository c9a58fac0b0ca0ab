package mail_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/integrations"
	flaremail "github.com/tameflare/tameflare/app/mail"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/team"
)

const baseURL = "https://flare.example.com"

type house struct {
	*flaremail.Service
	store *store.Store
	owner team.Viewer
	now   time.Time
	log   *bytes.Buffer
}

func furnished(t *testing.T, s *store.Store, o *postOffice) *house {
	t.Helper()
	h := &house{store: s, owner: storetest.Owner(t, s), now: time.Now().UTC().Truncate(time.Second), log: &bytes.Buffer{}}
	now := func() time.Time { return h.now }
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.Service = &flaremail.Service{
		Integrations: &integrations.Service{Store: s, Now: now, Log: log}, Items: s, Approvals: s, People: s,
		Ring: func(context.Context) {}, BaseURL: baseURL, Now: now, Log: log,
	}
	if o != nil {
		h.Server, h.Roots = o.server(t), o.roots
	}
	return h
}

func (o *postOffice) server(t *testing.T) flaremail.Server {
	t.Helper()
	scheme, user := "smtp", ""
	if o.atOnce {
		scheme = "smtps"
	}
	if o.password != "" {
		user = url.UserPassword("flare", o.password).String() + "@"
	}
	s, err := flaremail.ParseURL(credential.NewSecret(scheme + "://" + user + o.addr + "?from=" + url.QueryEscape("Flare <flare@example.com>")))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return s
}

func (h *house) save(t *testing.T, name string, set flaremail.Settings) integration.Integration {
	t.Helper()
	i, err := h.Save(t.Context(), h.owner, flaremail.Draft{Name: name, Enabled: true, Settings: set})
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return i
}

// open is an approval that waits.
func (h *house) open(t *testing.T, change func(*approval.Approval)) approval.Approval {
	t.Helper()
	g := storetest.Gateway(t, h.store, h.owner, "deploy-bot"+strings.Repeat("x", time.Now().Nanosecond()%7)+time.Now().Format("150405.000000000"))
	now := audit.Time(h.now)
	a := approval.Approval{
		ID: "apr_" + strings.ToLower(g.ID[3:]), TeamID: h.owner.Team.ID, GatewayID: g.ID, GatewayName: "deploy-bot", Fingerprint: strings.Repeat("a", 64),
		Sentence: "merge acme/site#12", Principal: "ana@laptop", Reason: "Merges need a person.", Method: "PUT", URL: "https://api.github.com/x?token=CANARY",
		Action: action.Action{Name: "github.pr.merge", Resource: "acme/site#12", Risk: action.High}, Status: approval.Pending, CreatedAt: now, ExpiresAt: now.Add(time.Hour), TTL: time.Hour, Seq: 1, Needs: 1,
	}
	if change != nil {
		change(&a)
	}
	got, _, err := h.store.OpenApproval(t.Context(), store.Asked{Approval: a}, func(store.Standing) (approval.Approval, []audit.Event, error) { return a, nil, nil })
	if err != nil {
		t.Fatalf("open approval: %v", err)
	}
	return got
}

func (h *house) items(t *testing.T, i integration.Integration, a approval.Approval, typ string) []outbox.Item {
	t.Helper()
	items, err := flaremail.Router{Service: h.Service}.Items(t.Context(), a.TeamID, i, a, outbox.Change{Type: typ, Seq: 1, At: h.now})
	if err != nil {
		t.Fatalf("items: %v", err)
	}
	for n := range items {
		items[n].TeamID, items[n].ID, items[n].CreatedAt = a.TeamID, "out_1", h.now
	}
	return items
}

// parts reads a mail as a mail program does.
func parts(t *testing.T, data string) (head mail.Header, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatalf("read mail: %v\n%s", err, data)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("a mail of type %q, %v", kind, err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // that is how it ends
			return m.Header, text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("a part in %q", p.Header.Get("Content-Transfer-Encoding"))
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			text = string(b)
		} else {
			html = string(b)
		}
	}
}

func TestWhoeverMayDecideHasOneMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := openOffice(t, func(*postOffice) {})
		h := furnished(t, s, o)
		mia := storetest.Member(t, s, h.owner, "Mia", team.RoleMember)
		storetest.Member(t, s, h.owner, "Vic", team.RoleViewer)
		storetest.Owner(t, s) // of another team
		i := h.save(t, "Everybody", flaremail.Settings{})
		second := h.save(t, "Once more", flaremail.Settings{To: []string{mia.User.ID}})
		a := h.open(t, nil)
		var to []string
		var all []outbox.Item
		for _, of := range []integration.Integration{i, second} {
			items := h.items(t, of, a, "approval.opened")
			all = append(all, items...)
			for _, item := range items {
				to = append(to, item.Target)
			}
		}
		slices.Sort(to)
		want := []string{h.owner.User.Email, mia.User.Email}
		slices.Sort(want)
		if !slices.Equal(to, want) {
			t.Fatalf("mails to %v, want %v", to, want)
		}
		item := all[slices.IndexFunc(all, func(i outbox.Item) bool { return i.Target == mia.User.Email })]
		if r := h.Deliver(t.Context(), item); !r.Done {
			t.Fatalf("delivered %+v\n%s", r, h.log)
		}
		got := o.mails()
		if len(got) != 1 || !got[0].tls || got[0].user != "flare" || !strings.HasPrefix(got[0].from, "FROM:<flare@example.com>") || !strings.HasPrefix(got[0].to, "TO:<"+mia.User.Email+">") {
			t.Fatalf("taken %+v", got)
		}
		head, text, html := parts(t, got[0].data)
		subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
		if err != nil || subject != "deploy-bot wants to merge acme/site#12" {
			t.Errorf("subject %q, %v", subject, err)
		}
		for name, want := range map[string]string{
			"List-Id": "TameFlare approvals <approvals.flare.example.com>", "Message-Id": "<out_1@flare.example.com>", "From": `"Flare" <flare@example.com>`, "Auto-Submitted": "auto-generated",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for what, part := range map[string]string{"text": text, "HTML": html} {
			for _, s := range []string{"merge acme/site#12", baseURL + "/approvals/" + a.ID, "Merges need a person.", "github.pr.merge", "high", a.ExpiresAt.Format("15:04 on 2 January 2006")} {
				if !strings.Contains(part, s) {
					t.Errorf("%s does not say %q:\n%s", what, s, part)
				}
			}
			if strings.Contains(part, "CANARY") || strings.Contains(part, "<form") || strings.Contains(part, "src=") {
				t.Errorf("%s holds what it should not:\n%s", what, part)
			}
		}
	})
}

func TestWhoHearsOfWhat(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t), openOffice(t, func(*postOffice) {}))
	for name, tt := range map[string]struct {
		set    flaremail.Settings
		change func(*approval.Approval)
		typ    string
		want   int
	}{
		"opened":             {typ: "approval.opened", want: 1},
		"denied":             {typ: "approval.denied"},
		"approved for":       {typ: "approval.opened", change: func(a *approval.Approval) { a.Repeats = "apr_0" }},
		"decided meanwhile":  {typ: "approval.opened", change: func(a *approval.Approval) { a.Status = approval.Denied }},
		"risk enough":        {typ: "approval.opened", set: flaremail.Settings{MinRisk: "high"}, want: 1},
		"too little risk":    {typ: "approval.opened", set: flaremail.Settings{MinRisk: "critical"}},
		"somebody chosen":    {typ: "approval.opened", set: flaremail.Settings{To: []string{h.owner.User.ID}}, want: 1},
		"another gateway":    {typ: "approval.opened", set: flaremail.Settings{Gateways: []string{"gw_none"}}},
		"a risk of nobody's": {typ: "approval.opened", set: flaremail.Settings{MinRisk: "low"}, want: 1},
	} {
		i := h.save(t, name, tt.set)
		a := approval.Approval{ID: "apr_1", TeamID: h.owner.Team.ID, Status: approval.Pending, Action: action.Action{Risk: action.High}, ExpiresAt: h.now.Add(time.Hour)}
		if tt.change != nil {
			tt.change(&a)
		}
		if got := h.items(t, i, a, tt.typ); len(got) != tt.want {
			t.Errorf("%s: %d mails, want %d", name, len(got), tt.want)
		}
		if err := h.Service.Integrations.(*integrations.Service).Delete(t.Context(), h.owner, i.ID); err != nil { //nolint:forcetypeassert // it is
			t.Fatal(err)
		}
	}
	i := h.save(t, "all", flaremail.Settings{})
	h.Server = flaremail.Server{}
	if got := h.items(t, i, h.open(t, nil), "approval.opened"); len(got) != 0 {
		t.Errorf("without a server: %d", len(got))
	}
}

func TestMailThatIsOfNoUseIsNotSent(t *testing.T) {
	t.Parallel()
	o := openOffice(t, func(*postOffice) {})
	h := furnished(t, storetest.Open(t), o)
	i := h.save(t, "all", flaremail.Settings{})
	item := func(a approval.Approval, to string) outbox.Item {
		return outbox.Item{ID: "out_1", TeamID: a.TeamID, Integration: i.ID, Ref: a.ID, Target: to, CreatedAt: h.now}
	}
	decided := h.open(t, func(a *approval.Approval) { a.Status = approval.Denied })
	if r := h.Deliver(t.Context(), item(decided, h.owner.User.Email)); !r.Done {
		t.Errorf("decided: %+v", r)
	}
	over := h.open(t, func(a *approval.Approval) { a.ExpiresAt = h.now })
	if r := h.Deliver(t.Context(), item(over, h.owner.User.Email)); !r.Done {
		t.Errorf("over: %+v", r)
	}
	waiting := h.open(t, nil)
	for _, to := range []string{"left@example.org", storetest.Member(t, h.store, h.owner, "Vic", team.RoleViewer).User.Email} {
		if r := h.Deliver(t.Context(), item(waiting, to)); !r.Failed {
			t.Errorf("%s: %+v", to, r)
		}
	}
	if got := o.mails(); len(got) != 0 {
		t.Errorf("sent %+v", got)
	}
}

// What an agent writes changes neither who gets a mail nor what it is.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another header":  "merge\r\nBcc: evil@example.com\r\n\r\nbody",
		"a line alone":    "merge\n.\nMAIL FROM:<evil@example.com>",
		"markup":          `<script>alert(1)</script><a href="https://evil.example">x</a>`,
		"a link":          "open https://evil.example/phish now",
		"hidden text":     "merge \u202egnp.exe\u200b",
		"an encoded word": "=?utf-8?q?=0D=0ABcc:_evil@example.com?=",
		"not text":        "merge \xff\x00",
		"very long":       strings.Repeat("ö ", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, func(*postOffice) {})
			h := furnished(t, storetest.Open(t), o)
			i := h.save(t, "all", flaremail.Settings{})
			a := h.open(t, func(a *approval.Approval) {
				plain := audit.Plain(text, 500)
				a.Sentence, a.Reason, a.Principal, a.GatewayName, a.Action.Name, a.Action.Resource = plain, plain, plain, plain, plain, plain
			})
			if r := h.Deliver(t.Context(), h.items(t, i, a, "approval.opened")[0]); !r.Done {
				t.Fatalf("delivered %+v\n%s", r, h.log)
			}
			got := o.mails()
			if len(got) != 1 || !strings.HasPrefix(got[0].to, "TO:<"+h.owner.User.Email) {
				t.Fatalf("taken %+v", got)
			}
			head, text, html := parts(t, got[0].data)
			if head.Get("Bcc") != "" || len(head["Subject"]) != 1 || strings.ContainsAny(head.Get("Subject"), "\r\n") {
				t.Errorf("headers %v", head)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
			if err != nil || len([]rune(subject)) > 150 || name != "an encoded word" && strings.ContainsAny(subject, "\r\n\u202e") {
				t.Errorf("subject %q, %v", subject, err)
			}
			if strings.Contains(html, "<script") || strings.Count(html, "<a ") != 1 || strings.Contains(html+text, "https://evil") || strings.Contains(html+text, "\u202e") {
				t.Errorf("says\n%s\n%s", text, html)
			}
		})
	}
}

func TestWhatAMailServerSays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		office func(*postOffice)
		server func(*flaremail.Service)
		failed bool
		answer int
		says   string
	}{
		"no such mailbox":      {office: func(o *postOffice) { o.refuse = "550 5.1.1 CANARY unknown" }, failed: true, answer: 550, says: "550"},
		"another time":         {office: func(o *postOffice) { o.refuse = "451 4.7.1 CANARY greylisted" }, answer: 451, says: "451"},
		"the wrong password":   {server: func(s *flaremail.Service) { s.Server.Password = credential.NewSecret("wrong") }, says: "let this server in"},
		"no TLS":               {office: func(o *postOffice) { o.noTLS = true }, says: "cannot be reached"},
		"a stranger's":         {server: func(s *flaremail.Service) { s.Roots = nil }, says: "certificate"},
		"nobody there":         {server: func(s *flaremail.Service) { s.Server.Port = 1 }, says: "cannot be reached"},
		"TLS from the start":   {office: func(o *postOffice) { o.atOnce = true }},
		"no password is asked": {office: func(o *postOffice) { o.password = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, func(o *postOffice) {
				if tt.office != nil {
					tt.office(o)
				}
			})
			h := furnished(t, storetest.Open(t), o)
			if tt.server != nil {
				tt.server(h.Service)
			}
			i := h.save(t, "all", flaremail.Settings{})
			r := h.Deliver(t.Context(), h.items(t, i, h.open(t, nil), "approval.opened")[0])
			if r.Done != (tt.says == "") || r.Failed != tt.failed || r.Answer != tt.answer || !strings.Contains(r.Problem, tt.says) || strings.Contains(r.Problem, "CANARY") {
				t.Errorf("came to %+v\n%s", r, h.log)
			}
			if got := len(o.mails()); (got == 1) != r.Done {
				t.Errorf("%d mails taken", got)
			}
			got, err := h.store.Integration(t.Context(), i.ID)
			if err != nil || r.Done == (got.LastError != "") || strings.Contains(got.LastError, "CANARY") {
				t.Errorf("is %+v, %v", got, err)
			}
		})
	}
}

func TestSomebodyTriesWhetherMailsArrive(t *testing.T) {
	t.Parallel()
	o := openOffice(t, func(*postOffice) {})
	h := furnished(t, storetest.Open(t), o)
	i := h.save(t, "all", flaremail.Settings{})
	if err := h.Test(t.Context(), h.owner, i.ID); err != nil {
		t.Fatal(err)
	}
	items, err := h.store.ClaimItems(t.Context(), audit.Time(h.now), audit.Time(h.now.Add(time.Minute)), 10)
	if err != nil || len(items) != 1 || items[0].Target != h.owner.User.Email {
		t.Fatalf("items %+v, %v", items, err)
	}
	if r := h.Deliver(t.Context(), items[0]); !r.Done {
		t.Fatalf("delivered %+v\n%s", r, h.log)
	}
	if _, text, _ := parts(t, o.mails()[0].data); !strings.Contains(text, "Nothing happened.") {
		t.Errorf("says %s", text)
	}
	for _, role := range []team.Role{team.RoleMember, team.RoleViewer} {
		v := h.owner
		v.Role = role
		_, err := h.Save(t.Context(), v, flaremail.Draft{Name: "theirs"})
		if fault.Of(err) != fault.Forbidden || fault.Of(h.Test(t.Context(), v, i.ID)) != fault.Forbidden {
			t.Errorf("%s: %v", role, err)
		}
	}
	h.Server = flaremail.Server{}
	if err := h.Test(t.Context(), h.owner, i.ID); fault.Of(err) != fault.Conflict {
		t.Errorf("without a server: %v", err)
	}
	for name, d := range map[string]flaremail.Draft{
		"a stranger": {Name: "x", Settings: flaremail.Settings{To: []string{"usr_none"}}}, "a risk": {Name: "x", Settings: flaremail.Settings{MinRisk: "none"}},
	} {
		if _, err := h.Save(t.Context(), h.owner, d); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServerIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]flaremail.Server{
		"smtp://ana:p%40ss@mail.example.com?from=flare@example.com":    {Host: "mail.example.com", Port: 587, User: "ana", Password: credential.NewSecret("p@ss"), From: mail.Address{Name: "TameFlare", Address: "flare@example.com"}},
		"smtps://mail.example.com/?from=Ops+%3Cflare%40example.com%3E": {Host: "mail.example.com", Port: 465, TLS: true, From: mail.Address{Name: "Ops", Address: "flare@example.com"}},
		"smtp://localhost:2525?from=flare@example.com&tls=none":        {Host: "localhost", Port: 2525, Plain: true, From: mail.Address{Name: "TameFlare", Address: "flare@example.com"}},
		"smtps://ana:x@mail.example.com:2465?from=flare%40example.com": {Host: "mail.example.com", Port: 2465, TLS: true, User: "ana", Password: credential.NewSecret("x"), From: mail.Address{Name: "TameFlare", Address: "flare@example.com"}},
	} {
		got, err := flaremail.ParseURL(credential.NewSecret(text))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "mail.example.com:25", "http://mail.example.com?from=a@b.example", "smtp://?from=a@b.example", "smtp://CANARY@mail.example.com?from=a@b.example",
		"smtp://mail.example.com", "smtp://mail.example.com?from=CANARY", "smtp://mail.example.com?from=a@b.example&tls=none", "smtps://localhost?from=a@b.example&tls=none",
		"smtp://mail.example.com:0?from=a@b.example", "smtp://mail.example.com?from=a@b.example&x=1", "smtp://ana:CANARY@mail.example.com:99999?from=a@b.example", "smtp://u:CANARY %zz@h",
		"smtp://mail.example.com/CANARY?from=a@b.example",
	} {
		if got, err := flaremail.ParseURL(credential.NewSecret(text)); err == nil || got.Set() || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
