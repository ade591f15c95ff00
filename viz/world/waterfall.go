package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Waterfall is the typical request of a cell: the newest that was seen whole, at most a second older than the newest of
// all. It is false until one was.
func (w *World) Waterfall(k CellKey) (Waterfall, bool) {
	c := w.cellBy[k]
	if c == nil || c.typical.request == nil {
		return Waterfall{}, false
	}
	f := *c.typical.request
	f.Hops, f.Messages = slices.Clone(f.Hops), slices.Clone(f.Messages)
	return f, true
}

// waterfall puts the request together; it is false where it is not whole: a call's chain of parents does not lead to the
// root. It does not depend on the order in which the parts came.
func (t *trace) waterfall() (*Waterfall, bool) {
	chain := t.chain()
	root := chain.of[t.root]
	start := t.calls[root].Start
	after := func(at time.Time) float64 { return max(0, ms(at.Sub(start))) } // clocks of other machines may be behind
	f := &Waterfall{Trace: strings.Clone(t.id), At: clock(start), TookMS: ms(t.calls[root].Duration), Failed: t.failed,
		Hops: []Hop{}, Messages: []Message{}}
	type placed struct {
		Hop
		at   time.Time
		span string
	}
	var hops []placed
	for i := range t.calls {
		c := &t.calls[i]
		if first := chain.of[c.SpanID]; first != i {
			if *c != t.calls[first] {
				return nil, false // two calls of one id: what is below them is not known
			}
			continue
		}
		depth := chain.depth(i)
		if depth == 0 {
			return nil, false
		}
		if c.Served {
			continue
		}
		h := Hop{From: c.Caller, To: c.Callee, Via: c.Via, Method: strings.Clone(c.Method), Path: strings.Clone(c.Path),
			Status: c.Status, Failed: c.Failed, StartMS: after(c.Start), TookMS: ms(c.Duration), Depth: depth}
		if c.Failed {
			h.Reason = strings.Clone(why(c.Reason, c.Status))
		}
		hops = append(hops, placed{h, c.Start, c.SpanID})
	}
	slices.SortFunc(hops, func(a, b placed) int {
		return cmp.Or(a.at.Compare(b.at), a.Depth-b.Depth, strings.Compare(a.span, b.span))
	})
	callees := map[string]bool{}
	for _, h := range hops {
		f.Hops = append(f.Hops, h.Hop)
		callees[h.To] = true
		f.Cost.Depth = max(f.Cost.Depth, h.Depth)
	}
	slices.SortFunc(t.messages, func(a, b message) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.Stream, b.Stream), strings.Compare(a.Type, b.Type),
			strings.Compare(a.Subject, b.Subject), strings.Compare(a.Node, b.Node))
	})
	for _, m := range t.messages {
		m.AtMS = after(m.at)
		m.Stream, m.Type, m.Subject = strings.Clone(m.Stream), strings.Clone(m.Type), strings.Clone(m.Subject)
		f.Messages = append(f.Messages, m.Message)
	}
	f.Cost.Services, f.Cost.Hops, f.Cost.Messages = len(callees), len(f.Hops), len(f.Messages)
	return f, true
}

// chain knows how deep each of a trace's calls stands below its root.
type chain struct {
	of     map[string]int // place of a call, by span
	calls  []CallSeen
	root   string
	depths []int // 0: not looked at, or does not lead to the root
}

func (t *trace) chain() *chain {
	c := &chain{of: make(map[string]int, len(t.calls)), calls: t.calls, root: t.root, depths: make([]int, len(t.calls))}
	for i := range t.calls {
		if _, twice := c.of[t.calls[i].SpanID]; !twice {
			c.of[t.calls[i].SpanID] = i
		}
	}
	return c
}

// depth is how many hops lead to the i-th call, itself included; 0 where its chain does not begin at the root.
func (c *chain) depth(i int) int {
	const looking = -1
	call := &c.calls[i]
	switch d := c.depths[i]; {
	case d == looking:
		return 0 // a circle
	case d > 0:
		return d
	case call.SpanID == c.root:
		c.depths[i] = 1
		return 1
	}
	parent, ok := c.of[call.ParentID]
	if !ok {
		return 0
	}
	c.depths[i] = looking
	d := c.depth(parent)
	if d > 0 && !call.Served {
		d++
	}
	c.depths[i] = d
	return d
}
