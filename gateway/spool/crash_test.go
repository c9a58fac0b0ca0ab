package spool

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/tameflare/tameflare/domain/audit"
)

const crashDir = "SPOOL_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled records from many goroutines, and names on standard output
// what has been acknowledged.
func writeUntilKilled(dir string) {
	s, err := Open(dir, Settings{Segment: 20_000})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				r := audit.Traffic{Request: fmt.Sprintf("req_%d_%d_%d", os.Getpid(), w, i)}
				if err := s.Record(r); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Fprintln(os.Stdout, r.Request) // one write
			}
		})
	}
	writers.Wait()
}

func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	acked := map[string]bool{}
	for range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 50 + rand.IntN(500) {
			if !lines.Scan() {
				t.Fatal("the writer ended by itself")
			}
			acked[lines.Text()] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had said before
			acked[lines.Text()] = true
		}
		_ = cmd.Wait() // killed
	}
	s := open(t, dir, Settings{})
	for _, e := range all(t, s) {
		var r audit.Traffic
		if err := json.Unmarshal(e.Entry, &r); err != nil {
			t.Fatal(err)
		}
		delete(acked, r.Request)
	}
	if len(acked) > 0 {
		t.Errorf("%d acknowledged entries are lost", len(acked))
	}
}
