package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// Of a body this much is shown, as text and byte by byte. No card keeps more
// than the first.
const (
	maxText = 64 << 10
	maxHex  = 16 << 10
)

// approvalBytes is what a held request would send, byte by byte. That somebody
// looked is on record.
func (s *Server) approvalBytes(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := s.Approvals.Viewed(r.Context(), v, a.ID)
	if err != nil {
		return err
	}
	shown := spelled(body)
	shown.Card, shown.Type, shown.Coding = s.plainCard(v, a), a.BodyType, a.BodyCoding
	if byHTMX(r) {
		return render(w, r, http.StatusOK, views.BytesBody(shown))
	}
	f, err := s.frame(r, v, "approvals", "Exact bytes")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.BytesPage(f, shown))
}

// spelled is a body as text where it is some, and in hex where it is not.
func spelled(body approval.Body) views.Bytes {
	sum := sha256.Sum256(body.Bytes)
	b := views.Bytes{Digest: hex.EncodeToString(sum[:])}
	shown := body.Bytes[:min(len(body.Bytes), maxText)]
	if isText(shown, len(shown) == len(body.Bytes) && body.Whole) {
		b.Text = views.Spelled(shown)
	} else {
		shown = shown[:min(len(shown), maxHex)]
		b.Hex = hex.Dump(shown)
	}
	b.Shown = int64(len(shown))
	return b
}

// isText reports whether a person can read b. One that was cut may end in the
// middle of a character.
func isText(b []byte, whole bool) bool {
	for n := 1; !whole && n < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); n++ {
		b = b[:len(b)-1]
	}
	return utf8.Valid(b) && !bytes.ContainsRune(b, 0)
}
