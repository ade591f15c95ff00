package tour

import (
	"slices"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// meant is what a chapter means to be wrong during a step.
type meant struct {
	broken map[string]bool // nodes
	idle   bool            // nobody uses the system
}

// meantBy goes through what the chapter's steps do and wait for, up to and with s.
func meantBy(c *Chapter, s *Step) meant {
	m := meant{broken: map[string]bool{}, idle: c.Begin.Load != nil && *c.Begin.Load == 0}
	for i := range c.Steps {
		step := &c.Steps[i]
		for _, d := range step.Do {
			switch d.Verb {
			case Kill, Pause, Cut, Slow:
				m.broken[d.Node] = true
			case Start, Resume, Heal:
				delete(m.broken, d.Node)
			case Restore:
				clear(m.broken)
			case SetLoad:
				m.idle = d.Load == 0
			}
		}
		for _, u := range step.Until {
			switch {
			case u.text == "everything is healthy":
				clear(m.broken)
			case u.text == "the load is 0":
				m.idle = true
			case u.node == "":
			case u.up:
				delete(m.broken, u.node)
			default:
				m.broken[u.node] = true
			}
		}
		if step == s || step.ID == s.ID {
			break
		}
	}
	return m
}

// helping collects what is said to who is stuck: each thing once, and each deed once.
type helping struct {
	said []Said
	can  bool
}

func (h *helping) say(text, deed string) {
	text = sentence(text)
	if deed != "" && (!h.can || slices.ContainsFunc(h.said, func(s Said) bool { return s.Deed == deed })) {
		deed = ""
	}
	if !slices.ContainsFunc(h.said, func(s Said) bool { return s.Text == text }) {
		h.said = append(h.said, Said{text, deed})
	}
}

func (h *helping) offers(deed string) bool {
	return slices.ContainsFunc(h.said, func(s Said) bool { return s.Deed == deed })
}

// help is what is said of a step whose time is over: the author's word for such a case, what each condition sees that does
// not hold, and what else is in the way; with the deeds that would help.
func (r *Run) help(l *look, conditions []Seen) []Said {
	h := &helping{said: []Said{}, can: l.Can}
	for _, o := range r.step.Help {
		if o.When.see(l).Holds {
			h.say(o.Say, "")
			break
		}
	}
	told := map[string]bool{} // nodes whose state a condition spoke of
	for i, s := range conditions {
		if s.Holds {
			continue
		}
		c := &r.step.Until[i]
		told[c.node] = told[c.node] || c.node != ""
		text := s.Sees
		if n, ok := l.node(c.node); ok && !c.up && n.State == world.Up {
			text = strings.Replace(text, " is ", " is still ", 1)
		}
		h.say(text, r.deedFor(c, l))
	}
	r.general(h, l, told)
	return h.said
}

// deedFor is the deed that brings a condition about: one of the step's, what a node needs that is to be up, or what an
// earlier step did to a node and somebody has undone; empty for none.
func (r *Run) deedFor(c *Condition, l *look) string {
	n, there := l.node(c.node)
	if there && c.runs && n.State == world.Down {
		return remedy(n)
	}
	for _, d := range r.step.Do {
		// An action that did not bring about what it is for was refused, or undone: it may be tried again unless it runs.
		if c.helps != nil && c.helps(d) && (!r.inForce(d, l) || d.Verb == Do && !running(d, l)) {
			return doable(d, l)
		}
	}
	for _, d := range r.step.Do {
		if c.node == "" && !r.inForce(d, l) {
			return doable(d, l)
		}
	}
	if there && c.up {
		return remedy(n)
	}
	if !there || c.helps == nil {
		return ""
	}
	for i := range r.chapter.Steps {
		if r.chapter.Steps[i].ID == r.step.ID {
			break
		}
		for _, d := range r.chapter.Steps[i].Do {
			if c.helps(d) && !r.inForce(d, l) {
				return d.String()
			}
		}
	}
	return ""
}

// inForce says whether what a deed does is so already, so that doing it again would change nothing. Of what cannot be seen,
// it is so once the step's deeds were done.
func (r *Run) inForce(d Deed, l *look) bool {
	switch d.Verb {
	case Restore:
		ok, _ := allHealthy().holds(l)
		return ok
	case SetLoad:
		return l.Frame.Load != nil && l.Frame.Load.Known && l.Frame.Load.PerSecond == d.Load
	case Do, Measure:
		return !r.acted.IsZero() && !r.failed(d, l)
	}
	n, ok := l.node(d.Node)
	if !ok {
		return false
	}
	switch up := n.State == world.Up; d.Verb {
	case Kill:
		return n.State == world.Down
	case Start:
		return up || n.State == world.Starting
	case Pause:
		return n.State == world.Paused
	case Resume:
		return n.State != world.Paused
	case Cut:
		return has(n, world.FaultCut)
	case Slow:
		f, _ := found(n.Faults, func(f *world.Fault) bool { return f.Kind == world.FaultSlow })
		return f.LatencyMS == d.Latency.Milliseconds()
	}
	return len(n.Faults) == 0 // Heal
}

// doable is the deed; empty while the node of its action is not well, for which there is help of its own.
func doable(d Deed, l *look) string {
	if d.Verb == Do {
		if a, ok := found(l.System.Actions, func(a *world.ActionSpec) bool { return a.ID == d.Action }); ok {
			if n, ok := l.node(a.Node); ok && n.State != world.Up && remedy(n) != "" {
				return ""
			}
		}
	}
	return d.String()
}

// running says whether a deed is a job that is under way.
func running(d Deed, l *look) bool {
	if l.Job == nil {
		return false
	}
	j, ok := l.Job(d.Action)
	return ok && j.State == "running"
}

// failed says whether a deed is a job that failed, or was not begun.
func (r *Run) failed(d Deed, l *look) bool {
	if l.Job == nil || d.Verb != Do {
		return false
	}
	j, ok := l.Job(d.Action)
	return ok && j.State != "running" && !(j.State == "done" && j.Ended.After(l.since))
}

// remedy is the deed that a node needs to be well; empty: it is, or only time helps.
func remedy(n world.Node) string {
	switch {
	case n.State == world.Down:
		return Deed{Verb: Start, Node: n.ID}.String()
	case n.State == world.Paused:
		return Deed{Verb: Resume, Node: n.ID}.String()
	case n.State == world.Up && len(n.Faults) > 0:
		return Deed{Verb: Heal, Node: n.ID}.String()
	}
	return ""
}

// general says what may be in the way of any step.
func (r *Run) general(h *helping, l *look, told map[string]bool) {
	if load := l.Frame.Load; load != nil && load.Known && load.PerSecond == 0 && !r.meant.idle {
		deed := ""
		if b := r.chapter.Begin.Load; b != nil && *b > 0 {
			deed = Deed{Verb: SetLoad, Load: *b}.String()
		}
		h.say("the load is 0, so nobody uses the system", deed)
	}
	for _, n := range l.Frame.Nodes {
		if h.offers(Deed{Verb: Restore}.String()) {
			break // that mends them all
		}
		if deed := remedy(n); deed != "" && !r.meant.broken[n.ID] && !told[n.ID] && !h.offers(deed) {
			h.say(nodeWords(n)+" as well", deed)
		}
	}
	if !l.Can && len(r.step.Do) > 0 {
		why := l.Why
		if why == "" {
			why = "nothing can be done to nodes from here"
		}
		h.say(why, "")
	}
}

// sentence is a statement as a sentence. One that begins with a name keeps it as it is.
func sentence(s string) string {
	if first, _, _ := strings.Cut(s, " "); slices.Contains([]string{"the", "no", "nothing", "it", "nobody"}, first) {
		s = capital(s)
	}
	if s != "" && !strings.ContainsAny(s[len(s)-1:], ".!?") && !strings.HasSuffix(s, "…") {
		s += "."
	}
	return s
}
