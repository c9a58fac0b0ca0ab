package strict_test

import (
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/gateway/strict"
)

func TestH2RequestsThatCannotBecomeHTTP1AreRefused(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		change func(*http.Request)
		rule   string
	}{
		"sound":                {func(r *http.Request) { r.Header.Set("Te", "trailers"); r.Header["Cookie"] = []string{"a=1", "b=2"} }, ""},
		"host repeated":        {func(r *http.Request) { r.Header["Host"] = []string{"api.example"} }, ""},
		"host differs":         {func(r *http.Request) { r.Header["Host"] = []string{"evil.example"} }, "authority"},
		"host twice":           {func(r *http.Request) { r.Header["Host"] = []string{"api.example", "api.example"} }, "host_twice"},
		"no authority":         {func(r *http.Request) { r.Host = "" }, "host_missing"},
		"authority with user":  {func(r *http.Request) { r.Host = "u@api.example" }, "host"},
		"connection":           {func(r *http.Request) { r.Header.Set("Connection", "close") }, "h2_field"},
		"transfer-encoding":    {func(r *http.Request) { r.Header.Set("Transfer-Encoding", "chunked") }, "h2_field"},
		"upgrade":              {func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }, "h2_field"},
		"te gzip":              {func(r *http.Request) { r.Header.Set("Te", "gzip") }, "h2_field"},
		"line end in value":    {func(r *http.Request) { r.Header["X"] = []string{"a\r\nY: b"} }, "control_byte"},
		"line end in name":     {func(r *http.Request) { r.Header["X\r\nY"] = []string{"b"} }, "field_name"},
		"blank at the end":     {func(r *http.Request) { r.Header["X"] = []string{"b "} }, "h2_space"},
		"pseudo header":        {func(r *http.Request) { r.Header[":protocol"] = []string{"websocket"} }, "field_name"},
		"underscore length":    {func(r *http.Request) { r.Header["Content_length"] = []string{"1"} }, "look_alike"},
		"length list":          {func(r *http.Request) { r.Header["Content-Length"] = []string{"2, 2"} }, "content_length"},
		"lengths":              {func(r *http.Request) { r.Header["Content-Length"] = []string{"2", "2"} }, "content_length_twice"},
		"length differs":       {func(r *http.Request) { r.Header["Content-Length"] = []string{"2"} }, "h2_length"},
		"length agrees":        {func(r *http.Request) { r.Header["Content-Length"] = []string{"2"}; r.ContentLength = 2 }, ""},
		"trailer of auth":      {func(r *http.Request) { r.Trailer = http.Header{"Authorization": nil} }, "trailer"},
		"connect":              {func(r *http.Request) { r.Method = "CONNECT" }, "target"},
		"lower-case method":    {func(r *http.Request) { r.Method = "get" }, "method"},
		"absolute path":        {func(r *http.Request) { r.RequestURI = "http://evil.example/" }, "target"},
		"path with blank":      {func(r *http.Request) { r.RequestURI = "/a HTTP/1.1\r\nX: y" }, "target_byte"},
		"path with fragment":   {func(r *http.Request) { r.RequestURI = "/a#b" }, "fragment"},
		"path with backslash":  {func(r *http.Request) { r.RequestURI = "/a\\b" }, "target_byte"},
		"empty path":           {func(r *http.Request) { r.RequestURI = "" }, "target"},
		"headers beyond limit": {func(r *http.Request) { r.Header["X"] = make([]string, 300) }, "many_headers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := &http.Request{
				Method: "POST", RequestURI: "/x", Host: "api.example", ProtoMajor: 2, ContentLength: -1,
				Header: http.Header{"Accept": {"*/*"}},
			}
			c.change(r)
			err := strict.CheckH2(r, strict.Limits{})
			got := ""
			if e := strict.Refused(err); e != nil {
				got = e.Rule
			}
			if got != c.rule {
				t.Errorf("refused by %q, want %q", got, c.rule)
			}
		})
	}
}
