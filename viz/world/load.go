package world

import "reflect"

// load is the traffic as set.
type load struct {
	stamp
	known    bool
	per      float64
	patterns map[string]float64
	features map[string]float64
	dropped  int64
	shown    Load
}

// loadSeen takes the word of the node that makes the traffic; while it does not answer, its last one stays.
func (w *World) loadSeen(o LoadSeen) {
	l := &w.load
	l.known = o.PerSecond >= 0
	if l.known {
		l.per, l.dropped = finite(o.PerSecond), max(0, o.Dropped)
		l.patterns = declaredOf(o.Patterns, w.system.Patterns, func(p PatternSpec) string { return p.ID })
		l.features = declaredOf(o.Features, w.system.Features, func(f FeatureSpec) string { return f.ID })
	}
	w.touch(l)
}

// declaredOf is a new map of the numbers of what the file declares; frames hold it, so nobody writes to it.
func declaredOf[T any](seen map[string]float64, list []T, id func(T) string) map[string]float64 {
	if seen == nil {
		return nil
	}
	of := map[string]float64{}
	for _, t := range list {
		if n, ok := seen[id(t)]; ok {
			of[id(t)] = max(0, finite(n))
		}
	}
	return of
}

func (l *load) settle(_ *World, _ int64) bool {
	now := Load{PerSecond: tenth(l.per), Known: l.known, Patterns: l.patterns, Features: l.features, Dropped: l.dropped}
	changed := !reflect.DeepEqual(now, l.shown) || l.rev == 0
	l.shown = now
	return changed
}
