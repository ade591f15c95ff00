package tour

import (
	"time"

	"github.com/stillup/stillup/viz/world"
)

const (
	defaultWithin = 15 * time.Second // after which a step that is not done helps
	settleFor     = 2500 * time.Millisecond
	settleShort   = 300 * time.Millisecond // where nothing is measured
	// measuredIn is how much longer a step waits for measures, and for cells to be tried, that are not known; then it says so.
	measuredIn = 10 * time.Second
)

// Run is one step as it is being walked: from its question to its answer. It is not for concurrent use.
type Run struct {
	chapter    *Chapter
	step       *Step
	asked      []world.CellKey
	after, sum []part
	meant      meant
	settles    time.Duration // how long the conditions have to keep holding
	spans      time.Duration // and how long at least after they came to hold, so that measures are of that time alone

	begun, acted time.Time
	changed      bool             // the conditions did not hold once
	held         time.Time        // since when all hold; zero: they do not
	was          map[Field]string // what fields were at first
	done         *Verdict
}

// NewRun begins a step's run.
func NewRun(c *Chapter, s *Step, at time.Time) *Run {
	r := &Run{chapter: c, step: s, begun: at, after: textOf(s.After), sum: textOf(s.Sum), meant: meantBy(c, s), was: map[Field]string{}}
	measures := 0
	for _, parts := range [][]part{r.after, r.sum} {
		for _, p := range parts {
			if p.is != "" {
				measures++
				r.spans = max(r.spans, p.measure.span)
			}
		}
	}
	if s.Predict != nil {
		for _, text := range s.Predict.Cells {
			k, _ := parseCell(text) // Read has refused what is none
			r.asked = append(r.asked, k)
		}
	}
	switch {
	case s.Predict != nil || measures > 0:
		r.settles = settleFor
	default:
		r.settles = settleShort
	}
	if len(s.Until) == 0 && len(s.Do) == 0 {
		r.settles = 0
	}
	return r
}

// Acted tells the run that the step's deeds are being done from that moment on: its time counts anew from there. It is told
// when they begin, for what they change may be seen before they are over.
func (r *Run) Acted(at time.Time) {
	if at.After(r.acted) {
		r.acted = at
	}
}

// See looks at the world and says how the step stands. It is cheap, and meant to be asked a few times a second, with views
// that go forward in time. The verdict of a step that is done stays as it was at that moment; its lists are shared, and not
// to be written to.
func (r *Run) See(v View) Verdict {
	if r.done != nil {
		return *r.done
	}
	l := &look{View: v, since: v.Begun, was: r.was}
	if l.since.IsZero() {
		l.since = r.begun
	}
	r.remember(l)
	verdict := Verdict{Chapter: r.chapter.ID, Step: r.step.ID, Phase: Waiting, Conditions: []Seen{}, Help: []Said{}, Cells: []Found{}}
	all := len(r.step.Until) > 0 || len(r.step.Do) == 0 || !r.acted.IsZero()
	for _, c := range r.step.Until {
		s := c.see(l)
		verdict.Conditions = append(verdict.Conditions, s)
		all = all && s.Holds
	}
	r.changed = r.changed || !all
	if !all {
		r.held = time.Time{}
		if v.At.Sub(r.waitingSince()) >= r.within() {
			verdict.Help = r.help(l, verdict.Conditions)
		}
		return verdict
	}
	if r.held.IsZero() {
		r.held = v.At
	}
	verdict.Phase, l.took = Settling, r.took()
	verdict.TookMS = float64(l.took.Microseconds()) / 1000
	if r.changed {
		l.changed = r.held
	}
	settled := r.held.Add(r.settles)
	if measuredFrom := r.held.Add(r.spans); r.changed && measuredFrom.After(settled) {
		settled = measuredFrom
	}
	if v.At.Before(settled) {
		return verdict
	}
	var cells, after, sum bool
	verdict.Cells, cells = r.found(l)
	verdict.After, after = fill(r.after, l)
	verdict.Sum, sum = fill(r.sum, l)
	if !(cells && after && sum) && v.At.Before(settled.Add(measuredIn)) {
		verdict.Cells, verdict.After, verdict.Sum = []Found{}, "", ""
		return verdict
	}
	verdict.Phase, verdict.DoneAt = Done, v.At
	r.done = &verdict
	return verdict
}

// remember keeps what fields are when they are first known.
func (r *Run) remember(l *look) {
	if l.Field == nil {
		return
	}
	for _, c := range r.step.Until {
		for _, f := range c.asks.Fields {
			if _, before := r.was[f]; before {
				continue
			}
			if v, known := l.Field(f); known {
				r.was[f] = v
			}
		}
	}
}

func (r *Run) waitingSince() time.Time {
	if r.acted.After(r.begun) {
		return r.acted
	}
	return r.begun
}

func (r *Run) within() time.Duration {
	if r.step.Within > 0 {
		return time.Duration(r.step.Within) * time.Second
	}
	return defaultWithin
}

// took is from the deed until the conditions held; from the run's beginning where nothing was done by then.
func (r *Run) took() time.Duration {
	from := r.begun
	if r.acted.After(from) && !r.acted.After(r.held) {
		from = r.acted
	}
	return max(0, r.held.Sub(from))
}

// found are the cells of the question as they are now; whole: each was tried since the conditions held. One that was not is
// untried, whatever it was before.
func (r *Run) found(l *look) (all []Found, whole bool) {
	all, whole = []Found{}, true
	for i, k := range r.asked {
		text := r.step.Predict.Cells[i]
		f := Found{Cell: text, State: string(world.Untried), Because: []string{}, Why: r.step.Predict.Why[text]}
		if c, ok := l.cell(k); ok && l.triedSince(k, r.held) {
			f.State, f.Answers, f.Reason = string(c.State), answers(c.State), clip(c.LastError)
			f.Because = append(f.Because, c.Because...)
		} else {
			whole = false
		}
		all = append(all, f)
	}
	return all, whole
}
