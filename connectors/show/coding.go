package show

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxDecoded is how much is taken out of a content coding. What small bodies
// blow up to is not for people.
const maxDecoded = 1 << 20

// maxWindow is how much memory zstd may want: what decoders have to offer.
const maxWindow = 8 << 20

// decode takes the content coding off data. It returns nil where it cannot,
// and whether what it returns is the whole.
func (s *sheet) decode(coding string, data []byte, whole bool) ([]byte, bool) {
	codings := strings.FieldsFunc(strings.ToLower(coding), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(codings) > 3 {
		return nil, false
	}
	for i := len(codings) - 1; i >= 0; i-- { // the last one was put on last
		if codings[i] == "identity" {
			continue
		}
		plain, err := undo(codings[i], data)
		switch {
		case plain == nil:
			return nil, false
		case err != nil && whole:
			s.note("The compressed body does not end as it should. This is what can be read of it.")
			whole = false
		case len(plain) > maxDecoded:
			s.note("The body is compressed, and more than 1 MB without that. This is its beginning.")
			plain, whole = plain[:maxDecoded], false
		}
		data = plain
	}
	return data, whole
}

// undo takes one coding off. It returns what could be read besides an error,
// and nil where that is nothing.
func undo(coding string, data []byte) ([]byte, error) {
	in := bytes.NewReader(data)
	var r io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(in)
	case "deflate": // with the wrapper of zlib, as the standard says, or without
		if r, err = zlib.NewReader(in); err != nil {
			in.Reset(data)
			r, err = flate.NewReader(in), nil
		}
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err == nil {
			defer d.Close()
			r = d
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxDecoded+1))
	if len(plain) == 0 {
		return nil, err
	}
	return plain, err
}

// beginning says that only n bytes of a body are there, of as many as size if
// that is known.
func beginning(n int, size int64) string {
	if size > int64(n) {
		return "The first " + bytesOf(int64(n)) + " of " + bytesOf(size) + ". What comes after is not shown."
	}
	return "The first " + bytesOf(int64(n)) + " of the body. What comes after is not shown."
}

// binary shows what is known of bytes that nobody can read.
func (s *sheet) binary(in input, how string) {
	rows := [][2]string{s.row("Size", bytesOf(int64(len(in.raw))))}
	if in.contentType != "" {
		rows = append(rows, s.row("Type", in.contentType))
	}
	if how != "" {
		rows = append(rows, s.row("Sent", how+", which cannot be read here"))
	}
	if in.whole || how != "" && len(s.notes) == 0 {
		sum := sha256.Sum256(in.raw)
		rows = append(rows, [2]string{"SHA-256", hex.EncodeToString(sum[:])})
	}
	s.table("Bytes", rows)
}
