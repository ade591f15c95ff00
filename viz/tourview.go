package viz

import (
	"net/http"
	"slices"
	"time"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/workloads"
	"github.com/stillup/stillup/viz/world"
)

// readTour reads the chapters, of which a demo has none: nothing of it is measured.
func (o Options) readTour() (*tour.Tour, error) {
	if o.Chapters == nil || o.Demo != nil {
		return &tour.Tour{}, nil
	}
	return tour.Read(o.Chapters, o.System)
}

// tourView is the world as steps look at it now; fields, jobs and the chapter's beginning are each run's own.
func (s *server) tourView(now time.Time) tour.View {
	v := tour.View{At: now, Frame: s.frame(), System: s.System, Engines: s.measured(), Can: true}
	if p := s.possibleDeeds(v.Frame); p != nil {
		v.Can, v.Why = false, p.Detail
	}
	v.Waterfall = func(k world.CellKey) (f world.Waterfall, ok bool) {
		s.hub.View(func(w *world.World) { f, ok = w.Waterfall(k) })
		return f, ok
	}
	v.Tried = func(k world.CellKey, since time.Time) (tried bool) {
		s.hub.View(func(w *world.World) { tried = !slices.Contains(w.Untried(now, now.Sub(since)), k) })
		return tried
	}
	return v
}

// possibleDeeds says what keeps everything from being acted on, nil for nothing.
func (s *server) possibleDeeds(f world.Frame) *problem {
	if s.Demo != nil {
		return refuse(http.StatusConflict, "%s", s.nowhere())
	}
	return s.untouchable(f)
}

// measured is what the last run of the workloads found; nil: none has ended.
func (s *server) measured() *tour.Engines {
	st := s.workloads.State()
	if st.State != "done" {
		return nil
	}
	names := map[string]string{}
	for _, w := range workloads.All() {
		names[w.ID] = w.Name
	}
	e := &tour.Engines{Ended: st.Ended}
	for _, r := range st.Results {
		e.Results = append(e.Results, tour.EngineResult{Workload: r.Workload, WorkloadName: names[r.Workload], Engine: r.Engine,
			PerSecond: r.PerSecond, P50MS: r.P50MS})
	}
	return e
}
