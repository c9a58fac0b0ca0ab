package replay

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/domain/fault"
)

const (
	window   = 7 * 24 * time.Hour // of traffic that a job looks at
	atOnce   = 2                  // jobs that are made at the same time
	perTeam  = 4                  // jobs of a team that are not over
	longest  = 5 * time.Minute    // that a job may take
	keepDone = 15 * time.Minute   // for how long a result can be looked at
)

// Progress is how far a job is. Report and Err are set when it is over, one of
// them.
type Progress struct {
	Done, Total int64
	Report      *Report
	Err         error
}

// Over reports whether the job has ended.
func (p Progress) Over() bool { return p.Report != nil || p.Err != nil }

type job struct {
	team     string
	change   Change
	ctx      context.Context // ends when somebody cancels the job
	cancel   context.CancelFunc
	begun    bool
	progress Progress
	ended    time.Time
}

var errCancelled = fault.New(fault.Conflict, "The replay was cancelled.", nil)

// Start makes a job of comparing the last seven days, and returns its ID. It
// fails with fault.Limited where the team has too many of them already. A job
// belongs to this server: another one does not know it.
func (s *Service) Start(teamID string, c Change) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	open := 0
	for _, j := range s.jobs {
		if j.team == teamID && !j.progress.Over() {
			open++
		}
	}
	if open >= perTeam {
		return "", fault.New(fault.Limited, "Several replays are under way already. Wait for one, or cancel it.", nil)
	}
	j := &job{team: teamID, change: c}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	id := "rep_" + strings.ToLower(rand.Text())
	s.jobs[id] = j
	s.queue = append(s.queue, j)
	s.ring()
	return id, nil
}

// Status returns how far a team's job is, and whether there is such a job.
func (s *Service) Status(teamID, id string) (Progress, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	j := s.jobs[id]
	if j == nil || j.team != teamID {
		return Progress{}, false
	}
	return j.progress, true
}

// Cancel ends a team's job. It does nothing where there is no such job, or it
// is over.
func (s *Service) Cancel(teamID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[id]; j != nil && j.team == teamID && !j.progress.Over() {
		j.cancel()
		s.end(j, nil, errCancelled)
	}
}

// Run makes the jobs until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for range atOnce {
		group.Go(func() error {
			for {
				if j := s.next(); j != nil {
					s.make(ctx, j)
					continue
				}
				select {
				case <-s.waiting():
				case <-ctx.Done():
					return nil
				}
			}
		})
	}
	return group.Wait()
}

func (s *Service) make(ctx context.Context, j *job) {
	ctx, stop := context.WithTimeoutCause(ctx, longest, fault.New(fault.Unavailable, "The replay took too long and was stopped.", nil))
	defer stop()
	defer context.AfterFunc(j.ctx, stop)()
	until := s.Now()
	report, err := s.Compare(ctx, j.team, j.change, until.Add(-window), until, func(done, total int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		j.progress.Done, j.progress.Total = done, total
	})
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.Canceled) {
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.progress.Over() {
		return // somebody has cancelled it
	}
	if err != nil {
		if fault.Of(err) == fault.Internal && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "a replay failed", "team", j.team, "error", err)
		}
		s.end(j, nil, err)
		return
	}
	s.end(j, &report, nil)
}

// end notes what came of j. The caller holds mu.
func (s *Service) end(j *job, r *Report, err error) {
	j.progress.Report, j.progress.Err, j.ended = r, err, s.Now()
	j.change = Change{}
	j.cancel()
}

// next takes the oldest job of the team that was served longest ago, or
// returns nil.
func (s *Service) next() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *job
	for _, j := range s.queue {
		if !j.begun && !j.progress.Over() && (best == nil || s.served[j.team] < s.served[best.team]) {
			best = j
		}
	}
	if best == nil {
		s.queue, s.served = nil, nil
		return nil
	}
	s.queue = slices.DeleteFunc(s.queue, func(j *job) bool { return j == best || j.progress.Over() })
	best.begun = true
	if s.served == nil {
		s.served = map[string]int64{}
	}
	s.turn++
	s.served[best.team] = s.turn
	return best
}

// sweep forgets jobs that ended long ago. The caller holds mu.
func (s *Service) sweep() {
	if s.jobs == nil {
		s.jobs = map[string]*job{}
	}
	for id, j := range s.jobs {
		if j.progress.Over() && s.Now().Sub(j.ended) > keepDone {
			delete(s.jobs, id)
		}
	}
}

// waiting returns a channel that is closed when a job comes.
func (s *Service) waiting() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if !j.begun && !j.progress.Over() {
			now := make(chan struct{})
			close(now)
			return now
		}
	}
	if s.bell == nil {
		s.bell = make(chan struct{})
	}
	return s.bell
}

// ring wakes whoever waits. The caller holds mu.
func (s *Service) ring() {
	if s.bell != nil {
		close(s.bell)
		s.bell = nil
	}
}
