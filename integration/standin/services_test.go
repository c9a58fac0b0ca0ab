package standin_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/integration/standin"
)

func TestServicesTellWhereACredentialIsNotTheirs(t *testing.T) {
	t.Parallel()

	ours := func(sent string) (string, bool) { return "dummy", strings.Contains(sent, "dummy") }
	s := standin.NewServices(t.TempDir(), ours)
	ca, err := standin.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ca); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	_, addr, _ := strings.Cut(strings.Split(s.Ways(), ",")[0], ":443:")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	bearer := "Bearer " + s.Keys["openai"]
	for name, tt := range map[string]struct {
		url, body string
		header    map[string]string
		problem   string // "" for none
	}{
		"right":                {"https://api.openai.com/v1/models", "", map[string]string{"Authorization": bearer}, ""},
		"none":                 {"https://api.openai.com/v1/models", "", nil, "without the credential"},
		"another service's":    {"https://api.stripe.com/v1/charges", "", map[string]string{"Authorization": bearer}, "without the credential"},
		"in the query too":     {"https://api.openai.com/v1/models?key=" + s.Keys["openai"], "", map[string]string{"Authorization": bearer}, "in another place"},
		"in the body too":      {"https://api.openai.com/v1/files", s.Keys["stripe"], map[string]string{"Authorization": bearer}, "in another place"},
		"with the dummy":       {"https://api.openai.com/v1/files", "dummy", map[string]string{"Authorization": bearer}, "with our dummy"},
		"with two keys":        {"https://api.openai.com/v1/files", "", map[string]string{"Authorization": bearer, "X-Api-Key": "x"}, "second credential"},
		"with a proxy's word":  {"https://api.openai.com/v1/files", "", map[string]string{"Authorization": bearer, "Via": "1.1 x"}, "with Via"},
		"a key as is":          {"https://api.anthropic.com/v1/models", "", map[string]string{"X-Api-Key": s.Keys["anthropic"]}, ""},
		"a key as a bearer's":  {"https://api.anthropic.com/v1/models", "", map[string]string{"Authorization": "Bearer " + s.Keys["anthropic"]}, "without the credential"},
		"GitHub's, as a token": {"https://api.github.com/user", "", map[string]string{"Authorization": "token " + s.Keys["github"]}, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range tt.header {
			req.Header.Set(k, v)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		res.Body.Close()
		sent, problems := s.Take()
		said := strings.Join(problems, "\n")
		if len(sent) != 1 || (said != "") != (tt.problem != "") || !strings.Contains(said, tt.problem) || (res.StatusCode == http.StatusUnauthorized) != (tt.problem != "") {
			t.Errorf("%s: status %d, problems %q, want %q", name, res.StatusCode, said, tt.problem)
		}
	}
}
