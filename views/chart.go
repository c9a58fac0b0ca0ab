package views

import (
	"fmt"
	"strconv"

	"github.com/tameflare/tameflare/domain/audit"
)

// A bar is barWidth of barPitch wide; the drawing is 100 high over its base.
const (
	barPitch = 32
	barWidth = "24"
	barsHigh = 100.0
)

type bar struct{ class, x, y, height string }

// bars stacks what became of the requests of each stretch of time, the
// commonest at the bottom. What is there at all is never invisible.
func bars(buckets []audit.Bucket) []bar {
	var most int64 = 1
	for _, b := range buckets {
		most = max(most, b.Total())
	}
	var out []bar
	for i, b := range buckets {
		top := 101.0
		for _, part := range []struct {
			class string
			n     int64
		}{{"allowed", b.Allowed}, {"monitored", b.Flagged}, {"held", b.Held}, {"denied", b.Denied + b.Killed}} {
			if part.n == 0 {
				continue
			}
			height := max(float64(part.n)*(barsHigh-8)/float64(most), 2)
			top -= height
			out = append(out, bar{part.class, strconv.Itoa(i*barPitch + 4), fmt.Sprintf("%.1f", top), fmt.Sprintf("%.1f", height)})
		}
	}
	return out
}

func chartLabel(o Overview) string {
	return fmt.Sprintf("Decisions of the last 24 hours: %s allowed, %s held, %s denied or killed, %s monitored",
		number(o.Total.Allowed), number(o.Total.Held), number(o.Total.Denied+o.Total.Killed), number(o.Total.Flagged))
}

// share is part of all, in words.
func share(part int64, all audit.Tally) string {
	total := all.Total()
	if total == 0 {
		return "no requests"
	}
	percent := float64(part) * 100 / float64(total)
	switch {
	case part == 0:
		return "none of " + number(total)
	case percent < 1:
		return "under 1% of " + number(total)
	}
	return fmt.Sprintf("%.0f%% of %s", percent, number(total))
}

func allDone(steps []Step) bool {
	for _, s := range steps {
		if !s.Done {
			return false
		}
	}
	return true
}
