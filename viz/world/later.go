package world

// A node that is declared to join later is hidden until it has joined: it stands in no frame and in no answer, and nor do its
// edges and its stores. From then on it is as every other one, also when it is dead.

// hidden says whether the node has yet to join. A store comes with its owner, so that one card appears, and not two.
func (n *node) hidden(w *World) bool {
	if !n.spec.Later {
		return false
	}
	if owner := w.nodeBy[n.spec.Owner]; n.spec.Kind == Store && owner != nil && owner.spec.Later {
		return !owner.joined
	}
	return !n.joined
}

// hidden says whether an end of the edge has yet to join.
func (e *edge) hidden(w *World) bool {
	if !w.later {
		return false
	}
	from, to := w.nodeBy[e.key.from], w.nodeBy[e.key.to]
	return from != nil && e.key.kind != Take && from.hidden(w) || to != nil && e.key.kind != Emit && to.hidden(w)
}

// join shows a node that was declared to come later, with its edges and its stores: a runtime saw it up, or the bus knows it.
func (w *World) join(n *node) {
	if !n.spec.Later || n.joined {
		return
	}
	was := n.hidden(w)
	n.joined = true
	if !was || n.hidden(w) {
		return
	}
	w.note(w.now, n.spec.ID, good, n.spec.ID+" joined")
	for _, other := range w.nodes {
		if other == n || other.spec.Later && other.spec.Owner == n.spec.ID {
			w.touch(other)
		}
	}
	for _, e := range w.edges {
		if e.rev == 0 {
			w.touch(e)
		}
	}
	for _, h := range w.holdings {
		if h.rev == 0 {
			w.touch(h)
		}
	}
	w.touchCells()
}

// laterIDs are the services that are declared to come later: each has a place of its own on the map.
func (s *System) laterIDs() []string {
	ids := []string{}
	for _, n := range s.Nodes {
		if n.Later && n.Kind == Service {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// Hidden says whether the node has yet to join.
func (w *World) Hidden(id string) bool {
	n := w.nodeBy[id]
	return n != nil && n.hidden(w)
}

// Told says whether a runtime knows the node, hidden or not.
func (w *World) Told(id string) bool {
	n := w.nodeBy[id]
	return n != nil && n.told
}
