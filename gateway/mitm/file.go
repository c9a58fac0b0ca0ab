package mitm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tameflare/tameflare/domain/fault"
)

var errExists = errors.New("the file is there already")

// openRoots reads the roots in a file; none when there is no file. A file that
// others can read is refused: whoever has read it can pose as any server to
// the governed processes, and closing it now does not take that back.
func openRoots(path string) ([]*root, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	defer f.Close()
	// Of the open file, not of the path, which could be another by now.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > 1<<20 {
		return nil, fault.New(fault.Invalid, path+" is not a key file.", nil)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Invalid, "Other users can read the key in "+path+". Remove the file; a new key is made at the next start.", nil)
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	roots, err := decodeRoots(data)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The key file "+path+" is damaged. Remove it; a new key is made at the next start.", err)
	}
	return roots, nil
}

// writeFile replaces a file at once and durably: readers see the old content or
// the new.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	temp, err := writeTemp(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// createFile writes a file, readable by its owner alone, that must not exist
// yet; it fails with errExists when somebody else was first.
func createFile(path string, data []byte) error {
	temp, err := writeTemp(path, data, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	// A link fails where a rename would replace.
	if err := os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return errExists
	} else if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func writeTemp(path string, data []byte, mode fs.FileMode) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600 from the first moment
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
