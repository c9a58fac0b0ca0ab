package spool

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tameflare/tameflare/domain/audit"
)

// A segment is a head and frames:
//
//	head   magic (8), number of its first entry (8), hash before that (32; zeroes for none)
//	frame  length of the entry (4), its number (8), its hash (32), its bytes
//
// There is no checksum: the hash is one, over number, predecessor and bytes.
const (
	magic     = "TFSPOOL1"
	headSize  = 8 + 8 + 32
	frameHead = 4 + 8 + 32
)

func appendHead(b []byte, after tail) []byte {
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(after.seq+1))
	return appendHash(b, after.hash)
}

func appendHash(b []byte, hash string) []byte {
	var raw [32]byte
	_, _ = hex.Decode(raw[:], []byte(hash)) // ours, or "" for none
	return append(b, raw[:]...)
}

func hashText(raw []byte) string {
	if allZero(raw) {
		return ""
	}
	return hex.EncodeToString(raw)
}

// parseHead reads what a segment continues.
func parseHead(b []byte) (after tail, err error) {
	if len(b) < headSize || string(b[:8]) != magic {
		return tail{}, errors.New("not the head of a segment")
	}
	seq := int64(binary.BigEndian.Uint64(b[8:]))
	if seq < 1 {
		return tail{}, errors.New("not the head of a segment")
	}
	return tail{seq - 1, hashText(b[16:headSize])}, nil
}

func appendFrame(b []byte, at tail, entry []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(entry)))
	b = binary.BigEndian.AppendUint64(b, uint64(at.seq))
	b = appendHash(b, at.hash)
	return append(b, entry...)
}

var (
	errTorn    = errors.New("the last entry was not written completely")
	errDamaged = errors.New("damaged")
)

// parseFrame reads the frame at the beginning of b, which must continue after,
// and returns its length, where it can be told. It fails with errTorn where b ends inside of it, or
// where what is wrong can be the remains of a write that never was synced, and
// otherwise with errDamaged.
func parseFrame(b []byte, after tail) (e audit.Sealed, n int, err error) {
	if len(b) < frameHead {
		return e, 0, errTorn
	}
	size := binary.BigEndian.Uint32(b)
	if size == 0 { // the file had grown, its content had not come
		return e, 0, errTorn
	}
	if size > maxEntry {
		return e, 0, fmt.Errorf("%w: an entry of %d bytes after %d", errDamaged, size, after.seq)
	}
	n = frameHead + int(size)
	if len(b) < n {
		return e, 0, errTorn
	}
	e.Seq = int64(binary.BigEndian.Uint64(b[4:]))
	e.Hash = hashText(b[12:frameHead])
	e.Entry = b[frameHead:n:n]
	if e.Seq != after.seq+1 || e.Hash != audit.Link(e.Seq, after.hash, e.Entry) {
		if allZero(b[n:]) { // nothing that was written later
			return audit.Sealed{}, 0, errTorn
		}
		return audit.Sealed{}, n, fmt.Errorf("%w: the chain breaks after %d", errDamaged, after.seq)
	}
	return e, n, nil
}
