package curl

import (
	"encoding/base64"
	"strings"
)

// option is what an option of curl's does to the request.
type option struct {
	kind optionKind
	set  func(c *call, value string) error // nil: nothing that matters here
}

type optionKind uint8

const (
	flag   optionKind = iota
	valued            // takes the next word
)

func (o option) apply(c *call, name string, take func() (string, bool)) error {
	value := ""
	if o.kind == valued {
		var ok bool
		if value, ok = take(); !ok {
			return bad("The option " + name + " needs a value after it. Paste the whole command.")
		}
	}
	if o.set == nil {
		return nil
	}
	return o.set(c, value)
}

// does is an option that cannot fail.
func does(set func(c *call, value string)) func(*call, string) error {
	return func(c *call, value string) error { set(c, value); return nil }
}

func refuse(sentence string) func(*call, string) error {
	return func(*call, string) error { return bad(sentence) }
}

func withNote(sentence string) func(*call, string) error {
	return does(func(c *call, _ string) { c.notes.add(sentence) })
}

// long are the options by their whole name. What is not here is refused: it
// could change what is sent.
var long = options()

func options() map[string]option {
	all := map[string]option{
		"url":            {valued, (*call).address},
		"request":        {valued, does(func(c *call, v string) { c.method = v })},
		"header":         {valued, (*call).addHeader},
		"data":           {valued, (*call).addData},
		"data-ascii":     {valued, (*call).addData},
		"data-binary":    {valued, (*call).addData},
		"data-raw":       {valued, does((*call).addRaw)},
		"data-urlencode": {valued, does((*call).addEncoded)},
		"json":           {valued, (*call).addJSON},
		"url-query":      {valued, does((*call).addQuery)},
		"form":           {valued, (*call).addForm},
		"form-string":    {valued, (*call).addFormString},
		"user":           {valued, does(func(c *call, v string) { c.user, c.hasUser = v, true })},
		"oauth2-bearer":  {valued, does(func(c *call, v string) { c.fallback("Authorization", "Bearer "+v) })},
		"user-agent":     {valued, does(func(c *call, v string) { c.fallback("User-Agent", v) })},
		"referer":        {valued, does(func(c *call, v string) { c.fallback("Referer", v) })},
		"cookie":         {valued, does((*call).addCookie)},
		"range":          {valued, does(func(c *call, v string) { c.fallback("Range", "bytes="+v) })},
		"upload-file":    {valued, does(func(c *call, v string) { c.upload, c.hasUpload, c.unread = v, true, true })},
		"get":            {flag, does(func(c *call, _ string) { c.get = true })},
		"head":           {flag, does(func(c *call, _ string) { c.head = true })},
		"globoff":        {flag, does(func(c *call, _ string) { c.globOff = true })},
		"path-as-is":     {flag, does(func(c *call, _ string) { c.pathAsIs = true })},
		"compressed":     {flag, does(func(c *call, _ string) { c.compressed = true })},
		"location":       {flag, withNote("Where the service would send curl on to is not followed: this is about the first request.")},
		"next":           {flag, refuse("The command holds several requests, with --next between them. Paste one of them.")},
		"config":         {valued, refuse("The command takes options from a file with --config, and files are not read. Write them out.")},
		"variable":       {valued, refuse("Variables of curl's own, with --variable, are not filled in. Write their values.")},
		"request-target": {valued, refuse("With --request-target the path is not that of the address. Write it into the address.")},
		"proto-default":  {valued, refuse("Write the scheme into the address, in place of --proto-default.")},
		"aws-sigv4":      {valued, withNote("The signature that --aws-sigv4 would make is left out.")},
	}
	all["location-trusted"], all["follow"] = all["location"], all["location"]
	for name := range strings.FieldsSeq(`silent show-error insecure include verbose fail fail-with-body fail-early no-buffer no-progress-meter progress-bar
		http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 sslv2 sslv3 ssl ssl-reqd ipv4 ipv6 disable
		remote-name remote-name-all remote-header-name remote-time parallel parallel-immediate junk-session-cookies basic digest ntlm negotiate anyauth
		compressed-ssh raw tr-encoding create-dirs crlf styled-output tcp-nodelay tcp-fastopen path-normal post301 post302 post303 cert-status
		ssl-no-revoke ssl-revoke-best-effort ssl-allow-beast ssl-auto-client-cert ca-native doh-insecure doh-cert-status retry-all-errors retry-connrefused
		netrc netrc-optional proxytunnel haproxy-protocol suppress-connect-headers xattr keepalive sessionid alpn npn false-start append use-ascii
		clobber buffer progress-meter proxy-insecure proxy-basic proxy-digest proxy-ntlm proxy-negotiate proxy-anyauth trace-time trace-ids out-null`) {
		all[name] = option{flag, nil}
	}
	for name := range strings.FieldsSeq(`output write-out max-time connect-timeout retry retry-delay retry-max-time cookie-jar dump-header cacert capath cert cert-type key
		key-type pass proxy proxy-user proxy-header preproxy socks4 socks4a socks5 socks5-hostname noproxy connect-to resolve interface limit-rate speed-limit
		speed-time max-filesize max-redirs ciphers tls13-ciphers tls-max curves pinnedpubkey proto proto-redir keepalive-time keepalive-cnt
		expect100-timeout happy-eyeballs-timeout-ms stderr trace trace-ascii trace-config local-port dns-servers dns-interface doh-url netrc-file
		unix-socket abstract-unix-socket parallel-max rate output-dir etag-save crlfile engine delegation service-name proxy-cacert proxy-cert proxy-key
		continue-at time-cond etag-compare alt-svc hsts create-file-mode ip-tos vlan-priority`) {
		all[name] = option{valued, nil}
	}
	return all
}

// short are the options of one letter.
var short = map[byte]string{
	'X': "request", 'H': "header", 'd': "data", 'F': "form", 'u': "user", 'A': "user-agent", 'e': "referer", 'b': "cookie", 'r': "range",
	'T': "upload-file", 'G': "get", 'I': "head", 'g': "globoff", 'L': "location", ':': "next", 'K': "config",
	's': "silent", 'S': "show-error", 'k': "insecure", 'i': "include", 'v': "verbose", 'f': "fail", 'N': "no-buffer", '#': "progress-bar",
	'0': "http1.0", '1': "tlsv1", '2': "sslv2", '3': "sslv3", '4': "ipv4", '6': "ipv6", 'q': "disable", 'O': "remote-name", 'J': "remote-header-name",
	'R': "remote-time", 'Z': "parallel", 'j': "junk-session-cookies", 'n': "netrc", 'p': "proxytunnel", 'a': "append", 'B': "use-ascii",
	'o': "output", 'w': "write-out", 'm': "max-time", 'c': "cookie-jar", 'D': "dump-header", 'E': "cert", 'x': "proxy", 'U': "proxy-user",
	'y': "speed-time", 'Y': "speed-limit", 'z': "time-cond", 'C': "continue-at",
}

// addHeader reads "Name: value". "Name;" is a header without value, "Name:"
// takes away one of curl's own.
func (c *call) addHeader(v string) error {
	if strings.HasPrefix(v, "@") {
		return bad("Headers from a file are not read. Write them out.")
	}
	name, value, ok := strings.Cut(v, ":")
	value = strings.TrimSpace(value)
	switch {
	case !ok && strings.HasSuffix(strings.TrimSpace(v), ";"):
		c.header.Add(strings.TrimSuffix(strings.TrimSpace(v), ";"), "")
	case !ok:
		return bad("A header is written like -H 'Content-Type: application/json'.")
	case name == "": // ":authority", as some tools write HTTP/2's own
		c.notes.add("Headers whose name begins with a colon are left out: they are written by the protocol itself.")
	case value == "":
		c.drop = append(c.drop, strings.TrimSpace(name))
	default:
		c.header.Add(strings.TrimSpace(name), value)
	}
	return nil
}

// fallback sets a header of curl's own, unless -H sets it or takes it away,
// wherever that stands.
func (c *call) fallback(name, value string) {
	if value != "" {
		c.own = append(c.own, [2]string{name, value})
	}
}

func (c *call) addCookie(v string) {
	if !strings.Contains(v, "=") {
		c.notes.add("Cookies from a file are not read.")
		return
	}
	c.header.Add("Cookie", v)
}

func basic(user string) string {
	if !strings.Contains(user, ":") {
		user += ":"
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user))
}
