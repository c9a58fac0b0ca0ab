package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tameflare/tameflare/integration/standin"
)

// serveUpstream answers 1 KB to those who show the token that it reads from
// its environment. It prints its address, and then its root.
func serveUpstream(ctx context.Context) error {
	ca, err := standin.NewCA()
	if err != nil {
		return err
	}
	leaf, err := ca.Leaf("api.github.com")
	if err != nil {
		return err
	}
	answer, want := bytes.Repeat([]byte("x"), 1024), "Bearer "+os.Getenv("BENCH_TOKEN")
	srv := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			if got := r.Header.Get("Authorization"); got != want && got != "Bearer dummy" { // dummy: asked without a gateway
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write(answer)
		}),
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", ln.Addr(), ca.PEM())
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveTunnel is the least that a proxy can do: it copies bytes to upstream,
// whatever the CONNECT asks for. It prints its address.
func serveTunnel(ctx context.Context, upstream string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	context.AfterFunc(ctx, func() { _ = ln.Close() })
	for {
		c, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was told to end
			}
			return err
		}
		go tunnel(ctx, c, upstream)
	}
}

func tunnel(ctx context.Context, c net.Conn, upstream string) {
	defer c.Close()
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	up, err := new(net.Dialer).DialContext(ctx, "tcp", upstream)
	if err != nil {
		return
	}
	defer up.Close()
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(up, c)
		if half, ok := up.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	_, _ = io.Copy(c, up)
}

// play starts this program in a role of its own process, and returns what it
// printed first: its address, and for the upstream its root.
func play(ctx context.Context, role string, env []string, args ...string) (*exec.Cmd, string, []byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, append([]string{"-role", role}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", nil, err
	}
	in := bufio.NewReader(out)
	addr, err := in.ReadString('\n')
	if err != nil {
		return nil, "", nil, fmt.Errorf("start %s: %w", role, err)
	}
	var root bytes.Buffer
	for role == "upstream" && !strings.HasSuffix(root.String(), "-----END CERTIFICATE-----\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, "", nil, fmt.Errorf("start %s: %w", role, err)
		}
		root.WriteString(line)
	}
	if block, _ := pem.Decode(root.Bytes()); role == "upstream" && block == nil {
		return nil, "", nil, errors.New("the upstream printed no root")
	}
	return cmd, strings.TrimSpace(addr), root.Bytes(), nil
}
