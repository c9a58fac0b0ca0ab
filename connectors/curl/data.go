package curl

import "strings"

const fileUnread = "Files are not read, so what is in the body counts as unknown."

// addData is -d: text, or a file after @.
func (c *call) addData(v string) error {
	if strings.HasPrefix(v, "@") {
		c.hasData, c.unread = true, true
		c.notes.add(fileUnread)
		return nil
	}
	c.addRaw(v)
	return nil
}

// addRaw adds a piece of the body. Pieces are joined as a form's fields are.
func (c *call) addRaw(v string) { c.data, c.hasData = append(c.data, v), true }

// addJSON is --json, whose pieces are joined as they are.
func (c *call) addJSON(v string) error {
	c.json = true
	if n := len(c.data); n > 0 && !strings.HasPrefix(v, "@") {
		c.data[n-1] += v
		return nil
	}
	return c.addData(v)
}

// addEncoded is --data-urlencode: "content", "=content", "name=content",
// "@file" or "name@file".
func (c *call) addEncoded(v string) {
	piece, file := encoded(v)
	if file {
		c.hasData, c.unread = true, true
		c.notes.add(fileUnread)
		return
	}
	c.addRaw(piece)
}

// addQuery is --url-query, which is as --data-urlencode, and with a plus in
// front as it is.
func (c *call) addQuery(v string) {
	if plain, ok := strings.CutPrefix(v, "+"); ok {
		c.query = append(c.query, plain)
		return
	}
	piece, file := encoded(v)
	if file {
		c.notes.add("Files are not read, so a part of the query is missing.")
		return
	}
	c.query = append(c.query, piece)
}

func encoded(v string) (piece string, file bool) {
	at := strings.IndexAny(v, "=@")
	switch {
	case at < 0:
		return escape(v), false
	case v[at] == '@':
		return "", true
	case at == 0:
		return escape(v[1:]), false
	}
	return v[:at+1] + escape(v[at+1:]), false
}

// escape writes s as curl does: everything but letters, digits and -._~
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
