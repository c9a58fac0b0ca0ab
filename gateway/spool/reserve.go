package spool

import "os"

// diskFile is a segment on disk. It grows ahead of what is written to it, by
// zeroes: a sync of bytes that were in the file before need not write down
// anew how long it is, which costs more than the bytes do. Its end after a
// crash is therefore zeroes, and Open cuts them off.
type diskFile struct {
	f    *os.File
	size int64 // written
	have int64 // the length of the file
}

const (
	reserveLeast = 4 << 10
	reserveMost  = 256 << 10
)

func createFile(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &diskFile{f: f}, nil
}

func (d *diskFile) Write(b []byte) (int, error) {
	n, err := d.f.WriteAt(b, d.size)
	d.size += int64(n)
	if err == nil && d.size > d.have {
		d.have = d.size
		// As much again, so that a quiet gateway holds little. A disk without
		// the room for it has had room for b: that is enough.
		more, _ := d.f.WriteAt(make([]byte, min(max(d.size, reserveLeast), reserveMost)), d.have)
		d.have += int64(more)
	}
	return n, err
}

// Sync makes what was written durable, and no more than that.
func (d *diskFile) Sync() error { return datasync(d.f) }

func (d *diskFile) Close() error {
	_ = d.f.Truncate(d.size) // readers stop there in any case
	return d.f.Close()
}

// sector is what disks write whole, or not at all.
const sector = 512

// missing reports whether the n bytes of b from offset on hold a sector that
// was never written, of those that belong to a write that began at offset or
// later: it is zeroes to its end then, which no entry contains.
func missing(b []byte, offset, n int) bool {
	for at := offset; at < min(offset+n, len(b)); {
		end := min((at/sector+1)*sector, len(b))
		if end-at > 2 && allZero(b[at:end]) { // the first two bytes of a frame are zero anyway
			return true
		}
		at = end
	}
	return false
}
