package tour

import (
	"reflect"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// step makes a step and a chapter of it alone.
func step(t testing.TB, do []string, until []string, more ...func(*Step)) (*Chapter, *Step) {
	t.Helper()
	twenty := 20.0
	c := &Chapter{ID: "crash", Begin: Begin{Load: &twenty}, Steps: []Step{{ID: "kill"}}}
	s := &c.Steps[0]
	for _, d := range do {
		s.Do = append(s.Do, mustDeed(t, d))
	}
	for _, u := range until {
		s.Until = append(s.Until, mustCondition(t, u))
	}
	for _, m := range more {
		m(s)
	}
	return c, s
}

func asks(cells ...string) func(*Step) {
	return func(s *Step) {
		s.Predict = &Predict{Ask: "Which?", Cells: cells, Why: map[string]string{"buy in sync": "It asks stock."}}
	}
}

func tells(after, sum string) func(*Step) { return func(s *Step) { s.After, s.Sum = after, sum } }

// down is stock dead, with the cells that need it.
func down(seconds float64, more ...change) View {
	return with(append([]change{clock(seconds), state("stock", world.Down), cell("buy", "sync", func(c *world.Cell) {
		c.State, c.LastError, c.Because = world.Fails, "connection refused", []string{"stock"}
	})}, more...)...)
}

// phases looks at views one after the other and wants those phases.
func phases(t *testing.T, r *Run, looks []View, want []Phase) (last Verdict) {
	t.Helper()
	for i, v := range looks {
		last = r.See(v)
		if last.Phase != want[i] {
			t.Fatalf("look %d, after %s: %s, wanted %s: %+v", i, v.At.Sub(noon), last.Phase, want[i], last)
		}
	}
	return last
}

// TestRun: from waiting over settling to done; what is told is frozen then.
func TestRun(t *testing.T) {
	c, s := step(t, []string{"kill stock"}, []string{"stock is down"}, asks("buy in sync", "buy in copies"),
		tells("Of {features} {working in sync} answer, {took} later.", "{working in sync} answered."))
	r := NewRun(c, s, at(0))
	v := r.See(with(clock(1)))
	if v.Phase != Waiting || v.Chapter != "crash" || v.Step != "kill" || v.After != "" || len(v.Help) != 0 ||
		!reflect.DeepEqual(v.Conditions, []Seen{{"stock is down", false, "stock is up"}}) {
		t.Fatalf("%+v", v)
	}
	r.Acted(at(3))
	v = phases(t, r, []View{with(clock(3.2)), down(3.4), down(5), down(5.8)}, []Phase{Waiting, Settling, Settling, Settling})
	if v.TookMS != 400 || v.After != "" || v.Cells == nil || len(v.Cells) != 0 || !v.DoneAt.IsZero() {
		t.Errorf("settling: %+v", v)
	}
	v = phases(t, r, []View{down(5.9), with(clock(8))}, []Phase{Done, Done})
	want := Verdict{Chapter: "crash", Step: "kill", Phase: Done, Conditions: []Seen{{"stock is down", true, ""}}, Help: []Said{}, TookMS: 400,
		After: "Of 3 1 answer, 400 ms later.", Sum: "1 answered.", DoneAt: at(5.9), Cells: []Found{
			{Cell: "buy in sync", State: "fails", Reason: "connection refused", Because: []string{"stock"}, Why: "It asks stock."},
			{Cell: "buy in copies", State: "works", Answers: true, Because: []string{}}}}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("%+v\nwanted %+v", v, want)
	}
	r.Acted(at(9))
	if got := r.See(with(clock(10))); !reflect.DeepEqual(got, want) {
		t.Errorf("it thawed: %+v", got)
	}
}

// TestRunSettlesAnew: a condition that flickers begins it all again, and what it took is until they held for good.
func TestRunSettlesAnew(t *testing.T) {
	c, s := step(t, []string{"kill stock"}, []string{"stock is down"}, asks("buy in sync"))
	r := NewRun(c, s, at(0))
	v := phases(t, r, []View{with(clock(0)), down(1), down(3), with(clock(3.2)), down(4), down(6.4), down(6.5)},
		[]Phase{Waiting, Settling, Settling, Waiting, Settling, Settling, Done})
	if v.TookMS != 4000 {
		t.Errorf("it took %g ms", v.TookMS)
	}
}

// TestRunTimes: how long a step settles, by what it has to measure.
func TestRunTimes(t *testing.T) {
	for name, c := range map[string]struct {
		do, until []string
		more      []func(*Step)
		looks     []float64 // until it is done
	}{
		"nothing to see or measure":    {nil, nil, nil, []float64{0}},
		"conditions alone":             {nil, []string{"stock is down"}, nil, []float64{0, .2, .3}},
		"with a measure":               {nil, []string{"stock is down"}, []func(*Step){tells("{took}", "")}, []float64{0, .3, 2.4, 2.5}},
		"with a question":              {nil, []string{"stock is down"}, []func(*Step){asks("buy in sync")}, []float64{0, .3, 2.4, 2.5}},
		"to look at, with measures":    {nil, nil, []func(*Step){tells("{working in sync}", "")}, []float64{0}},
		"medians of a steady world":    {nil, []string{"stock is down"}, []func(*Step){tells("{p50 of buy in sync}", "")}, []float64{0, 2.5}},
		"nothing known, until told so": {nil, nil, []func(*Step){tells("{rate of orders}", "")}, []float64{0, 5, 9.9, 10}},
	} {
		ch, s := step(t, c.do, c.until, c.more...)
		r := NewRun(ch, s, at(0))
		for i, sec := range c.looks {
			if got := r.See(down(sec)).Phase == Done; got != (i == len(c.looks)-1) {
				t.Errorf("%s: after %g s done is %v", name, sec, got)
			}
		}
	}
}

// TestRunMediansOfAfter: what is a median over the world's window is told once what was before the change has left that.
func TestRunMediansOfAfter(t *testing.T) {
	c, s := step(t, []string{"kill stock"}, []string{"stock is down"}, tells("{p50 of buy in copies}", ""))
	phases(t, NewRun(c, s, at(0)), []View{with(clock(0)), down(1), down(3.5), down(5.9), down(6)}, []Phase{Waiting, Settling, Settling, Settling, Done})
}

// TestRunWithoutConditions: a deed that nothing is seen of still has to be done.
func TestRunWithoutConditions(t *testing.T) {
	c, s := step(t, []string{"kill stock"}, nil)
	r := NewRun(c, s, at(0))
	phases(t, r, []View{with(clock(0)), with(clock(5))}, []Phase{Waiting, Waiting})
	r.Acted(at(6))
	phases(t, r, []View{with(clock(6)), with(clock(6.3))}, []Phase{Settling, Done})
}

// TestRunCellsOfAfter: a cell counts as measured once a try that began after the break has ended; else it says so.
func TestRunCellsOfAfter(t *testing.T) {
	fresh := map[string]bool{"sync": true}
	tried := func(v *View) {
		v.Tried = func(k world.CellKey, since time.Time) bool {
			if !since.Equal(at(1)) {
				t.Errorf("asked for tries since %s", since)
			}
			return fresh[k.Pattern]
		}
	}
	c, s := step(t, nil, []string{"stock is down"}, asks("buy in sync", "buy in copies"), tells("{state of buy in copies}, {working in sync}", ""))
	r := NewRun(c, s, at(0))
	phases(t, r, []View{with(clock(0)), down(1, tried), down(3.5, tried), down(13.4, tried)}, []Phase{Waiting, Settling, Settling, Settling})
	v := phases(t, r, []View{down(13.5, tried)}, []Phase{Done})
	if v.After != "(not measured), 1" || v.Cells[1].State != "untried" || v.Cells[1].Answers || v.Cells[0].State != "fails" {
		t.Errorf("%+v", v)
	}
	fresh["copies"] = true
	r = NewRun(c, s, at(0))
	if v := phases(t, r, []View{with(clock(0)), down(1, tried), down(3.5, tried)}, []Phase{Waiting, Settling, Done}); v.After != "Works, 1" {
		t.Errorf("%+v", v)
	}
}

// TestRunRequestsOfAfter: a typical request of before the change is none of it.
func TestRunRequestsOfAfter(t *testing.T) {
	c, s := step(t, nil, []string{"stock is down"}, tells("{hops of buy in sync}: {slowest hop of buy in sync}", ""))
	hop := world.Hop{To: "orders", Depth: 1, TookMS: 30}
	r := NewRun(c, s, at(0))
	v := phases(t, r, []View{with(clock(0)), down(1), down(3.5, falls(at(.5), hop)), down(4, falls(at(1.5), hop))}, []Phase{Waiting, Settling, Settling, Done})
	if v.After != "1: orders (30 ms)" {
		t.Errorf("%q", v.After)
	}
}

// TestRunBegun: where it is not known when the chapter began, what was before the run does not count.
func TestRunBegun(t *testing.T) {
	c, s := step(t, nil, []string{"schema-2 is done"})
	forgot := func(v *View) { v.Begun = time.Time{} }
	r := NewRun(c, s, at(0))
	phases(t, r, []View{with(clock(1), forgot, job(Job{State: "done", Ended: at(-1)})), with(clock(2), forgot, job(Job{State: "done", Ended: at(1)}))},
		[]Phase{Waiting, Settling})
}

// TestRunFields: a field is compared with what it was when it was first known.
func TestRunFields(t *testing.T) {
	c, s := step(t, nil, []string{"name of users u-1 has changed"})
	r := NewRun(c, s, at(0))
	phases(t, r, []View{with(), with(value("Ada")), with(value("Ada")), with(value("Ada L."))}, []Phase{Waiting, Waiting, Waiting, Settling})
}

// TestHelp: what is said once a step's time is over, in its order, each deed once.
func TestHelp(t *testing.T) {
	late := clock(15)
	author := func(when, say string) func(*Step) {
		return func(s *Step) { s.Help = append(s.Help, Help{mustCondition(t, when), say}) }
	}
	slow := world.Fault{Kind: world.FaultSlow, LatencyMS: 300}
	for name, c := range map[string]struct {
		do, until []string
		more      []func(*Step)
		view      View
		want      []Said
	}{
		"in time":                  {[]string{"kill stock"}, []string{"stock is down"}, nil, with(clock(14.9)), []Said{}},
		"the deed was not done":    {[]string{"kill stock"}, []string{"stock is down"}, nil, with(late), []Said{{"stock is still up.", "kill stock"}}},
		"not in the author's time": {[]string{"kill stock"}, []string{"stock is down"}, []func(*Step){func(s *Step) { s.Within = 20 }}, with(late), []Said{}},
		"the author's word, the first that holds": {[]string{"kill stock"}, []string{"stock is down"},
			[]func(*Step){author("stock is paused", "no"), author("stock is up", "Press the button."), author("bus is up", "no")}, with(late),
			[]Said{{"Press the button.", ""}, {"stock is still up.", "kill stock"}}},
		"each deed once": {[]string{"kill stock"}, []string{"stock is down", "buy in sync fails", "at least 9 events wait for stock"}, nil, with(late),
			[]Said{{"stock is still up.", "kill stock"}, {"buy in sync still works.", ""}, {"Nothing waits for stock.", ""}}},
		"what only time brings": {[]string{"kill stock"}, []string{"stock is down", "at least 9 events wait for stock"}, nil, down(15, waits("stock", 2)),
			[]Said{{"2 events wait for stock.", ""}}},
		"a deed for what is no node": {[]string{"set load to 50", "do schema-2"}, []string{"the load is at least 50", "schema-2 is done"}, nil, with(late),
			[]Said{{"The load is 20 a second.", "set load to 50"}, {"It is not known how far schema-2 is.", "do schema-2"}}},
		"an action's node has to be up": {[]string{"do schema-2"}, []string{"schema-2 is done"}, nil, with(late, state("users", world.Down)),
			[]Said{{"It is not known how far schema-2 is.", ""}, {"users is down as well.", "start users"}}},
		"it has to be up for that": {[]string{"slow stock by 300 ms"}, []string{"stock is slow"}, nil, with(late, state("stock", world.Down)),
			[]Said{{"stock is down.", "start stock"}}},
		"it should be up, and the step has nothing for it": {nil, []string{"stock is healthy"}, nil, with(late, fault("stock", slow)),
			[]Said{{"stock is slow by 300 ms.", "heal stock"}}},
		"restore": {[]string{"restore all"}, []string{"everything is healthy"}, nil, with(late, state("stock", world.Down)),
			[]Said{{"stock is down.", "restore all"}}},
		"nobody uses it": {nil, []string{"buy in sync fails"}, nil, with(late, load(0)),
			[]Said{{"buy in sync still works.", ""}, {"The load is 0, so nobody uses the system.", "set load to 20"}}},
		"nobody is meant to use it": {[]string{"set load to 0"}, []string{"buy in sync fails"}, nil, with(late, load(0)), []Said{{"buy in sync still works.", ""}}},
		"others are broken": {[]string{"kill stock"}, []string{"buy in copies fails"}, nil,
			down(15, state("users", world.Paused), fault("orders", slow), state("bus", world.Down), state("shoppers", world.Starting)),
			[]Said{{"buy in copies still works.", ""}, {"users is paused as well.", "resume users"}, {"orders is slow by 300 ms as well.", "heal orders"}, {"bus is down as well.", "start bus"}}},
		"nothing can be done from here": {[]string{"kill stock"}, []string{"stock is down"}, nil, with(late, func(v *View) { v.Can, v.Why = false, "Docker does not answer" }),
			[]Said{{"stock is still up.", ""}, {"Docker does not answer.", ""}}},
	} {
		ch, s := step(t, c.do, c.until, c.more...)
		r := NewRun(ch, s, at(0))
		r.See(with(clock(0), func(v *View) { v.Frame.Nodes = nil; v.Frame.Cells = nil }))
		if got := r.See(c.view).Help; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v\nwanted %+v", name, got, c.want)
		}
	}
}

// TestHelpTime: the time counts anew from each deed, and what did not bring about what it is for is offered again.
func TestHelpTime(t *testing.T) {
	c, s := step(t, []string{"do rename of u-1 with name = x, age = 1"}, []string{"name of users u-1 has changed"})
	r := NewRun(c, s, at(0))
	see := func(seconds float64) []Said { return r.See(with(clock(seconds), value("Ada"))).Help }
	see(0)
	if got := see(15); len(got) != 1 || got[0].Deed != "do rename of u-1 with age = 1, name = x" {
		t.Errorf("%+v", got)
	}
	r.Acted(at(16))
	if got := see(30.9); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := see(31); len(got) != 1 || got[0].Text != `name of users u-1 is still "Ada".` || got[0].Deed == "" {
		t.Errorf("%+v", got)
	}
}

// TestHelpOfEarlierSteps: what an earlier step did, and somebody has undone, is offered again where the step waits for it.
func TestHelpOfEarlierSteps(t *testing.T) {
	c := &Chapter{Steps: []Step{
		{ID: "a", Do: []Deed{mustDeed(t, "kill stock"), mustDeed(t, "kill users")}},
		{ID: "b", Until: []Condition{mustCondition(t, "stock is down")}},
		{ID: "c", Do: []Deed{mustDeed(t, "pause stock")}},
	}}
	r := NewRun(c, &c.Steps[1], at(0))
	r.See(with(clock(0)))
	if got, want := r.See(with(clock(15))).Help, []Said{{"stock is still up.", "kill stock"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, wanted %+v", got, want)
	}
}

// TestMeantByEarlierSteps: what an earlier step broke, and none has mended, is meant to be so.
func TestMeantByEarlierSteps(t *testing.T) {
	c := &Chapter{Steps: []Step{
		{ID: "a", Do: []Deed{mustDeed(t, "kill stock"), mustDeed(t, "slow users by 9 ms"), mustDeed(t, "set load to 0")}},
		{ID: "b", Until: []Condition{mustCondition(t, "bus is down"), mustCondition(t, "users is healthy")}},
		{ID: "c", Do: []Deed{mustDeed(t, "start stock")}, Until: []Condition{mustCondition(t, "the load is 0")}},
		{ID: "d", Do: []Deed{mustDeed(t, "restore all"), mustDeed(t, "set load to 5")}},
	}}
	for i, want := range []meant{{map[string]bool{"stock": true, "users": true}, true}, {map[string]bool{"stock": true, "bus": true}, true},
		{map[string]bool{"bus": true}, true}, {map[string]bool{}, false}} {
		if got := meantBy(c, &c.Steps[i]); !reflect.DeepEqual(got, want) {
			t.Errorf("step %d: %+v, wanted %+v", i, got, want)
		}
	}
}

// TestAsks: a step asks for what its conditions, helps and measures look at, each once.
func TestAsks(t *testing.T) {
	_, s := step(t, nil, []string{"name of users u-1 has changed", "schema-2 is done"}, func(s *Step) {
		s.Help = []Help{{mustCondition(t, "schema-2 is done"), "x"}}
	}, tells("{slowest hop of buy in sync} {hops of buy in sync}", "{fastest counter}"))
	want := Asks{Fields: []Field{{"users", "u-1", "name"}}, Jobs: []string{"schema-2"}, Waterfalls: []world.CellKey{key("buy", "sync")}, Engines: true}
	if got := s.Asks(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, wanted %+v", got, want)
	}
}

// TestNothingKnown: a view that can tell of nothing has nothing hold, and breaks nothing.
func TestNothingKnown(t *testing.T) {
	c, s := step(t, []string{"kill stock", "restore all", "do schema-2", "measure engines", "set load to 1", "slow stock by 1 ms", "heal stock", "cut stock", "pause stock", "resume stock"},
		[]string{"stock is down", "everything is healthy", "schema-2 is done", "name of users u-1 has changed", "the engines were measured", "the load is 0", "no event waits for stock"})
	v := NewRun(c, s, at(0)).See(View{At: at(60)})
	for _, seen := range v.Conditions {
		if seen.Holds || seen.Sees == "" {
			t.Errorf("%+v", seen)
		}
	}
	if v.Phase != Waiting || len(v.Help) == 0 {
		t.Errorf("%+v", v)
	}
}

func BenchmarkSee(b *testing.B) {
	c, s := step(b, []string{"kill stock"}, []string{"stock is down", "every feature in every pattern fails"}, asks("buy in sync"), tells("{working in sync}", ""))
	r, v := NewRun(c, s, at(0)), with(clock(60))
	b.ReportAllocs()
	for b.Loop() {
		r.See(v)
	}
}
