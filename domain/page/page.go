// Package page names places in lists that are read by key, newest first. It
// does no I/O.
//
// A place is the last row that was seen, not a count of rows, so that what is
// added meanwhile neither repeats nor hides anything.
package page

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Cursor is a row's place: what comes after it is older. The zero Cursor is
// the beginning.
type Cursor struct {
	Time time.Time
	ID   string
}

// IsZero reports whether c is the beginning. As the next place of a list it
// says that there is no more.
func (c Cursor) IsZero() bool { return c.ID == "" }

// String returns c as it goes into a URL; "" for the beginning.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.Time.UnixMicro(), 36) + " " + c.ID))
}

const maxCursor = 200

// Parse is the inverse of String. It fails with fault.Invalid.
func Parse(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	bad := fault.New(fault.Invalid, "This page's address is not complete. Go back to the first page.", nil)
	if len(s) > maxCursor {
		return Cursor{}, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return Cursor{}, bad
	}
	at, id, ok := strings.Cut(string(b), " ")
	if !ok || id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return Cursor{}, bad
	}
	us, err := strconv.ParseInt(at, 36, 64)
	if err != nil || us < 0 || us > maxMicro {
		return Cursor{}, bad
	}
	return Cursor{Time: time.UnixMicro(us).UTC(), ID: id}, nil
}

const maxMicro = 1 << 52 // beyond the year 2100, and storable everywhere
