package world

import (
	"strconv"
	"strings"
	"time"
)

// Delivery is how a consumer group does with one event.
type Delivery struct {
	Service  string        `json:"service"`
	Group    string        `json:"group"`
	State    DeliveryState `json:"state"`
	AfterMS  *float64      `json:"after_ms"` // has: from the event's time until it was applied; nil unknown
	Attempts *int          `json:"attempts"` // that traces told of, or the dead letter; nil: none did
	Reason   string        `json:"reason"`   // failed, dead and skipped: why
	// Outcome is what the consumer decided; empty while it has not, or where no trace tells.
	Outcome Outcome `json:"outcome"`
}

// DeliveryState is one of the states below.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryHas     DeliveryState = "has"    // it was applied: a trace says so, or the group is done with all up to it
	DeliveryWaits   DeliveryState = "waits"  // it is not known to be applied, nor to have failed
	DeliveryFailed  DeliveryState = "failed" // the last attempt did; there will be another
	DeliveryDead    DeliveryState = "dead"   // the group gave up on it
	DeliveryUnknown DeliveryState = "unknown"
)

// deadLetter is what the stream of dead letters says of one.
type deadLetter struct {
	group, entry, reason string
	attempts             int
}

// Deliveries says of each group that takes the event's stream how it does with it. It is of use for the newest 10,000
// events; a handling that is older than the newest 60,000 passages is only known by what its group has applied since.
func (w *World) Deliveries(e Event) []Delivery {
	all := []Delivery{}
	var attempts map[string][]*passage // by service, newest first
	for _, edge := range w.edges {
		if edge.key.kind != Take || edge.key.from != e.Stream || edge.hidden(w) {
			continue
		}
		if attempts == nil {
			attempts = w.attempts(&e)
		}
		all = append(all, w.delivery(edge, &e, w.ofEntry(&e, attempts[edge.key.to])))
	}
	return all
}

// attempts are the handlings of an event that traces told of.
func (w *World) attempts(e *Event) map[string][]*passage {
	by := map[string][]*passage{}
	if e.ID == "" {
		return by
	}
	for i := range w.passages.list {
		if s := *w.passages.back(i); s.kind == taken && s.path == e.ID && s.from == e.Stream {
			by[s.to] = append(by[s.to], s)
		}
	}
	return by
}

// ofEntry are those of an event's handlings, newest first, that can be of this entry of it: all where it is the only one.
// Which of several entries a handling was of no trace tells. Of one that came later it began after it came; of the earlier
// ones it is taken for the first.
func (w *World) ofEntry(e *Event, attempts []*passage) []*passage {
	at, placed := placeOf(e.EntryID)
	if !placed || len(attempts) == 0 {
		return attempts
	}
	if e.Again {
		n := 0
		for n < len(attempts) && !attempts[n].end().Before(at.time()) {
			n++
		}
		return attempts[:n]
	}
	for i := len(attempts) - 1; i > 0; i-- {
		if !attempts[i].failed { // what came after it was done with was another entry
			return attempts[i:]
		}
	}
	return attempts
}

func (w *World) delivery(edge *edge, e *Event, attempts []*passage) Delivery {
	d := Delivery{Service: edge.key.to, Group: w.groupOf(edge), State: DeliveryUnknown}
	if n := len(attempts); n > 0 {
		d.Attempts = &n
	}
	for _, s := range attempts {
		if !s.failed {
			d.State, d.Outcome = DeliveryHas, Applied
			if s.skipped {
				d.Outcome, d.Reason = Skipped, s.reason
			}
			if !e.Time.IsZero() {
				after := max(0, ms(s.end().Sub(e.Time)))
				d.AfterMS = &after
			}
			return d
		}
	}
	at, placed := placeOf(e.EntryID)
	if dead := w.deadLetterOf(e, d.Group); dead != nil {
		d.State, d.Outcome, d.Reason, d.Attempts = DeliveryDead, Put, dead.reason, &dead.attempts
		return d
	}
	switch g := &edge.group; {
	case !placed || !g.placed:
	case !g.done.before(at):
		d.State = DeliveryHas
		return d
	default:
		d.State = DeliveryWaits
	}
	// What failed before the entry came in was another entry of the event, which was sent again.
	if len(attempts) > 0 && !(placed && attempts[0].end().Before(at.time())) {
		d.State, d.Reason = DeliveryFailed, attempts[0].reason
	}
	return d
}

// deadLetterOf is what the group said when it gave up on that entry of the event; nil where it is not known to have.
func (w *World) deadLetterOf(e *Event, group string) *deadLetter {
	for i := range w.events.n {
		h := w.events.back(i)
		if d := h.dead; d != nil && d.entry == e.EntryID && d.group == group && strings.TrimSuffix(h.Stream, deadSuffix) == e.Stream {
			return d
		}
	}
	return nil
}

// place is where an entry stands in its stream.
type place struct{ ms, seq uint64 }

// placeOf reads an entry id; ok is false for what is none.
func placeOf(id string) (p place, ok bool) {
	ms, seq, _ := strings.Cut(id, "-")
	var wrong, wrongToo error
	p.ms, wrong = strconv.ParseUint(ms, 10, 64)
	p.seq, wrongToo = strconv.ParseUint(seq, 10, 64)
	return p, wrong == nil && wrongToo == nil
}

func (p place) before(q place) bool { return p.ms < q.ms || p.ms == q.ms && p.seq < q.seq }

// time is when Redis took the entry in.
func (p place) time() time.Time { return time.UnixMilli(int64(p.ms)).UTC() }
