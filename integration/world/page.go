package world

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Page is a signed-in browser as far as the server sees one: it hears of what
// changes, and reads again. It draws nothing.
type Page struct {
	base   string
	client *http.Client
}

// OpenPage signs the owner in anew.
func (w *World) OpenPage(ctx context.Context) (*Page, error) {
	link, err := w.SignInLink(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("sign-in link: %w", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &Page{base: w.Base, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	form := url.Values{"token": {u.Query().Get("token")}, "next": {"/approvals"}}
	_, err = p.Post(ctx, "/sign-in/link", form)
	return p, err
}

// Get returns what is at path.
func (p *Page) Get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return "", err
	}
	return p.do(req)
}

// Post sends form to path as the page's own form would, and returns what is
// shown then.
func (p *Page) Post(ctx context.Context, path string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", p.base)
	return p.do(req)
}

func (p *Page) do(req *http.Request) (string, error) {
	res, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, res.Status)
	}
	return string(body), err
}

// Events calls heard with the name of each event of topic, as an open page
// hears them, until ctx ends or the stream does. It calls ready once the
// server listens.
func (p *Page) Events(ctx context.Context, topic string, ready func(), heard func(name string)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/events?topics="+topic, nil)
	if err != nil {
		return err
	}
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("events: %s", res.Status)
	}
	ready()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			heard(name)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return io.ErrUnexpectedEOF
}

// Await reads path, now and after each event of topic, until it holds text,
// and returns when that was.
func (p *Page) Await(ctx context.Context, topic, path, text string) (time.Time, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rung := make(chan struct{}, 1)
	ring := func() {
		select {
		case rung <- struct{}{}:
		default:
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Events(ctx, topic, ring, func(string) { ring() }) }()
	for {
		select {
		case <-rung:
			body, err := p.Get(ctx, path)
			if err != nil {
				return time.Time{}, err
			}
			if strings.Contains(body, text) {
				return time.Now(), nil
			}
		case err := <-ended:
			return time.Time{}, fmt.Errorf("events of %s: %w", topic, err)
		}
	}
}
