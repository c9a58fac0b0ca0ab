package strict_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/gateway/strict"
)

const host = "Host: a\r\n"

// ambiguous are requests that parsers are known to read differently, or that
// net/http repairs, with the rule that must catch each. An empty rule means
// that the request is sound.
var ambiguous = map[string]struct{ raw, rule string }{
	"CL+TE both":            {"POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "length_and_encoding"},
	"TE then CL":            {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n", "length_and_encoding"},
	"dup CL differ":         {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "content_length_twice"},
	"dup CL same":           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "content_length_twice"},
	"CL list '2, 2'":        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 2, 2\r\n\r\nab", "content_length"},
	"CL +2":                 {"POST / HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\nab", "content_length"},
	"CL 0x2":                {"POST / HTTP/1.1\r\n" + host + "Content-Length: 0x2\r\n\r\nab", "content_length"},
	"CL 1_0":                {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1_0\r\n\r\nab", "content_length"},
	"CL empty":              {"POST / HTTP/1.1\r\n" + host + "Content-Length: \r\n\r\n", "content_length"},
	"CL negative":           {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "content_length"},
	"CL leading zero":       {"POST / HTTP/1.1\r\n" + host + "Content-Length: 010\r\n\r\n", "content_length"},
	"CL tab":                {"POST / HTTP/1.1\r\n" + host + "Content-Length:\t2\r\n\r\nab", "content_length"},
	"CL beyond int64":       {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", "content_length"},
	"TE xchunked":           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "transfer_encoding_kind"},
	"TE Chunked upper":      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", "transfer_encoding_kind"},
	"TE dup chunked x2":     {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "transfer_encoding"},
	"TE chunked,identity":   {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "transfer_encoding"},
	"TE identity":           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab", "transfer_encoding_kind"},
	"TE empty":              {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n", "transfer_encoding"},
	"TE \\x0bchunked":       {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "control_byte"},
	"TE space before colon": {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "field_name"},
	"TE tab value":          {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", "transfer_encoding"},
	"TE on HTTP/1.0":        {"POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "transfer_encoding_1_0"},
	"obs-fold header":       {"GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", "obs_fold"},
	"obs-fold TE":           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "transfer_encoding"},
	"obs-fold tab":          {"GET / HTTP/1.1\r\n" + host + "X: a\r\n\tb\r\n\r\n", "obs_fold"},
	"bare LF line ends":     {"GET / HTTP/1.1\nHost: a\nX: 1\n\n", "bare_lf"},
	"bare LF one header":    {"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", "bare_lf"},
	"bare LF at the end":    {"GET / HTTP/1.1\r\nHost: a\r\n\n", "bare_lf"},
	"bare CR in value":      {"GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", "bare_cr"},
	"CR CR LF":              {"GET / HTTP/1.1\r\n" + host + "X: a\r\r\n\r\n", "bare_cr"},
	"CR in request line":    {"GET /\r HTTP/1.1\r\n" + host + "\r\n", "bare_cr"},
	"NUL in value":          {"GET / HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", "control_byte"},
	"DEL in value":          {"GET / HTTP/1.1\r\n" + host + "X: a\x7fb\r\n\r\n", "control_byte"},
	"high byte hdr name":    {"GET / HTTP/1.1\r\n" + host + "X\xff: a\r\n\r\n", "field_name"},
	"hdr name space":        {"GET / HTTP/1.1\r\n" + host + "X Y: a\r\n\r\n", "field_name"},
	"empty name":            {"GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n", "field_name"},
	"no colon line":         {"GET / HTTP/1.1\r\n" + host + "XYZ\r\n\r\n", "field_line"},
	"first hdr leading space": {
		"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "obs_fold"},
	"dup Host":               {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "host_twice"},
	"dup Host same":          {"GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", "host_twice"},
	"no Host":                {"GET / HTTP/1.1\r\n\r\n", "host_missing"},
	"empty Host":             {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "host"},
	"abs-form vs Host":       {"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", "authority"},
	"abs-form vs Host port":  {"GET http://a/ HTTP/1.1\r\nHost: a:8080\r\n\r\n", "authority"},
	"abs-form port vs Host":  {"GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n", "authority"},
	"abs-form dot vs Host":   {"GET http://a./ HTTP/1.1\r\nHost: a\r\n\r\n", "authority"},
	"abs-form with user":     {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "target"},
	"abs-form of ftp":        {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "scheme"},
	"Host with userinfo":     {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "host"},
	"Host with path":         {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "host"},
	"Host with escape":       {"GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", "host"},
	"Host with comma":        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "host"},
	"Host with zone":         {"GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", "host"},
	"Host with empty port":   {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "host"},
	"Host with large port":   {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "host"},
	"Host unclosed bracket":  {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "host"},
	"Host IPv4 in brackets":  {"GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n", "host"},
	"chunk-size LF only":     {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", "chunk"},
	"chunk ext":              {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\n\r\n", ""},
	"chunk ext blank":        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1; x=y\r\na\r\n0\r\n\r\n", "chunk_extension"},
	"chunk ext long":         {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 200) + "\r\na\r\n0\r\n\r\n", "chunk_extension"},
	"chunk ext many":         {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 100)+"\r\na\r\n", 100) + "0\r\n\r\n", "chunk_extension"},
	"chunk-size 0x1":         {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", "chunk"},
	"chunk-size ' 1'":        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n", "chunk"},
	"chunk-size '1 '":        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", "chunk"},
	"chunk-size empty":       {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n", "chunk"},
	"chunk-size overflow":    {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n0\r\n\r\n", "chunk"},
	"chunk-data bad term":    {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n", "chunk"},
	"chunk-data too long":    {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\naX\r\n0\r\n\r\n", "chunk"},
	"chunk-data LF term":     {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", "chunk"},
	"trailers":               {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: evil\r\n\r\n", "trailer"},
	"trailer announced":      {"POST / HTTP/1.1\r\n" + host + "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: good\r\n\r\n", ""},
	"trailer of framing":     {"POST / HTTP/1.1\r\n" + host + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "trailer"},
	"trailer of auth":        {"POST / HTTP/1.1\r\n" + host + "Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "trailer"},
	"trailer bare LF":        {"POST / HTTP/1.1\r\n" + host + "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\n\r\n", "chunk"},
	"trailers large":         {"POST / HTTP/1.1\r\n" + host + "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 9) + "\r\n", "trailer_size"},
	"trailer without chunks": {"GET / HTTP/1.1\r\n" + host + "Trailer: X\r\n\r\n", "trailer"},
	"GET with body CL":       {"GET / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nab", ""},
	"Expect 0.CL":            {"GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", ""},
	"Expect obfusc":          {"GET / HTTP/1.1\r\n" + host + "Expect: y 100-continue\r\nContent-Length: 2\r\n\r\nab", "expect"},
	"Expect twice":           {"GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", "expect"},
	"method lower":           {"get / HTTP/1.1\r\n" + host + "\r\n", "method"},
	"method mixed":           {"Get / HTTP/1.1\r\n" + host + "\r\n", "method"},
	"method odd bytes":       {"G!T / HTTP/1.1\r\n" + host + "\r\n", "method"},
	"method unknown":         {"FROBNICATE / HTTP/1.1\r\n" + host + "\r\n", ""},
	"method long":            {strings.Repeat("G", 40) + " / HTTP/1.1\r\n" + host + "\r\n", "method_long"},
	"method PRI":             {"PRI * HTTP/1.1\r\n" + host + "\r\n", "method"},
	"HTTP/1.2":               {"GET / HTTP/1.2\r\n" + host + "\r\n", "version"},
	"HTTP/0.9":               {"GET /\r\n\r\n", "request_line"},
	"http/1.1":               {"GET / http/1.1\r\n" + host + "\r\n", "request_line"},
	"HTTP/2.0 preface-ish":   {"GET / HTTP/2.0\r\n" + host + "\r\n", "version"},
	"tab in request line":    {"GET\t/\tHTTP/1.1\r\n" + host + "\r\n", "request_line"},
	"double space target":    {"GET  / HTTP/1.1\r\n" + host + "\r\n", "request_line"},
	"trailing space":         {"GET / HTTP/1.1 \r\n" + host + "\r\n", "request_line"},
	"leading empty line":     {"\r\nGET / HTTP/1.1\r\n" + host + "\r\n", "request_line"},
	"space in target":        {"GET /a b HTTP/1.1\r\n" + host + "\r\n", "request_line"},
	"fragment in target":     {"GET /a#b HTTP/1.1\r\n" + host + "\r\n", "fragment"},
	"backslash in path":      {"GET /a\\..\\b HTTP/1.1\r\n" + host + "\r\n", "target_byte"},
	"high byte in target":    {"GET /\xc3\xbc HTTP/1.1\r\n" + host + "\r\n", "target_byte"},
	"broken escape":          {"GET /%zz HTTP/1.1\r\n" + host + "\r\n", "target_escape"},
	"short escape":           {"GET /%a HTTP/1.1\r\n" + host + "\r\n", "target_escape"},
	"relative target":        {"GET a HTTP/1.1\r\n" + host + "\r\n", "target"},
	"asterisk with GET":      {"GET * HTTP/1.1\r\n" + host + "\r\n", "target"},
	"asterisk with OPTIONS":  {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", ""},
	"Upgrade h2c + CL":       {"POST / HTTP/1.1\r\n" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 2\r\n\r\nab", "upgrade"},
	"HTTP2-Settings alone":   {"GET / HTTP/1.1\r\n" + host + "HTTP2-Settings: AAMAAABk\r\n\r\n", "upgrade"},
	"Upgrade second in list": {"GET / HTTP/1.1\r\n" + host + "Upgrade: websocket, h2c\r\n\r\n", "upgrade"},
	"Upgrade websocket":      {"GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", ""},
	"Upgrade with body":      {"POST / HTTP/1.1\r\n" + host + "Upgrade: websocket\r\nContent-Length: 2\r\n\r\nab", "upgrade_body"},
	"Connection: X": {
		"GET / HTTP/1.1\r\n" + host + "Connection: X\r\nX: 1\r\n\r\n", "connection"},
	"Connection: close, Stripe-Account": {
		"GET / HTTP/1.1\r\n" + host + "Connection: close, Stripe-Account\r\nStripe-Account: a\r\n\r\n", "connection"},
	"Connection: Transfer-Encoding": {
		"POST / HTTP/1.1\r\n" + host + "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "connection"},
	"Connection: TE, close": {
		"GET / HTTP/1.1\r\n" + host + "Connection: TE, close\r\nTE: trailers\r\n\r\n", ""},
	"Connection: Host":          {"GET / HTTP/1.1\r\n" + host + "Connection: host\r\n\r\n", "connection"},
	"Connection: Authorization": {"GET / HTTP/1.1\r\n" + host + "Connection: close, Authorization\r\n\r\n", "connection"},
	"underscore CL":             {"POST / HTTP/1.1\r\n" + host + "Content_Length: 9\r\nContent-Length: 2\r\n\r\nab", "look_alike"},
	"underscore TE":             {"POST / HTTP/1.1\r\n" + host + "Transfer_Encoding: chunked\r\n\r\n", "look_alike"},
	"underscore Host":           {"GET / HTTP/1.1\r\n" + host + "Host_: b\r\n\r\n", "look_alike"},
	"dot CL":                    {"POST / HTTP/1.1\r\n" + host + "Content.Length: 9\r\n\r\n", "look_alike"},
	"CONNECT":                   {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", ""},
	"CONNECT Host without port": {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", ""},
	"CONNECT other Host":        {"CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", "authority"},
	"CONNECT other port":        {"CONNECT a:443 HTTP/1.1\r\nHost: a:80\r\n\r\n", "authority"},
	"CONNECT without port":      {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "target"},
	"CONNECT a path":            {"CONNECT /a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "target"},
	"CONNECT with body":         {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nGET /", "connect_body"},
	"CONNECT HTTP/1.0 no Host":  {"CONNECT a:443 HTTP/1.0\r\n\r\n", ""},
	"HTTP/1.0 no Host":          {"GET / HTTP/1.0\r\n\r\n", ""},
	"plain":                     {"GET /a%20b?q=%zz|\"{} HTTP/1.1\r\nhost:a:80 \r\nX-Tab: a\tb\r\nX-Empty:\r\nX-Obs: \xff\r\n\r\n", ""},
	"absolute default port":     {"GET http://A:80?x HTTP/1.1\r\n" + host + "\r\n", ""},
	"absolute IPv6":             {"GET https://[::1]:8443/ HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", ""},
	"CL zero":                   {"POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", ""},
	"chunked":                   {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0b\r\nhello world\r\n000\r\n\r\n", ""},
}

// read takes one whole request the way the gateway does.
func read(raw string) error {
	r := strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
	req, _, err := r.ReadRequest()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}

func TestAmbiguousRequestsAreRefused(t *testing.T) {
	t.Parallel()

	for name, c := range ambiguous {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := read(c.raw)
			if c.rule == "" {
				if err != nil {
					t.Fatalf("sound request refused: %v", err)
				}
				return
			}
			refused := strict.Refused(err)
			if refused == nil {
				t.Fatalf("got %v, want a refusal by %s", err, c.rule)
			}
			if got, want := refused.Rule, c.rule; got != want {
				t.Errorf("refused by %s, want %s", got, want)
			}
			if refused.Status < 400 || refused.Status > 505 || !strings.HasSuffix(refused.Reason, ".") {
				t.Errorf("refusal is not fit to be shown: %+v", refused)
			}
		})
	}
}

func TestLimitsHoldBeforeTheHeadIsWhole(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		raw    string
		status int
	}{
		"target":       {"GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\n" + host + "\r\n", 414},
		"endless line": {strings.Repeat("a", 1<<20), 414},
		"head":         {"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431},
		"headers":      {"GET / HTTP/1.1\r\n" + host + strings.Repeat("X: a\r\n", 200) + "\r\n", 431},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			src := strings.NewReader(c.raw)
			r := strict.NewReader(bufio.NewReader(src), strict.Limits{})
			_, err := r.ReadHead()
			refused := strict.Refused(err)
			if refused == nil || refused.Status != c.status {
				t.Fatalf("got %v, want status %d", err, c.status)
			}
			if read := len(c.raw) - src.Len(); read > 80<<10 {
				t.Errorf("read %d bytes before refusing", read)
			}
		})
	}
}

func TestConnectionIsOverAfterARefusal(t *testing.T) {
	t.Parallel()

	r := strict.NewReader(bufio.NewReader(strings.NewReader("get / HTTP/1.1\r\n"+host+"\r\nGET /second HTTP/1.1\r\n"+host+"\r\n")), strict.Limits{})
	if _, err := r.ReadHead(); strict.Refused(err) == nil {
		t.Fatalf("got %v, want a refusal", err)
	}
	if r.Drain(1 << 20) {
		t.Error("a refused connection says that it can go on")
	}
	if h, err := r.ReadHead(); err == nil {
		t.Errorf("read another head after a refusal: %q", h.Raw)
	}
}

func TestConnectionThatEnds(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"before the first byte": {"", io.EOF},
		"in the head":           {"GET / HT", io.ErrUnexpectedEOF},
		"in a body of a length": {"POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nab", io.ErrUnexpectedEOF},
		"in a chunk":            {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", io.ErrUnexpectedEOF},
		"before the last chunk": {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", io.ErrUnexpectedEOF},
		"before the last line":  {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := read(c.raw); !isErr(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
