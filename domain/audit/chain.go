// Package audit says what happened, in an order that nobody can change unseen.
//
// There are two ledgers: traffic, which gateways write, and events, which the
// server writes about people and configuration. Both are chains: the hash of
// each entry covers its bytes, its number and the hash before it. What is
// hashed is always the bytes as they were first written, never a database's
// idea of them.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Link returns the hash of entry number seq with the given bytes, after an
// entry whose hash is prev ("" for the first).
func Link(seq int64, prev string, entry []byte) string {
	h := sha256.New()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(seq))
	h.Write(n[:])
	binary.BigEndian.PutUint64(n[:], uint64(len(prev)))
	h.Write(n[:])
	h.Write([]byte(prev))
	h.Write(entry)
	return hex.EncodeToString(h.Sum(nil))
}

// Sealed is an entry in its place in a chain.
type Sealed struct {
	Seq   int64
	Hash  string
	Entry []byte // the bytes that were hashed
}

// Verify reports whether entries continue the chain that ends at (seq, prev).
// Its error names the first entry that does not.
func Verify(seq int64, prev string, entries []Sealed) error {
	for _, e := range entries {
		if e.Seq != seq+1 {
			return fmt.Errorf("audit: entry %d follows %d", e.Seq, seq)
		}
		if e.Hash != Link(e.Seq, prev, e.Entry) {
			return fmt.Errorf("audit: chain breaks at %d", e.Seq)
		}
		seq, prev = e.Seq, e.Hash
	}
	return nil
}

// Plain returns s as every database can hold it: valid UTF-8 without NUL, at
// most limit bytes. One NUL in a path would otherwise keep a whole batch from
// being stored.
func Plain(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	cut := limit - len(mark)
	for cut > 0 && s[cut]&0xC0 == 0x80 { // not in the middle of a character
		cut--
	}
	return s[:max(cut, 0)] + mark
}

// Time returns t as entries hold it: UTC, to the microsecond, which is what
// both databases keep.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
