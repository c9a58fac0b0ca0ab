package vault_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/credential"
)

func TestMasterKeyIsMadeOnceAndFoundAgain(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	first, origin, err := vault.OpenMaster(dir, credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if !origin.Made || origin.Path != filepath.Join(dir, "master.key") {
		t.Errorf("first start: %+v", origin)
	}
	if info, err := os.Stat(origin.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	sealed, err := first.Seal([]byte("plain"), []byte("aad"))
	if err != nil {
		t.Fatal(err)
	}
	second, origin, err := vault.OpenMaster(dir, credential.Secret{})
	if err != nil || origin.Made {
		t.Fatalf("second start: %+v, %v", origin, err)
	}
	if plain, err := second.Open(sealed, []byte("aad")); err != nil || string(plain) != "plain" {
		t.Errorf("%q, %v", plain, err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

// Servers that share a data directory and start at once have one key.
func TestMasterKeyIsMadeOnceByMany(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	masters := make([]vault.Master, 8)
	var wg sync.WaitGroup
	for i := range masters {
		wg.Go(func() {
			var err error
			if masters[i], _, err = vault.OpenMaster(dir, credential.Secret{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sealed, err := masters[0].Seal([]byte("plain"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range masters {
		if _, err := m.Open(sealed, nil); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestMasterKeyThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()

	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620} {
		dir := t.TempDir()
		_, origin, err := vault.OpenMaster(dir, credential.Secret{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(origin.Path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := vault.OpenMaster(dir, credential.Secret{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestMasterKeyThatMakesNoSenseIsRefusedAndNotQuoted(t *testing.T) {
	t.Parallel()

	for name, text := range map[string]string{
		"not base64": "hunter2 hunter2!",
		"too short":  base64.StdEncoding.EncodeToString([]byte("hunter2")),
		"too long":   base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("h"), 33)),
	} {
		_, _, err := vault.OpenMaster(t.TempDir(), credential.NewSecret(text))
		if err == nil || strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "openssl rand -base64 32") {
			t.Errorf("%s: %v", name, err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := vault.OpenMaster(dir, credential.Secret{}); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("%s, as a file: %v", name, err)
		}
	}
}

func TestMasterKeyFromTheEnvironmentComesFirst(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	key := bytes.Repeat([]byte{0xfb, 0xef}, 16) // has + and / in base64
	for name, text := range map[string]string{
		"standard": base64.StdEncoding.EncodeToString(key),
		"url":      base64.URLEncoding.EncodeToString(key),
		"raw":      base64.RawStdEncoding.EncodeToString(key) + "\n",
	} {
		if _, origin, err := vault.OpenMaster(dir, credential.NewSecret(text)); err != nil || origin.Path != "" {
			t.Errorf("%s: %+v, %v", name, origin, err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("made although there was one: %v", files)
	}
}

func TestZeroMasterSealsNothing(t *testing.T) {
	t.Parallel()

	var m vault.Master
	if _, err := m.Seal([]byte("x"), nil); err == nil {
		t.Error("sealed")
	}
	if _, err := m.Open([]byte("x"), nil); err == nil {
		t.Error("opened")
	}
	if _, err := m.NewTeamKey("team_1"); err == nil {
		t.Error("made a key")
	}
}

func TestSealedOpensOnlyAsItWas(t *testing.T) {
	t.Parallel()

	m, other := master(t), master(t)
	sealed, err := m.Seal([]byte("plain"), []byte("aad"))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another key": func() ([]byte, error) { return other.Open(sealed, []byte("aad")) },
		"another aad": func() ([]byte, error) { return m.Open(sealed, []byte("aae")) },
		"a byte":      func() ([]byte, error) { s := bytes.Clone(sealed); s[len(s)-1] ^= 1; return m.Open(s, []byte("aad")) },
		"cut":         func() ([]byte, error) { return m.Open(sealed[:10], []byte("aad")) },
		"nothing":     func() ([]byte, error) { return m.Open(nil, []byte("aad")) },
	} {
		if plain, err := open(); err == nil {
			t.Errorf("%s: opened as %q", name, plain)
		}
	}
}

func master(t *testing.T) vault.Master {
	t.Helper()
	m, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
