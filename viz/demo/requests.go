package demo

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// How long a caller waits for one that is silent.
const (
	clientPatience = 1200 * time.Millisecond
	peerPatience   = 800 * time.Millisecond
)

// job is a request that somebody makes again and again.
type job struct {
	feature, pattern string // of the matrix; empty: of none
	caller           string
	spec             world.RequestSpec
	asks             bool   // the nodes that it needs are asked
	via              string // how
	reaches          bool   // their stores are used instead
	emits            *fact  // what comes of it
}

// ask makes the requests that are due.
func (d *Demo) ask() {
	if len(d.plan.jobs) == 0 {
		return
	}
	for range d.asked.beats(d.plan.requests, d.span) {
		if len(d.turn) == 0 {
			d.turn = d.rng.Perm(len(d.plan.jobs))
		}
		j := &d.plan.jobs[d.turn[0]]
		d.turn = d.turn[1:]
		caller := d.nodes[j.caller]
		if d.plan.probed || !caller.answers() {
			if j.feature != "" {
				d.request(j, nil)
			}
			continue
		}
		d.request(j, caller)
	}
}

// trip is one request and all that it leads to. Times are after its beginning.
type trip struct {
	d     *Demo
	job   *job
	trace string
	path  string
	calls []world.CallSeen
	at    []time.Duration // of the calls
	facts []timedFact
	need  []string // services to be asked yet
}

type timedFact struct {
	fact
	from *node
	at   time.Duration
}

// request makes one request; without a caller it is the dashboard's own probe.
func (d *Demo) request(j *job, caller *node) {
	t := &trip{d: d, job: j, trace: d.hex(16), path: d.filled(j.spec.Path)}
	for _, id := range j.spec.Needs {
		if id != j.spec.Node && j.asks && d.nodes[id].spec.Kind == world.Service {
			t.need = append(t.need, id)
		}
	}
	root := d.hex(8)
	status, reason, took := t.call(caller, d.nodes[j.spec.Node], "", root, j.spec.Method, t.path, "", 0)
	for i := range t.calls {
		t.calls[i].Start = d.now.Add(t.at[i])
	}
	told := later{at: d.now.Add(took), calls: t.calls}
	if caller == nil {
		told.calls = slices.DeleteFunc(t.calls, func(c world.CallSeen) bool { return c.SpanID == root })
		told.try = &world.TrySeen{Feature: j.feature, Pattern: j.pattern, OK: status > 0 && status < 400,
			Status: status, Reason: reason, Start: d.now, Duration: took, Probe: true, TraceID: t.trace, SpanID: root}
	}
	d.later = append(d.later, told)
	for _, f := range t.facts {
		f.fact.at = d.now.Add(f.at)
		d.later = append(d.later, later{at: f.fact.at, from: f.from, fact: f.fact})
	}
}

// later is what is seen of a request once it is time: an event when it is emitted, calls when all is over. No request
// lasts longer than its client's patience, so there are never many.
type later struct {
	at    time.Time
	from  *node
	fact  fact // where from is set
	calls []world.CallSeen
	try   *world.TrySeen
}

// comeDue tells of what it is time for.
func (d *Demo) comeDue() {
	var due, rest []later
	for _, l := range d.later {
		if l.at.After(d.now) {
			rest = append(rest, l)
		} else {
			due = append(due, l)
		}
	}
	d.later = rest
	slices.SortStableFunc(due, func(a, b later) int { return a.at.Compare(b.at) })
	for _, l := range due {
		d.calls = append(d.calls, l.calls...)
		if l.from != nil && l.from.state == world.Up {
			d.emit(l.from, l.fact)
		}
		if l.try != nil {
			d.tries = append(d.tries, *l.try)
		}
	}
}

// call is one hop, from its client's and its server's side. It answers the status, 0 for none.
func (t *trip) call(caller, callee *node, parent, span, method, path, via string, at time.Duration) (status int, reason string, took time.Duration) {
	d := t.d
	patience := peerPatience
	if parent == "" {
		patience = clientPatience
	}
	defer func() {
		c := world.CallSeen{Via: via, Callee: callee.spec.ID, Method: method, Path: path, Status: status, Reason: reason,
			Failed: status == 0 || status >= 500, Duration: took, TraceID: t.trace, SpanID: span, ParentID: parent}
		if caller != nil {
			c.Caller = caller.spec.ID
		}
		t.calls, t.at = append(t.calls, c), append(t.at, at)
	}()
	overBus := via == world.ViaBus
	if overBus {
		if !d.busUp {
			reason, took = d.bus().silent(peerPatience)
			return 0, reason, took
		}
		t.facts = append(t.facts, timedFact{fact{d.plan.requestsOn, callee.spec.ID + ".requested.v1", callee.spec.ID,
			parentOf(t.trace, span), time.Time{}}, caller, at + d.about(200*time.Microsecond)})
	}
	if !callee.answers() || caller != nil && caller.has(world.FaultCut) {
		if overBus { // a request on the bus waits for whoever takes it
			return 0, callee.spec.ID + " did not answer in time", peerPatience
		}
		reason, took = callee.silent(patience)
		return 0, reason, took
	}
	way := d.about(150 * time.Microsecond)
	served := d.hex(8)
	status, reason, work := t.serve(callee, served, at+way)
	t.calls = append(t.calls, world.CallSeen{Served: true, Callee: callee.spec.ID, Method: method, Path: path, Route: path,
		Status: status, Failed: status >= 500, Reason: reason, Duration: work, TraceID: t.trace, SpanID: served, ParentID: span})
	t.at = append(t.at, at+way)
	took = work + 2*way
	if overBus {
		took += d.about(900 * time.Microsecond)
		t.facts = append(t.facts, timedFact{fact{d.plan.repliesOn, callee.spec.ID + ".answered.v1", t.trace[:12],
			parentOf(t.trace, served), time.Time{}}, callee, at + took - way})
	}
	if took > patience && status < 400 {
		return 0, callee.spec.ID + " did not answer in time", patience
	}
	return status, reason, took
}

// serve is what a node does for a request: it uses its store and, all at once, asks the others.
func (t *trip) serve(n *node, span string, at time.Duration) (status int, reason string, took time.Duration) {
	d := t.d
	took = d.about(1200*time.Microsecond) + n.latency()
	if d.errs(n) {
		return http.StatusInternalServerError, n.spec.ID + " answered 500", took
	}
	root := n.spec.ID == t.job.spec.Node
	own := !root || n.store == nil || slices.Contains(t.job.spec.Needs, n.store.spec.ID)
	if own && !n.stores() {
		reason, more := n.store.silent(peerPatience)
		return http.StatusServiceUnavailable, reason, took + more
	}
	if own && n.store != nil {
		took += n.store.latency()
	}
	var ask []*node
	for _, id := range d.plan.peers[n.spec.ID] {
		if i := slices.Index(t.need, id); i >= 0 {
			t.need = slices.Delete(t.need, i, i+1)
			ask = append(ask, d.nodes[id])
		}
	}
	status = http.StatusOK
	if t.job.spec.Method == http.MethodPost && root {
		status = http.StatusCreated
	}
	var longest time.Duration
	wait := func(s int, why string, d time.Duration) {
		longest = max(longest, d)
		if (s == 0 || s >= 400) && status < 400 {
			status, reason = http.StatusBadGateway, why
		}
	}
	for _, peer := range ask {
		wait(t.call(n, peer, span, d.hex(8), http.MethodGet, "/"+peer.spec.ID+subjectOf(t.path), t.job.via, at+took/2))
	}
	if root && t.job.reaches {
		for _, id := range t.job.spec.Needs {
			if slices.Contains(n.spec.Reaches, id) {
				wait(t.reach(n, d.nodes[id], span, at+took/2))
			}
		}
	}
	if root && status < 400 && t.job.emits != nil {
		f := *t.job.emits
		f.subject, f.trace = d.subject(f.subject), parentOf(t.trace, span)
		t.facts = append(t.facts, timedFact{f, n, at + took + longest})
	}
	return status, reason, took + longest
}

// reach is a use of another's store.
func (t *trip) reach(from, store *node, parent string, at time.Duration) (status int, reason string, took time.Duration) {
	status, took = http.StatusOK, t.d.about(600*time.Microsecond)+store.latency()
	if !store.answers() || from.has(world.FaultCut) {
		status = 0
		reason, took = store.silent(peerPatience)
	}
	method := "SELECT"
	if store.spec.Engine == "mongodb" {
		method = "find"
	} else if store.spec.Engine == "redis" {
		method = "HGETALL"
	}
	t.calls = append(t.calls, world.CallSeen{Via: world.ViaStore, Caller: from.spec.ID, Callee: store.spec.ID, Method: method,
		Path: store.spec.Owner, Failed: status == 0, Reason: reason, Duration: took, TraceID: t.trace, SpanID: t.d.hex(8), ParentID: parent})
	t.at = append(t.at, at)
	return status, reason, took
}

func (d *Demo) bus() *node {
	i := slices.IndexFunc(d.order, func(n *node) bool { return n.spec.Kind == world.Bus })
	return d.order[i]
}

// about is a duration near one: from two thirds of it to twice it, long ones seldom.
func (d *Demo) about(mid time.Duration) time.Duration {
	x := d.rng.Float64()
	return time.Duration(float64(mid) * (2.0/3 + x*x*x*4.0/3))
}

// filled puts values of the system file into the braces of a path.
func (d *Demo) filled(path string) string {
	open, shut := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
	if open < 0 || shut < open {
		return path
	}
	values := d.plan.system.Vars[path[open+1:shut]]
	if len(values) == 0 {
		return path
	}
	return path[:open] + values[d.rng.IntN(len(values))] + path[shut+1:]
}

// subjectOf is the end of a path where that names something: "/u-001", or nothing.
func subjectOf(path string) string {
	if last := path[strings.LastIndexByte(path, '/'):]; strings.Contains(last, "-") {
		return last
	}
	return ""
}

// parentOf is a W3C traceparent.
func parentOf(trace, span string) string { return "00-" + trace + "-" + span + "-01" }
