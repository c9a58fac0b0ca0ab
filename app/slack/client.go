package slack

import (
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	api "github.com/slack-go/slack"
)

// patience is what one call to Slack has.
const patience = 10 * time.Second

// mostAnswer is how much of an answer of Slack's is read.
const mostAnswer = 1 << 20

// caller makes calls, and reads no more of an answer than fits.
type caller struct{ client *http.Client }

func (c caller) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, mostAnswer), resp.Body}
	return resp, nil
}

var (
	silent        = log.New(io.Discard, "", 0)
	defaultClient = &http.Client{
		Timeout: patience,
		// A token goes where it is sent, and not where that answers to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)

// slack speaks with Slack as the bot.
func (s *Service) slack(secrets Secrets) *api.Client {
	client := s.Client
	if client == nil {
		client = defaultClient
	}
	options := []api.Option{api.OptionHTTPClient(caller{client}), api.OptionLog(silent), api.OptionAppLevelToken(secrets.AppToken.Reveal())}
	if s.APIURL != "" {
		options = append(options, api.OptionAPIURL(strings.TrimSuffix(s.APIURL, "/")+"/"))
	}
	return api.New(secrets.BotToken.Reveal(), options...)
}
