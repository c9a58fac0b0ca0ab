package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal opens a terminal: what is written to the first end is typed, and
// what is read from it is on the screen.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// shown is what comes on a screen.
type shown struct {
	t    *testing.T
	text chan string
	all  string
}

// until waits for one of texts to come, and returns it; what came before it is
// done with.
func (s *shown) until(texts ...string) string {
	s.t.Helper()
	over := time.After(30 * time.Second)
	for {
		at, which := -1, ""
		for _, text := range texts {
			if i := strings.Index(s.all, text); i >= 0 && (at < 0 || i < at) {
				at, which = i, text
			}
		}
		if at >= 0 {
			s.all = s.all[at+len(which):]
			return which
		}
		select {
		case more, ok := <-s.text:
			if s.all += more; !ok {
				s.t.Fatalf("it ended before it said any of %q: %q", texts, s.all)
			}
		case <-over:
			s.t.Fatalf("it does not say any of %q: %q", texts, s.all)
		}
	}
}

func TestAPersonDecidesAtATerminal(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	person, terminal := openTerminal(t)
	cmd := exec.CommandContext(t.Context(), program, "approvals", "watch")
	cmd.Env = append(slices.DeleteFunc(s.env(), func(v string) bool { return v == "NO_COLOR=1" }), "TERM=xterm", "TAMEFLARE_TOKEN="+token)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	screen := &shown{t: t, text: make(chan string)}
	go func() {
		defer close(screen.text)
		for b := make([]byte, 4096); ; {
			n, err := person.Read(b)
			if err != nil {
				return
			}
			screen.text <- string(b[:n])
		}
	}()
	types := func(text string) {
		if _, err := person.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	screen.until("\x1b[33m⏸\x1b[0m apr_1  box wants to merge acme/site#12")
	screen.until("q quit > ")
	for {
		types("s\r")
		if screen.until("squash", "before anybody could have read") == "squash" {
			break
		}
	}
	screen.until("q quit > ")
	types("a\r")
	screen.until("\x1b[32m✓\x1b[0m Approved: merge acme/site#12")
	screen.until("Nothing waits")
	types("\x03")
	screen.until("Cancelled.")
	var exited *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exited) || exited.ExitCode() != 2 {
		t.Errorf("ended with %v, want code 2", err)
	}
}
