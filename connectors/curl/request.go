package curl

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/described"
)

// request puts together what curl would send.
func (c *call) request() (described.Request, error) {
	address, err := c.target()
	if err != nil {
		return described.Request{}, err
	}
	r := described.Request{Method: c.verb(), URL: address, Header: c.header, Unread: c.unread}
	switch {
	case len(c.form) > 0 && (c.hasData || c.hasUpload), c.hasData && c.hasUpload:
		return r, bad("The command has two bodies: of -d, -F and -T only one can be sent.")
	case c.unread && c.get && c.hasData:
		c.notes.add("Files are not read, so a part of the query is missing.")
		r.Unread = false
	case len(c.form) > 0:
		c.fallback("Content-Type", "multipart/form-data; boundary="+boundary)
		r.Body = multipart(c.form)
	case c.hasUpload:
		c.notes.add(fileUnread)
	case c.hasData && !c.get:
		typ := "application/x-www-form-urlencoded"
		if c.json {
			typ = "application/json"
			c.fallback("Accept", "application/json")
		}
		c.fallback("Content-Type", typ)
		r.Body = []byte(strings.Join(c.data, "&"))
	}
	if c.hasUser {
		c.fallback("Authorization", basic(c.user))
	}
	if c.compressed {
		c.fallback("Accept-Encoding", "deflate, gzip")
	}
	for _, own := range c.own {
		dropped := slices.ContainsFunc(c.drop, func(name string) bool { return strings.EqualFold(name, own[0]) })
		if !dropped && len(c.header.Values(own[0])) == 0 {
			c.header.Set(own[0], own[1])
		}
	}
	return r, nil
}

// verb is the method: what -X says, or what the other options make of it.
func (c *call) verb() string {
	switch {
	case c.method != "":
		return c.method
	case c.head:
		return "HEAD"
	case c.get:
		return "GET"
	case c.hasUpload:
		return "PUT"
	case c.hasData || len(c.form) > 0:
		return "POST"
	}
	return "GET"
}

// target is the address that the request goes to.
func (c *call) target() (string, error) {
	address, _, _ := strings.Cut(c.url, "#")
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "http", address
		c.notes.add("The address has no scheme, and then curl takes http.")
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, err := url.PathUnescape(authority[:at])
		if err != nil {
			return "", bad("The user in the address is not written properly.")
		}
		if !c.hasUser {
			c.user, c.hasUser = user, true
		}
		authority = authority[at+1:]
	}
	if !c.globOff && strings.ContainsAny(rest, "{}[]") {
		return "", bad("The address has brackets or braces, of which curl makes several requests. Fill in one address; --globoff takes them as they are.")
	}
	where, query, asks := strings.Cut(rest, "?")
	if where == "" {
		where = "/"
	}
	if !c.pathAsIs {
		where = undotted(where)
	}
	if c.hasUpload && strings.HasSuffix(where, "/") {
		where += escape(path.Base(c.upload))
	}
	more := c.query
	if c.get {
		more = append(more, c.data...)
	}
	for _, piece := range more {
		if query != "" {
			query += "&"
		}
		query, asks = query+piece, true
	}
	if asks {
		where += "?" + query
	}
	return scheme + "://" + authority + where, nil
}

// undotted takes the segments . and .. out of a path, as curl does before it
// sends one.
func undotted(p string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		case ".":
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}
