package integration_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tameflare/tameflare/integration/standin"
)

const described = `{
  "openapi": "3.1.0", "info": {"title": "Billing API"}, "servers": [{"url": "https://api.billing.example.com/v1"}],
  "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Billing-Key"}}},
  "paths": {
    "/invoices": {"get": {"operationId": "listInvoices"}},
    "/invoices/search": {"post": {"operationId": "searchInvoices"}},
    "/invoices/{id}": {"delete": {"operationId": "deleteInvoice"}}
  }
}`

const ownType = `version: 1
connector_types:
  - name: billing
    openapi: {file: billing.json}
    env: [BILLING_API_KEY]
    operations:
      - {method: POST, path: /invoices/search, class: read}
credentials:
  - {name: bill, connector: billing, from: {env: BILL_KEY}}
gateways:
  - name: agent
    connectors:
      - type: billing
        credential: bill
        rules:
          - {preset: read_only}
          - {action: billing.invoice.delete, decision: deny, reason: Invoices stay.}
`

// TestAnOwnConnectorTypeIsActedOn goes all the way: an OpenAPI description, a
// document, a gateway and a real client.
func TestAnOwnConnectorTypeIsActedOn(t *testing.T) {
	t.Parallel()

	ca, err := standin.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Leaf("api.billing.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Billing-Key"))
		mu.Unlock()
		_, _ = w.Write([]byte("fine\n"))
	}))
	service.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	service.StartTLS()
	t.Cleanup(service.Close)

	w := newWorld(t, "", "")
	for name, text := range map[string][]byte{"billing.json": []byte(described), "billing-ca.pem": ca.PEM()} {
		if err := os.WriteFile(w.Path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const key = "the-real-key"
	for range 2 {
		if err := w.Apply(t.Context(), []byte(ownType), "BILL_KEY="+key); err != nil {
			t.Fatal(err)
		}
	}
	export, err := w.Do(t.Context(), "", "tameflare", "export")
	if err != nil || !strings.Contains(export, "action: billing.invoice.search, class: read, risk: low") || strings.Contains(export, "openapi") {
		t.Fatalf("export: %v\n%s", err, export)
	}
	explained, err := w.Do(t.Context(), "", "tameflare", "explain", "--gateway", "agent", "DELETE", "https://api.billing.example.com/v1/invoices/7")
	if err != nil || !strings.Contains(explained, "billing.invoice.delete") || !strings.Contains(explained, "Invoices stay.") {
		t.Fatalf("explain: %v\n%s", err, explained)
	}

	under := func(command string) string {
		t.Helper()
		out, err := w.Do(t.Context(), "", "tameflare", "run", "--gateway", "agent", "--no-input", "--connect-to", "api.billing.example.com:443:"+service.Listener.Addr().String(),
			"--upstream-ca", w.Path("billing-ca.pem"), "--", "sh", "-c", command)
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		return out
	}
	const at = "https://api.billing.example.com/v1"
	if out := under("curl -sS " + at + "/invoices && curl -sS -X POST -H \"X-Billing-Key: $BILLING_API_KEY\" " + at + "/invoices/search"); out != "fine\nfine\n" {
		t.Errorf("reading: %q", out)
	}
	for call, want := range map[string]string{
		"-X DELETE " + at + "/invoices/7": "Invoices stay.",
		"-X POST " + at + "/invoices":     `"action":"billing.unknown"`,
	} {
		if out := under("curl -sS " + call); !strings.Contains(out, want) {
			t.Errorf("%s: %q, want %s", call, out, want)
		}
	}
	if out := under("echo $BILLING_API_KEY"); !strings.HasPrefix(out, "key-tameflare") {
		t.Errorf("the dummy key is %q", out)
	}
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(seen, "\n"), "GET /v1/invoices "+key+"\nPOST /v1/invoices/search "+key; got != want {
		t.Errorf("the service saw\n%s\nwant\n%s", got, want)
	}

	denied := strings.Replace(ownType, "{method: POST, path: /invoices/search, class: read}", "{method: POST, path: /invoices/search, action: billing.invoice.search, class: write}", 1)
	if err := w.Apply(t.Context(), []byte(denied), "BILL_KEY="+key); err != nil {
		t.Fatal(err)
	}
	if out := under("curl -sS --retry 0 -X POST " + at + "/invoices/search"); !strings.Contains(out, `"code":"denied"`) {
		t.Errorf("after it has become a write: %q", out)
	}
}
