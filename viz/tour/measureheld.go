package tour

import (
	"errors"

	"github.com/stillup/stillup/viz/world"
)

func holdingIs(which, kind, store string) measure {
	return measure{
		check: func(n *names) error { return n.holds(kind, store) },
		value: func(l *look) (string, bool) {
			h, ok := l.holding(kind, store)
			if which == "bytes" {
				return size(float64(h.Bytes)), ok && h.Known && h.Bytes >= 0
			}
			return count(float64(h.Count)), ok && h.Known
		},
		span: countedIn,
	}
}

// worstIs is the most that a copy was behind since the chapter began.
func worstIs(kind, store string) measure {
	return measure{
		check: func(n *names) error { return n.copied(kind, store) },
		value: func(l *look) (string, bool) {
			if _, ok := l.holding(kind, store); !ok || l.Worst == nil {
				return "", false
			}
			return span(float64(l.Worst(kind, store))), true
		},
	}
}

// heldIs is how many bytes owners need for what they own, or copies, or how many times the former both are; of one kind, or
// of all that have an owner.
func heldIs(which, kind string) measure {
	return measure{
		check: func(n *names) error {
			if kind == "" {
				return n.anyOwned()
			}
			return n.owned(kind)
		},
		value: func(l *look) (string, bool) {
			owned, copied, known := l.held(kind)
			switch {
			case !known:
				return "", false
			case which == "owned":
				return size(owned), true
			case which == "copied":
				return size(copied), true
			case owned <= 0:
				return "", false
			}
			x := (owned + copied) / owned
			if x < 10 {
				return digits(x, 2), true
			}
			return digits(x, 3), true
		},
		span: countedIn,
	}
}

// What a month of storage costs, as the page states it: a round figure for a GB, and a million times as many records.
const (
	perGB = 0.10 // euros
	gb    = 1e9  // bytes
	grown = 1e6
)

func monthIs(which string) measure {
	return measure{
		check: func(n *names) error { return n.anyOwned() },
		value: func(l *look) (string, bool) {
			owned, copied, known := l.held("")
			if which == "copied" {
				owned = copied
			}
			return euros(grown * owned / gb * perGB), known
		},
		span: countedIn,
	}
}

// held sums up what owners' stores and copies need, in bytes, of one kind or of all; known: every store that counts said so.
// What a store keeps of its own beside a kind's owner is a system apart and counts as neither.
func (v *View) held(kind string) (owned, copied float64, known bool) {
	for _, k := range v.System.Kinds {
		owner := ownerOf(&v.System, k.ID)
		if kind != "" && kind != k.ID || owner == "" {
			continue
		}
		for _, h := range v.Frame.Copies {
			if h.Kind != k.ID || !h.Copy && h.Node != owner || !v.looked(h.Node, h.Kind) {
				continue
			}
			if !h.Known || h.Bytes < 0 {
				return 0, 0, false
			}
			known = true
			if h.Copy {
				copied += float64(h.Bytes)
			} else {
				owned += float64(h.Bytes)
			}
		}
	}
	return owned, copied, known
}

// looked says whether the system file says where a store keeps a kind, so that it is looked at.
func (v *View) looked(store, kind string) bool {
	n, ok := found(v.System.Nodes, func(n *world.NodeSpec) bool { return n.ID == store })
	if !ok {
		return false
	}
	_, ok = found(n.Holds, func(h *world.Hold) bool { return h.Kind == kind && h.At != nil })
	return ok
}

// ownerOf is the store whose things of a kind are followed by copies; empty: none is.
func ownerOf(sys *world.System, kind string) string {
	for _, n := range sys.Nodes {
		if _, ok := found(n.Holds, func(h *world.Hold) bool { return h.Kind == kind && !h.Copy && h.At != nil }); ok && n.Kind == world.Store {
			return n.ID
		}
	}
	return ""
}

var errNoOwner = errors.New("no store is said to own a kind of data; say so in the system file")
