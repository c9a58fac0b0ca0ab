// Package state is the gateway's directory on disk.
//
// Everything in it is for its owner alone. A file is replaced as a whole and
// is durable once Write returns: a crash leaves the old one or the new one.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// Dir is a gateway's directory. The zero Dir is none and cannot be used.
type Dir struct{ path string }

const maxFile = 64 << 20

// Open returns the directory at path, and makes it where there is none. It
// fails with fault.Forbidden where others can get into it.
func Open(path string) (Dir, error) {
	if path == "" {
		return Dir{}, fault.New(fault.Invalid, "Name a directory for the gateway's state.", nil)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return Dir{}, fmt.Errorf("open state: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return Dir{}, fmt.Errorf("open state: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Dir{}, fmt.Errorf("open state: %w", err)
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !owned(info) {
		return Dir{}, fault.New(fault.Forbidden, "The directory "+path+" is not private. Run: chmod 700 "+path, nil)
	}
	return Dir{path}, nil
}

// owned reports whether a file is this user's. Root may also use what belongs
// to others: containers often run so on a volume.
func owned(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return !known || os.Getuid() == 0 || int(stat.Uid) == os.Getuid()
}

// Path returns the path of something in the directory.
func (d Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Read returns a file's content. It fails with fault.NotFound where there is
// none, and with fault.Forbidden where others can read or change it.
func (d Dir) Read(name string) ([]byte, error) {
	f, err := os.Open(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "There is no "+d.Path(name)+".", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if info.Mode().Perm()&0o077 != 0 || !owned(info) {
		return nil, fault.New(fault.Forbidden, "The file "+f.Name()+" is not private. Run: chmod 600 "+f.Name(), nil)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("read %s: %d bytes", name, info.Size())
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil && len(b) > 0 {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// ReadJSON reads a file into v. It fails as Read does.
func (d Dir) ReadJSON(name string, v any) error {
	b, err := d.Read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// Write replaces a file, and returns once the new one would survive a crash.
func (d Dir) Write(name string, content []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	f, err := os.CreateTemp(d.path, "."+name+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), d.Path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return d.sync()
}

// WriteJSON replaces a file by v.
func (d Dir) WriteJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.Write(name, append(b, '\n'))
}

// Remove removes a file; one that is not there is removed already.
func (d Dir) Remove(name string) error {
	if err := os.Remove(d.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return d.sync()
}

// sync makes the names in the directory durable.
func (d Dir) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
