package proxy

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

var errTooMuch = errors.New("larger than the limit")

// decoded takes one content coding off data, up to limit bytes.
func decoded(coding string, data []byte, limit int) ([]byte, error) {
	if plainly(coding) {
		return data, nil
	}
	r, err := decoder(coding, data, limit)
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	defer r.Close()
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	if len(plain) > limit {
		return nil, fmt.Errorf("decode body: %w", errTooMuch)
	}
	return plain, nil
}

// partly takes one content coding off as much of data as can be, up to limit
// bytes: what is there may end in the middle. It is not ok where nothing of it
// can be read.
func partly(coding string, data []byte, limit int) (plain []byte, ok bool) {
	r, err := decoder(coding, data, limit)
	if err != nil {
		return nil, false
	}
	defer r.Close()
	plain, err = io.ReadAll(io.LimitReader(r, int64(limit)))
	return plain, err == nil || len(plain) > 0
}

func plainly(coding string) bool { return coding == "" || strings.EqualFold(coding, "identity") }

func decoder(coding string, data []byte, limit int) (io.ReadCloser, error) {
	in := bytes.NewReader(data)
	if plainly(coding) {
		return io.NopCloser(in), nil
	}
	switch strings.ToLower(coding) {
	case "gzip", "x-gzip":
		return gzip.NewReader(in)
	case "deflate":
		return zlib.NewReader(in)
	case "zstd":
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)+1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, errors.New("unknown content coding")
}
