package vault_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// redirected is a store in which somebody has changed what refreshers read.
type redirected struct {
	*store.Store
	change func(*fleet.Credential)
}

func (s redirected) Credential(ctx context.Context, teamID, id string) (fleet.Credential, error) {
	c, err := s.Store.Credential(ctx, teamID, id)
	s.change(&c)
	return c, err
}

// Whoever can write to the database cannot have the secrets sent to a token
// endpoint of their own, nor read them out as if they were what requests carry.
func TestChangedSettingsSendNoSecret(t *testing.T) {
	t.Parallel()
	h := oauthIn(t, storetest.Open(t))
	thief := oauthtest.New(t)
	c := h.put(t, credential.RefreshToken)
	for name, change := range map[string]func(*fleet.Credential){
		"the address":    func(c *fleet.Credential) { c.OAuth.TokenURL = thief.URL + "/token" },
		"the client":     func(c *fleet.Credential) { c.OAuth.ClientID = "another" },
		"the scope":      func(c *fleet.Credential) { c.OAuth.Scope = "admin" },
		"the audience":   func(c *fleet.Credential) { c.OAuth.Audience = "another" },
		"the resource":   func(c *fleet.Credential) { c.OAuth.Resource = "https://evil.example" },
		"the way":        func(c *fleet.Credential) { c.OAuth.ClientAuth = credential.ClientPost },
		"the grant":      func(c *fleet.Credential) { c.OAuth.Grant = credential.ClientCredentials },
		"not OAuth":      func(c *fleet.Credential) { c.OAuth = credential.OAuth{} },
		"a longer life":  func(c *fleet.Credential) { c.Refresh.ExpiresAt = c.Refresh.ExpiresAt.Add(1e12) },
		"another host":   func(c *fleet.Credential) { c.Hosts = []string{"evil.example"} },
		"an old version": func(c *fleet.Credential) { c.Version-- },
	} {
		s := h.server(redirected{h.store, change})
		if secret, _, err := s.Reveal(t.Context(), h.owner.Team.ID, c.ID); err == nil {
			t.Errorf("%s: opened as %q", name, secret.Reveal())
		}
		asked := h.end.Requests()
		if err := s.RefreshNow(t.Context(), h.owner, c.ID); err == nil {
			t.Errorf("%s: refreshed", name)
		}
		if thief.Requests() != 0 || h.end.Requests() != asked {
			t.Fatalf("%s: somebody was asked", name)
		}
		if row := h.row(t, c.ID); name != "not OAuth" && name != "an old version" && (row.Refresh.State != fleet.RefreshAttention || !strings.Contains(row.Refresh.Problem, "does not open")) {
			t.Errorf("%s: %+v", name, row.Refresh)
		}
		h.put(t, credential.RefreshToken) // as it was
	}
}

func TestNoSecretOfOAuthIsInTheDatabaseOrTheLog(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, at string) {
		h := oauthIn(t, storetest.OpenURL(t, at))
		c := h.put(t, credential.RefreshToken)
		for range 3 {
			h.due(t, c.ID)
			h.RefreshDue(t.Context())
		}
		h.end.Answer(oauthtest.Text(503, strings.Join(h.end.Secrets(), " ")))
		h.due(t, c.ID)
		h.RefreshDue(t.Context())
		h.end.Answer(nil)
		h.end.Revoke()
		h.due(t, c.ID)
		h.RefreshDue(t.Context())
		_, failure := h.PutEntry(t.Context(), h.owner, h.entry(credential.ClientCredentials))
		h.end.ClientSecret += "x"
		wrong := h.entry(credential.ClientCredentials)
		wrong.ClientSecret = credential.NewSecret(h.end.Secrets()[0])
		_, refused := h.PutEntry(t.Context(), h.owner, wrong)
		if failure != nil || fault.Of(refused) != fault.Invalid {
			t.Fatalf("%v, %v", failure, refused)
		}
		list, err := h.List(t.Context(), h.owner.Team.ID)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}

		all := dump(t, at)
		if !bytes.Contains(all, []byte("credential.refresh_failed")) {
			t.Fatal("the dump does not hold what was written: it is not the one")
		}
		if !strings.Contains(h.log.String(), "needs attention") {
			t.Errorf("the log does not say what happened:\n%s", h.log)
		}
		places := map[string][]byte{"database": all, "log": []byte(h.log.String()), "error": []byte(refused.Error()), "list": shown}
		for _, secret := range h.end.Secrets() {
			for place, text := range places {
				for _, form := range []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
					if bytes.Contains(text, []byte(form)) {
						t.Errorf("the %s holds %.3s…", place, form)
					}
				}
			}
		}
	})
}

// dump returns all that a database holds.
func dump(t *testing.T, at string) []byte {
	t.Helper()
	var all []byte
	if file, ok := strings.CutPrefix(at, "sqlite:"); ok {
		files, err := os.ReadDir(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(filepath.Dir(file), f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	db, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT table_name, (xpath('/row/t/text()', query_to_xml(format(
		'SELECT string_agg(x::text, chr(10)) AS t FROM %I x', table_name), true, true, '')))[1]::text
		FROM information_schema.tables WHERE table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var text sql.NullString
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		all = append(all, name+text.String...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
