package proxy_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

// mcp makes the upstream an MCP server at which some tools may not be called.
func mcp(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
	s.Connectors[0].Type, s.Connectors[0].CredentialID = "mcp", ""
	s.Rules = []policy.Rule{
		{ID: "rule_all", Connector: "api", Pattern: "mcp.*", Effect: policy.Allow},
		{ID: "rule_drop", Connector: "api", Pattern: "mcp.tools.call", When: policy.Limits{"tool": {"delete_*"}}, Effect: policy.Deny},
		{ID: "rule_path", Connector: "api", Pattern: "mcp.tools.call", When: policy.Limits{"tool": {"write"}, "arg.path": {"/etc/*"}}, Effect: policy.Deny},
		{ID: "rule_ask", Connector: "api", Pattern: "mcp.tools.call", When: policy.Limits{"tool": {"deploy"}}, Effect: policy.RequireApproval},
		{ID: "rule_none", Connector: "api", Pattern: "mcp.tools.call", When: policy.Limits{"tool": {"admin"}}, Effect: policy.Deny},
		{ID: "rule_some", Connector: "api", Pattern: "mcp.tools.call", When: policy.Limits{"tool": {"admin"}, "arg.dry_run": {"true"}}, Effect: policy.Allow},
	}
}

func tools(names ...string) string {
	var all []string
	for _, name := range names {
		all = append(all, `{"name":"`+name+`","inputSchema":{"type":"object"}}`)
	}
	return `{"jsonrpc":"2.0","id":1,"result":{"tools":[` + strings.Join(all, ",") + `]}}`
}

const asksForTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

var (
	everyTool = tools("get", "delete_all", "write", "deploy", "admin")
	shownOnes = tools("get", "write", "deploy", "admin")
)

// bothMCP is both with an MCP server.
func bothMCP(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, g *rig, c *http.Client), change ...settings) {
	t.Helper()
	for name, h := range map[string]http.Handler{"to h1": only1{handler}, "to h2": handler} {
		for from, h2 := range map[string]bool{"h1": false, "h2": true} {
			t.Run(from+" "+name, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, h, append([]settings{mcp}, change...)...)
				test(t, g, g.client(h2))
			})
		}
	}
}

// says answers with body as a content type.
func says(contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = io.WriteString(w, body)
	}
}

// accepts answers with 202 and a text.
func accepts(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, body)
	}
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func TestToolsThatAreDeniedAreNotListed(t *testing.T) {
	t.Parallel()

	const asJSON, asEvents = "application/json; charset=utf-8", "text/event-stream"
	large := tools(strings.Repeat("a", 5<<20))
	for name, tt := range map[string]struct {
		method, asks string
		answer       http.HandlerFunc
		want         string // "": withheld
	}{
		"JSON":                        {"POST", asksForTools, says(asJSON, everyTool, "Etag", `"1"`), shownOnes},
		"events":                      {"POST", asksForTools, says(asEvents, ": hello\n\nid: 1\ndata: \n\nevent: message\nid: 2\ndata: "+everyTool+"\n\n"), ": hello\n\nid: 1\ndata: \n\nevent: message\nid: 2\ndata: " + shownOnes + "\n\n"},
		"events without end":          {"POST", asksForTools, says(asEvents, "data: "+everyTool), "data: " + shownOnes + "\n"},
		"with returns":                {"POST", asksForTools, says(asEvents, "data: "+everyTool+"\r\r"), "data: " + shownOnes + "\r\r"},
		"in a batch":                  {"POST", `[` + asksForTools + `,{"jsonrpc":"2.0","id":2,"method":"ping"}]`, says(asJSON, `[`+everyTool+`,{"jsonrpc":"2.0","id":2,"result":{}}]`), `[` + shownOnes + `,{"jsonrpc":"2.0","id":2,"result":{}}]`},
		"on a stream of its own":      {"GET", "", says(asEvents, "data: "+everyTool+"\n\n"), "data: " + shownOnes + "\n\n"},
		"of the first version":        {"GET", "", says(asEvents, "event: endpoint\ndata: /messages?id=1\n\ndata: "+everyTool+"\n\n"), "event: endpoint\ndata: /messages?id=1\n\ndata: " + shownOnes + "\n\n"},
		"an error":                    {"POST", asksForTools, says(asJSON, `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}`), `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}`},
		"nothing":                     {"POST", asksForTools, says(asJSON, ``), ``},
		"in gzip, not asked for":      {"POST", asksForTools, says(asJSON, zipped(everyTool), "Content-Encoding", "gzip"), shownOnes},
		"another page":                {"GET", "", says("text/html", "<html>"), "<html>"},
		"another document":            {"GET", "", says("application/json", large), large},
		"of a call":                   {"POST", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get"}}`, says(asJSON, large), large},
		"of what cannot be read":      {"POST", "{", says(asJSON, everyTool), shownOnes},
		"accepted":                    {"POST", asksForTools, accepts("Accepted"), "Accepted"},
		"accepted, and answered":      {"POST", asksForTools, accepts("x" + everyTool), ""},
		"no JSON":                     {"POST", asksForTools, says(asJSON, "<html>"), ""},
		"another type":                {"POST", asksForTools, says("text/plain", everyTool), shownOnes},
		"another type, and no JSON":   {"POST", asksForTools, says("text/plain", "x"+everyTool), ""},
		"too large":                   {"POST", asksForTools, says(asJSON, large), ""},
		"gzip that is none":           {"POST", asksForTools, says(asJSON, everyTool, "Content-Encoding", "gzip"), ""},
		"gzip that is large":          {"POST", asksForTools, says(asJSON, zipped(large), "Content-Encoding", "gzip"), ""},
		"an unknown coding":           {"POST", asksForTools, says(asJSON, everyTool, "Content-Encoding", "br"), ""},
		"events in gzip":              {"POST", asksForTools, says(asEvents, zipped("data: "+everyTool+"\n\n"), "Content-Encoding", "gzip"), ""},
		"two types":                   {"POST", asksForTools, says("application/json, text/event-stream", everyTool), ""},
		"tools twice":                 {"POST", asksForTools, says(asJSON, strings.Replace(everyTool, `"tools"`, `"tools":[],"tools"`, 1)), ""},
		"what cannot be read, either": {"POST", "{", says(asJSON, "{"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothMCP(t, tt.answer, func(t *testing.T, g *rig, c *http.Client) {
				want := tt.want
				// A rule denies what cannot be read, since it may be a call.
				if tt.asks == "{" {
					s := testSnapshot()
					mcp(nil, &s, nil)
					s.Version, s.Rules = 8, []policy.Rule{{ID: "rule_all", Connector: "api", Pattern: "*", Effect: policy.Allow}, {ID: "rule_drop", Connector: "api", Pattern: "mcp.tools.call", Effect: policy.Allow}}
					g.use(s)
					want = strings.Replace(want, shownOnes, everyTool, 1)
				}
				r, err := http.NewRequest(tt.method, base+"/mcp", strings.NewReader(tt.asks))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Accept", "application/json, text/event-stream")
				r.Header.Set("Accept-Encoding", "gzip")
				r.Header.Set("Range", "bytes=0-9")
				res, err := c.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				withheld := want == "" && name != "nothing"
				if withheld {
					if res.StatusCode != 502 || !bytes.Contains(body, []byte("could not be looked through")) || bytes.Contains(body, []byte("delete_all")) {
						t.Errorf("%s %.200s %v, want it withheld", res.Status, body, err)
					}
					if e := g.spool.settled(t, 2)[1]; e.Code != "answer_withheld" || e.Status != 502 {
						t.Errorf("on record is %+v", e)
					}
				} else if string(body) != want || err != nil || res.StatusCode/100 != 2 {
					t.Errorf("%s %v %.300s, want %.300s", res.Status, err, body, want)
				}
				if looked := !strings.Contains(tt.asks, "call"); looked && (g.upstream.lastHeader(t).Get("Accept-Encoding") != "identity" || g.upstream.lastHeader(t).Get("Range") != "" || res.Header.Get("Etag") != "" || res.Header.Get("Content-Encoding") != "") {
					t.Errorf("asked with %v, answered with %v", g.upstream.lastHeader(t), res.Header)
				}
			})
		})
	}
}

func TestACallOfAToolThatIsNotListedIsDenied(t *testing.T) {
	t.Parallel()

	bothMCP(t, says("application/json", `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`), func(t *testing.T, g *rig, c *http.Client) {
		for params, want := range map[string]int{
			`{"name":"get"}`:        200,
			`{"name":"delete_all"}`: 403,
			`{"name":"write","arguments":{"path":"/tmp/a"}}`:       200,
			`{"name":"write","arguments":{"path":"/etc/a"}}`:       403,
			`{"name":"write","arguments":{"path":{"a":"/etc/a"}}}`: 403,
			`{"name":"admin"}`: 403,
			`{"name":"admin","arguments":{"dry_run":true}}`: 200,
			`{"name":"deploy"}`:                             200, // approved
		} {
			res, body := g.do(c, "POST", base+"/mcp", `{"jsonrpc":"2.0","id":"q","method":"tools/call","params":`+params+`}`)
			if res.StatusCode != want || want == 403 && !strings.HasPrefix(body, `{"jsonrpc":"2.0","id":"q","error":{"code":-32001,"message":"TameFlare: The rule for mcp.tools.call`) {
				t.Errorf("%s: %s %s, want %d", params, res.Status, body, want)
			}
		}
		for body, want := range map[string]int{
			`[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get"}},` + asksForTools + `]`:                                                          200,
			`[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"delete_all"}}]`: 403,
		} {
			if res, got := g.do(c, "POST", base+"/mcp", body); res.StatusCode != want {
				t.Errorf("%s: %s %s, want %d", body, res.Status, got, want)
			}
		}
	})
}

func TestEventsThatAreLookedThroughArriveAsTheyAreSent(t *testing.T) {
	t.Parallel()

	bothMCP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		flush := func() { _ = http.NewResponseController(w).Flush() }
		flush()
		<-signalOf(r)
		fmt.Fprint(w, "data: "+everyTool+"\r\n\r")
		flush()
		<-signalOf(r)
		fmt.Fprint(w, "\n: alive\ndata: "+everyTool[:40]) // in the middle of the next one
		flush()
		<-signalOf(r)
		fmt.Fprint(w, everyTool[40:]+"\n\n")
		flush()
		<-r.Context().Done()
		close(signalOf(r))
	}, func(t *testing.T, g *rig, c *http.Client) {
		res, err := c.Post(base+"/mcp", "application/json", strings.NewReader(asksForTools))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		br := bufio.NewReader(res.Body)
		want := func(s string) {
			t.Helper()
			b := make([]byte, len(s))
			if _, err := io.ReadFull(br, b); err != nil || string(b) != s {
				t.Fatalf("%q %v, want %q", b, err, s)
			}
		}
		g.upstream.signal <- struct{}{}
		want("data: " + shownOnes + "\r\n\r")
		g.upstream.signal <- struct{}{}
		want("\n: alive\n")
		// What is denied meanwhile is not shown any more.
		s := testSnapshot()
		mcp(nil, &s, nil)
		s.Version, s.Rules = 8, append(s.Rules[:1:1], policy.Rule{ID: "rule_call", Connector: "api", Pattern: "mcp.tools.call", Effect: policy.Deny})
		g.use(s)
		g.upstream.signal <- struct{}{}
		want("data: " + tools() + "\n\n")
		g.current.Kill("mcp", "Enough.")
		if b, err := io.ReadAll(br); err == nil {
			t.Errorf("the stream ended well, after %q", b)
		}
		<-g.upstream.signal
	})
}

func TestAStreamThatCannotBeLookedThroughIsCut(t *testing.T) {
	t.Parallel()

	for name, event := range map[string]string{
		"no JSON": "data: <delete_all>\n\n", "too large": "data: " + strings.Repeat("x", 5<<20) + "delete_all\n\n", "a list in another case": "data: " + strings.Replace(everyTool, "tools", "Tools", 1) + "\n\n",
		"an endpoint that is none": "event: endpoint\ndata: " + everyTool + "x\n\n", "at the end": "data: {delete_all",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothMCP(t, says("text/event-stream", "data: "+tools("get")+"\n\n"+event), func(t *testing.T, g *rig, c *http.Client) {
				res, err := c.Post(base+"/mcp", "application/json", strings.NewReader(asksForTools))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if err == nil || bytes.Contains(body, []byte("delete_all")) || len(body) > 1<<20 {
					t.Errorf("it ended well, with %.200q", body)
				}
				if e := g.spool.settled(t, 2)[1]; e.Code != "answer_withheld" {
					t.Errorf("on record is %+v", e)
				}
			})
		})
	}
}

func TestEveryToolIsListedWhereNothingIsEnforced(t *testing.T) {
	t.Parallel()

	monitor := func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Enforcement = policy.Monitor }
	bothMCP(t, says("application/json", everyTool), func(t *testing.T, g *rig, c *http.Client) {
		if res, body := g.do(c, "POST", base+"/mcp", asksForTools); body != everyTool {
			t.Errorf("%s %s", res.Status, body)
		}
	}, monitor)
}

// An agent that asks again has another id by then.
func TestAnApprovalFitsTheSameCallWithAnotherID(t *testing.T) {
	t.Parallel()

	bothMCP(t, says("application/json", "{}"), func(t *testing.T, g *rig, c *http.Client) {
		asked := func(body string) string {
			g.do(c, "POST", base+"/mcp", body)
			select {
			case ask := <-g.desk.asked:
				return ask.Fingerprint
			case <-time.After(10 * time.Second):
				t.Fatal("nobody was asked")
			}
			return ""
		}
		body := func(id, size string) string {
			return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"deploy","arguments":{"size":` + size + `},"_meta":{"progressToken":` + id + `}}}`
		}
		first := asked(body("1", "1"))
		if again := asked(body("2", "1")); again != first {
			t.Error("the same call is another request")
		}
		if other := asked(body("1", "2")); other == first {
			t.Error("a call with other arguments is the same request")
		}
	})
}
