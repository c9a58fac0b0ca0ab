package link

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	maxBody   = 256 << 10
	maxUpload = 16 << 20 // as it is sent
	maxPlain  = 64 << 20 // unpacked
	maxWindow = 8 << 20  // what the sender may make us remember while unpacking
	maxLine   = trail.MaxEntry + 1024
)

// refusal is an error with a status that kinds have no word for.
type refusal struct {
	status int
	error
}

func (r *refusal) Unwrap() error { return r.error }

func tooLarge() error {
	return &refusal{http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "This is too large.", nil)}
}

func wrongType(want string) error {
	return &refusal{http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "Send this as "+want+".", nil)}
}

// read decodes the body. Fields that it does not know are ignored: gateways
// may be newer.
func read[T any](r *http.Request) (T, error) {
	var v T
	if !typed(r, "application/json") || r.Header.Get("Content-Encoding") != "" {
		return v, wrongType("application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return v, unread(err)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fault.New(fault.Invalid, "The body is not the JSON that belongs here.", err)
	}
	return v, nil
}

func typed(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && got == want
}

func unread(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || errors.Is(err, bufio.ErrTooLong) || errors.Is(err, errPlain) {
		return tooLarge()
	}
	return fault.New(fault.Invalid, "The body could not be read to its end.", err)
}

// readEntries decodes an audit upload.
func readEntries(r *http.Request) ([]audit.Sealed, error) {
	const want = "application/x-ndjson, packed with zstd"
	if !typed(r, "application/x-ndjson") {
		return nil, wrongType(want)
	}
	body := io.Reader(http.MaxBytesReader(nil, r.Body, maxUpload))
	switch r.Header.Get("Content-Encoding") {
	case "zstd":
		unpacked, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, unread(err)
		}
		defer unpacked.Close()
		body = unpacked
	case "":
	default:
		return nil, wrongType(want)
	}
	return entries(&bounded{r: body, left: maxPlain})
}

func entries(body io.Reader) ([]audit.Sealed, error) {
	var out []audit.Sealed
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if len(out) == trail.MaxBatch {
			return nil, tooLarge()
		}
		var e wire.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("Line %d of the upload is not an entry.", len(out)+1), err)
		}
		out = append(out, audit.Sealed{Seq: e.Seq, Hash: e.Hash, Entry: e.Entry})
	}
	if err := lines.Err(); err != nil {
		return nil, unread(err)
	}
	return out, nil
}

var errPlain = errors.New("more than may be unpacked")

// bounded fails where more than left comes out: what is small packed can be
// any size unpacked.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errPlain
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
