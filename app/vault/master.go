package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
)

const (
	keySize  = 32
	keyFile  = "master.key"
	howToGet = "Make one with: openssl rand -base64 32"
)

// Master seals what opens everything else: the teams' data keys and the
// authority's private keys. Its zero value seals and opens nothing.
type Master struct{ aead cipher.AEAD }

// Origin tells where a master key came from.
type Origin struct {
	Path string // of its file; "" where it came from the environment
	Made bool   // just now: somebody has to be told to keep it safe
}

// OpenMaster takes the master key from the environment's value, base64 of 32
// bytes, or else from a file in the data directory. Where there is neither it
// makes the file. It fails where the file can be read by others: the key may
// be known then, and going on would hide it.
func OpenMaster(dataDir string, fromEnv credential.Secret) (Master, Origin, error) {
	if !fromEnv.Empty() {
		key, err := parseKey(fromEnv.Reveal())
		if err != nil {
			return Master{}, Origin{}, fmt.Errorf("TAMEFLARE_MASTER_KEY: %w", err)
		}
		m, err := newMaster(key)
		return m, Origin{}, err
	}
	origin := Origin{Path: filepath.Join(dataDir, keyFile)}
	key, err := readKey(origin.Path)
	if errors.Is(err, fs.ErrNotExist) {
		origin.Made = true
		key, err = makeKey(origin.Path)
	}
	if err != nil {
		return Master{}, Origin{}, fmt.Errorf("master key: %w", err)
	}
	m, err := newMaster(key)
	return m, origin, err
}

func readKey(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 && !modesMeanNothing {
		return nil, fmt.Errorf("%s can be read or written by others (mode %04o): nobody but the server may. Run chmod 600 on it, and replace the secrets in the vault if anybody may have copied it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// makeKey writes a new key. It never replaces one: what that had sealed would
// be lost. The file has its name only once its content is on the disk.
func makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key)
	f, err := os.CreateTemp(filepath.Dir(path), keyFile+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n"); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	switch err := os.Link(f.Name(), path); { // unlike a rename it fails where there is one
	case errors.Is(err, fs.ErrExist):
		return readKey(path) // another server that starts just now was faster
	case err != nil:
		return nil, err
	}
	return key, nil
}

// parseKey reads base64 of any of the usual kinds. Its errors do not quote it.
func parseKey(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("not base64. " + howToGet)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("%d bytes, want %d. %s", len(key), keySize, howToGet)
	}
	return key, nil
}

func newMaster(key []byte) (Master, error) {
	aead, err := newAEAD(key)
	return Master{aead}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts plain. What comes out opens only with the same aad.
func (m Master) Seal(plain, aad []byte) ([]byte, error) {
	if m.aead == nil {
		return nil, errNoMaster
	}
	return m.aead.Seal(nil, nil, plain, aad), nil //nolint:gosec // the mode makes its own random nonce
}

// Open decrypts what Seal made. It fails where anything about it is not as it was.
func (m Master) Open(sealed, aad []byte) ([]byte, error) {
	if m.aead == nil {
		return nil, errNoMaster
	}
	plain, err := m.aead.Open(nil, nil, sealed, aad)
	if err != nil {
		return nil, errChanged
	}
	return plain, nil
}

var (
	errNoMaster = errors.New("vault: no master key")
	errChanged  = errors.New("vault: it does not open: the master key is another, or the record was changed")
)

// NewTeamKey makes a team's data key, wrapped.
func (m Master) NewTeamKey(teamID string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key)
	return m.Seal(key, teamKeyAAD(teamID))
}

// teamKey unwraps a team's data key.
func (m Master) teamKey(teamID string, wrapped []byte) ([]byte, error) {
	key, err := m.Open(wrapped, teamKeyAAD(teamID))
	if err != nil {
		return nil, fmt.Errorf("data key of %s: %w", teamID, err)
	}
	return key, nil
}

func teamKeyAAD(teamID string) []byte { return associated("tameflare/vault/team-key/1", teamID) }
