package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// dump returns everything in a database, as pg_dump writes it.
func dump(t *testing.T, url string) ([]byte, error) {
	t.Helper()
	program := "pg_dump"
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump"); err == nil && len(found) > 0 {
		program = found[len(found)-1] // the server's own version: an older one refuses
	}
	cmd := exec.CommandContext(t.Context(), program, "--data-only", "--inserts", url)
	cmd.Env = os.Environ()
	return cmd.CombinedOutput()
}
