package world

import (
	"slices"
	"time"
)

// The window over which rates, medians and shares are taken, kept in slots of a quarter second.
const (
	windowSpan = 5 * time.Second
	slotSpan   = 250 * time.Millisecond
	slots      = int64(windowSpan / slotSpan)
)

// slotOf numbers the slot of a time.
func slotOf(t time.Time) int64 {
	ms := t.UnixMilli()
	n := ms / slotSpan.Milliseconds()
	if ms < 0 {
		n--
	}
	return n
}

// counter counts what happened, and how much of it failed, in the last 5 s. Its size is fixed.
type counter [slots]struct {
	slot      int64
	n, failed int64
}

// add counts n at a time; one that has left the window already is not counted.
func (c *counter) add(at time.Time, n, failed int64) {
	slot := slotOf(at)
	b := &c[((slot%slots)+slots)%slots]
	if b.slot > slot {
		return
	}
	if b.slot < slot {
		b.slot, b.n, b.failed = slot, 0, 0
	}
	b.n += n
	b.failed += failed
}

// sum is what the last of the slots up to now hold.
func (c *counter) sum(now time.Time, last time.Duration) (n, failed int64) {
	end := slotOf(now)
	start := end - int64(last/slotSpan)
	for i := range c {
		if c[i].slot > start && c[i].slot <= end {
			n += c[i].n
			failed += c[i].failed
		}
	}
	return n, failed
}

// rates are a second, over the window.
func (c *counter) rates(now time.Time) (all, failed float64) {
	n, f := c.sum(now, windowSpan)
	return tenth(float64(n) / windowSpan.Seconds()), tenth(float64(f) / windowSpan.Seconds())
}

// durations are the newest durations of the window; at most maxDurations, so that a median over many is one over the newest.
type durations struct {
	ring []timed
	next int

	asked  time.Time // when the median was last taken
	median time.Duration
	last   time.Duration // the 99th of 100
	fresh  time.Duration // the median of what happened within the span that is judged
}

const (
	maxDurations = 256
	// Of many durations the median is taken anew at most so often: it costs a sort.
	sortEvery = 100 * time.Millisecond
	fewToSort = 32
)

type timed struct {
	at time.Time
	d  time.Duration
}

func (s *durations) add(at time.Time, d time.Duration) {
	if len(s.ring) < maxDurations {
		s.ring = append(s.ring, timed{at, d})
		return
	}
	s.ring[s.next] = timed{at, d}
	s.next = (s.next + 1) % maxDurations
}

// take brings the medians up to date: of the window, and of what happened within span before judged.
func (s *durations) take(now, judged time.Time, span time.Duration) {
	if len(s.ring) == 0 || len(s.ring) > fewToSort && !s.asked.IsZero() && now.Sub(s.asked) < sortEvery {
		return
	}
	s.asked = now
	var all, fresh [maxDurations]time.Duration
	n, f := 0, 0
	for _, t := range s.ring {
		if slotOf(t.at) > slotOf(now)-slots {
			all[n] = t.d
			n++
		}
		if slot := slotOf(t.at); slot > slotOf(judged)-int64(span/slotSpan) && slot <= slotOf(judged) {
			fresh[f] = t.d
			f++
		}
	}
	if n == 0 {
		s.ring, s.next = s.ring[:0], 0
	}
	s.median, s.last = quantiles(all[:n])
	s.fresh, _ = quantiles(fresh[:f])
}

// quantiles are the median and the 99th of 100; it sorts d.
func quantiles(d []time.Duration) (median, last time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	return d[(len(d)-1)/2], d[(len(d)*99+99)/100-1]
}

// earlier is t, or now where t lies in the future: clocks of other machines may be ahead.
func (w *World) earlier(t time.Time) time.Time {
	if t.After(w.now) || t.IsZero() {
		return w.now
	}
	return t
}
