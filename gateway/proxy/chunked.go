package proxy

import (
	"bufio"
	"io"
	"strconv"
	"sync/atomic"
)

// chunked writes each piece as one chunk.
type chunked struct {
	w *bufio.Writer
	n *atomic.Int64
}

func (c *chunked) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // it would be the last
	}
	var digits [16]byte
	_, _ = c.w.Write(strconv.AppendInt(digits[:0], int64(len(p)), 16))
	_, _ = c.w.WriteString("\r\n")
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	if err == nil {
		_, err = c.w.WriteString("\r\n")
	}
	return n, err
}

// counter counts what goes through it.
type counter struct {
	to io.Writer
	n  *atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n.Add(int64(n))
	return n, err
}
