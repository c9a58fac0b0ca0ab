package openapi_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/openapi"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

const billing = `openapi: 3.0.3
info:
  title: Acme Billing API
  description: "Everything: about bills"
servers:
  - url: https://{region}.billing.example.com/api/v1
    variables:
      region: {default: eu}
security: [{key: []}]
tags:
  - name: Invoices
paths:
  /invoices:
    parameters:
      - $ref: '#/components/parameters/Account'
    get:
      operationId: listInvoices
      description: |
        responses: of all kinds
      parameters:
        - {name: status, in: query, schema: {type: string}}
        - {name: page, in: query, schema: {type: integer}}
      responses:
        '200': {description: fine}
    post:
      operationId: createInvoice
      requestBody:
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/Invoice'
    delete: {}
  /invoices/{invoice_id}:
    get: {operationId: getInvoice}
    put: {operationId: replaceInvoice}
    patch: {operationId: updateInvoice}
    delete: {operationId: deleteInvoice}
  /invoices/{invoice_id}/send:
    post: {operationId: sendInvoice}
  /invoices/{invoice_id}/lines/{id}:
    delete: {}
  /invoices/search:
    post: {operationId: searchInvoices}
  /api-keys:
    get: {}
    post: {operationId: createApiKey}
  /files/{name}.pdf:
    get: {operationId: downloadFile}
components:
  parameters:
    Account: {name: account, in: query, required: true, schema: {type: integer}}
  securitySchemes:
    other: {type: http, scheme: basic}
    key: {type: apiKey, in: header, name: X-Billing-Key}
  schemas:
    Invoice:
      allOf:
        - required: [amount]
          properties:
            amount: {type: integer}
            api_key: {type: string}
            description: {type: string}
        - properties:
            currency: {type: string}
            lines: {type: array}
`

// described is a definition in lines that can be compared.
func described(d definition.Definition) []string {
	var all []string
	for _, o := range d.Operations {
		all = append(all, fmt.Sprintf("%s %s → %s %s/%s %s %s", o.Method, o.Path, o.Action, o.Class, o.Risk, o.Resource, strings.Join(o.Params, ",")))
	}
	return all
}

func TestADescriptionBecomesADefinition(t *testing.T) {
	t.Parallel()

	d, notes, err := openapi.Read([]byte(billing))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /api-keys → acme-billing.api_key.list admin/high  ",
		"POST /api-keys → acme-billing.api_key.create admin/high  ",
		"GET /files/{name} → acme-billing.file.get read/low {name} name",
		"DELETE /invoices → acme-billing.invoice.delete_all delete/high  ?account:int",
		"GET /invoices → acme-billing.invoice.list read/low  ?account:int,?status",
		"POST /invoices → acme-billing.invoice.create write/medium  ?account:int,.amount,.currency",
		"POST /invoices/search → acme-billing.invoice.search write/medium  ",
		"DELETE /invoices/{invoice_id} → acme-billing.invoice.delete delete/high {invoice_id} invoice_id",
		"GET /invoices/{invoice_id} → acme-billing.invoice.get read/low {invoice_id} invoice_id",
		"PATCH /invoices/{invoice_id} → acme-billing.invoice.update write/medium {invoice_id} invoice_id",
		"PUT /invoices/{invoice_id} → acme-billing.invoice.update write/medium {invoice_id} invoice_id",
		"DELETE /invoices/{invoice_id}/lines/{id} → acme-billing.invoice_line.delete delete/high {invoice_id}/{id} invoice_id,id",
		"POST /invoices/{invoice_id}/send → acme-billing.invoice.send write/medium {invoice_id} invoice_id",
	}
	if diff := cmp.Diff(want, described(d)); diff != "" {
		t.Error(diff)
	}
	wantNotes := []string{
		"It takes credentials in 2 ways; chosen is header X-Billing-Key.",
		"POST /invoices/search: It has “search” in its name and may change nothing. If so, make it read.",
		"GET /api-keys: It has “key” in its name: admin, since it may hand out a credential. If it does not, make it read.",
		"POST /api-keys: It has “key” in its name: admin, since it may change who can do what. If it does not, make it write.",
	}
	var haveNotes []string
	for _, n := range notes {
		haveNotes = append(haveNotes, n.String())
	}
	if diff := cmp.Diff(wantNotes, haveNotes); diff != "" {
		t.Error(diff)
	}
	head := d
	head.Operations = nil
	if diff := cmp.Diff(definition.Definition{
		Name: "acme-billing", Title: "Acme Billing API", Hosts: []string{"eu.billing.example.com"}, Base: "/api/v1",
		Auth: credential.Style{Kind: credential.Header, Name: "X-Billing-Key"},
	}, head); diff != "" {
		t.Error(diff)
	}
	if problems := d.Check(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ text, want string }{
		"nothing":             {"", "is empty"},
		"something else":      {"name: billing\n", "neither OpenAPI 3 nor Swagger 2"},
		"broken JSON":         {`{"openapi": "3.0.0",`, "not valid JSON"},
		"another version":     {`{"openapi": "4.0.0", "paths": {"/a": {"get": {}}}}`, "neither"},
		"no operations":       {`{"openapi": "3.0.0", "paths": {}}`, "no operations"},
		"too large":           {strings.Repeat(" ", openapi.MaxSize+1), "at most 8 MB"},
		"not text":            {"openapi: 3.0.0\xff", "UTF-8"},
		"an alias":            {"openapi: 3.0.0\na: &a [x]\nb: *a\n", "Anchors and aliases"},
		"large and not plain": {"openapi: 3.0.0\npaths: {" + strings.Repeat(`"/aaaaaaaa": {},`, 30000) + "}", "Convert it to JSON"},
	} {
		_, _, err := openapi.Read([]byte(tt.text))
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestOldDescriptionsAreReadToo(t *testing.T) {
	t.Parallel()

	d, _, err := openapi.Read([]byte(`{"swagger": "2.0", "info": {"title": "Pets"}, "host": "pets.example.com", "basePath": "/v2",
		"securityDefinitions": {"k": {"type": "apiKey", "in": "query", "name": "key"}},
		"paths": {"/pets/{id}": {"parameters": [{"name": "id", "in": "path"}], "post": {"parameters": [{"name": "status", "in": "formData", "type": "string"}, {"name": "password", "in": "formData", "type": "string"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"POST /pets/{id} → pets.pet.update write/medium {id} id,.status"}, described(d)); diff != "" {
		t.Error(diff)
	}
	if d.Base != "/v2" || !slices.Equal(d.Hosts, []string{"pets.example.com"}) || d.Auth.Name != "key" || d.Body != definition.Form {
		t.Errorf("head is %+v", d)
	}
}

func TestOperationsThatNobodyCanTellApartAreLeftOut(t *testing.T) {
	t.Parallel()

	d, notes, err := openapi.Read([]byte(`{"openapi": "3.1.0", "paths": {
		"/jobs/{id}": {"get": {}, "post": {}}, "/jobs/{id}:cancel": {"post": {}}, "//x": {"get": {}}, "/a%2Fb": {"get": {}}, "/s?op=list": {"get": {}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GET /jobs/{id} → service.job.get read/low {id} id", "GET /s → service.s.list read/low  "}, described(d)); diff != "" {
		t.Error(diff)
	}
	if d.Operations[1].When != "?op=list" {
		t.Errorf("the query's condition is %q", d.Operations[1].When)
	}
	var left int
	for _, n := range notes {
		if strings.Contains(n.Message, "left out") {
			left++
		}
	}
	if left != 4 {
		t.Errorf("%d notes of what is left out, want 4: %v", left, notes)
	}
}

func TestOneActionHasOneClass(t *testing.T) {
	t.Parallel()

	d, _, err := openapi.Read([]byte(`{"openapi": "3.1.0", "info": {"title": "s"}, "paths": {
		"/things/{id}/delete": {"post": {}}, "/things/{id}": {"delete": {}, "get": {}, "post": {"operationId": "deleteThing"}},
		"/a/things/{id}": {"get": {}}, "/b/a/things/{id}": {"get": {}}, "/other": {"get": {"operationId": "getOther"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if problems := d.Check(); len(problems) > 0 {
		t.Error(problems)
	}
	if diff := cmp.Diff([]string{"s.a_thing.get", "s.b_a_thing.get", "s.other_thing.get", "s.thing.delete", "s.thing.get"}, d.Actions()); diff != "" {
		t.Error(diff)
	}
}

func TestWhereNoNameHelpsTheStricterClassCounts(t *testing.T) {
	t.Parallel()

	d, _, err := openapi.Read([]byte(`{"openapi": "3.1.0", "info": {"title": "s"}, "paths": {
		"/things/{a}": {"post": {"operationId": "thing_x"}}, "/things/{a}/{b}": {"post": {"operationId": "role_x_thing"}}, "/things/{a}/{b}/{c}": {"post": {"operationId": "erase_x_thing"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"POST /things/{a} → s.thing.update write/medium {a} a", "POST /things/{a}/{b} → s.thing.update_post admin/high {a}/{b} a,b",
		"POST /things/{a}/{b}/{c} → s.thing.update_post admin/high {a}/{b}/{c} a,b,c",
	}, described(d)); diff != "" {
		t.Error(diff)
	}
}

// TestABombCostsLittle counts what is allocated meanwhile.
//
//nolint:paralleltest // others would allocate as well
func TestABombCostsLittle(t *testing.T) {
	wide := func(n int, one string) string { return strings.Repeat(one+",", n) + one }
	for name, text := range map[string]string{
		"nested JSON":         `{"openapi": "3.0.0", "paths": ` + strings.Repeat(`{"a":`, 1<<20) + "1" + strings.Repeat("}", 1<<20) + "}",
		"nested lists":        `{"openapi": "3.0.0", "paths": {"/a": {"parameters": ` + strings.Repeat(`[`, 9000) + strings.Repeat("]", 9000) + "}}}",
		"many paths":          `{"openapi": "3.0.0", "paths": {` + wide(400_000, `"/a": {"get": {}}`) + "}}",
		"many keys":           `{"openapi": "3.0.0", "paths": {` + wide(700_000, `"/a": {}`) + "}}",
		"many parameters":     `{"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [` + wide(200_000, `{"$ref": "#/components/parameters/a"}`) + "]}}}}",
		"references to all":   `{"openapi": "3.0.0", "paths": {` + refs(1900) + `}, "components": {"schemas": {"a": {"properties": {` + wide(300_000, `"b": {"type": "x"}`) + "}}}}}",
		"references in rings": `{"openapi": "3.0.0", "paths": {` + refs(1900) + `}, "components": {"schemas": {"a": {"allOf": [` + wide(9, `{"$ref": "#/components/schemas/a"}`) + "]}}}}",
		"places that differ":  `{"openapi": "3.0.0", "paths": {` + places(1900) + `}, "components": {` + wide(200_000, `"b": {"type": "x"}`) + "}}",
		"nested YAML":         "openapi: 3.0.0\npaths:\n" + stairs(2000),
		"dashes":              "openapi: 3.0.0\npaths:\n  " + strings.Repeat("- ", 105_000) + "a",
		"braces":              "openapi: 3.0.0\npaths: " + strings.Repeat("{a: ", 50_000),
		"brackets":            "openapi: 3.0.0\npaths: " + strings.Repeat("[", 215_000),
		"plain YAML":          "openapi: 3.0.0\npaths:\n" + lines(215<<10),
		"wordy YAML":          "openapi: 3.0.0\ninfo:\n  description: |\n" + strings.Repeat("    word: word\n", 500_000) + "paths:\n  /a:\n    get: {}\n",
		"quotes":              "openapi: \"" + strings.Repeat(`\\`, 100_000),
		"aliases":             "openapi: 3.0.0\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, _, err := openapi.Read([]byte(text))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 64*slower {
			t.Errorf("%s: took %d MB (%v)", name, used, err)
		}
		t.Logf("%s: %v, %d MB, %.80v", name, took, (after.TotalAlloc-before.TotalAlloc)>>20, err)
		if took > limit {
			t.Errorf("%s: took %v", name, took)
		}
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// limit is one second on a machine with nothing else to do, and more here:
// other tests run meanwhile.
const limit = 5 * slower * time.Second

func refs(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"/%d": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/a"}}}}}}`, i))
	}
	return strings.Join(all, ",")
}

func places(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"/%d": {"$ref": "#/components/p%d/a"}`, i, i))
	}
	return strings.Join(all, ",")
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

func lines(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "  /things%d/{id}:\n    get:\n      operationId: getThing\n      parameters:\n        - name: id\n          in: path\n    post:\n      operationId: postThing\n", i)
	}
	return b.String()
}

func TestOtherFilesAreNotFollowed(t *testing.T) {
	t.Parallel()

	for _, ref := range []string{"file:///etc/passwd", "http://127.0.0.1:1/x.json", "other.yaml#/a", "#/paths/~1a", "#", "#/", "/etc/passwd"} {
		d, _, err := openapi.Read([]byte(`{"openapi": "3.0.0", "paths": {"/a": {"$ref": "` + ref + `"}, "/b": {"post": {"parameters": [{"$ref": "` + ref + `"}], "requestBody": {"$ref": "` + ref + `"}}}}}`))
		if err != nil || len(d.Operations) != 1 || len(d.Operations[0].Params) != 0 {
			t.Errorf("%s: %v, %v", ref, described(d), err)
		}
	}
}

// FuzzRead wants every definition that comes of a description to be one that
// can be used but for its hosts.
func FuzzRead(f *testing.F) {
	f.Add([]byte(billing))
	f.Add([]byte(`{"openapi": "3.1.0", "servers": [{"url": "/v1"}], "paths": {"/{a}/{b}.{c}": {"get": {"parameters": [{"name": "x", "in": "query"}]}}}}`))
	f.Add([]byte(`{"swagger": "2.0", "host": "a:1", "basePath": "/{x}", "paths": {"/a/": {"post": {}}, "/A": {"get": {"operationId": "list_a"}}}}`))
	f.Add([]byte("openapi: 3.0.0\npaths:\n  /x:\n    post:\n      operationId: rotateKeys\n      requestBody: {content: {a/json: {schema: {properties: {force: {type: boolean}}}}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		d, _, err := openapi.Read(data)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		if problems := d.Check(); len(problems) > 0 {
			t.Fatalf("%v\n%v", problems, described(d))
		}
	})
}
