package proxy

import (
	"bytes"
	"strings"

	"github.com/tameflare/tameflare/domain/wire"
)

// shownBody is the beginning of the body as it is sent, for the person who
// decides. No credential of ours is in it: those are put on later, and never
// into a body. The keys that this run was given in their place open nothing,
// and are blotted out all the same; where they are packed away, nothing is
// shown.
func (x *exchange) shownBody() []byte {
	body := x.kept
	if dummies := x.keptDummies(); len(dummies) > 0 {
		if len(x.r.Header["Content-Encoding"]) > 0 {
			return nil
		}
		for _, key := range dummies {
			body = bytes.ReplaceAll(body, []byte(key), []byte(strings.Repeat("*", len(key))))
		}
	}
	return body[:min(len(body), wire.MaxBody)]
}
