package world_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stillup/stillup/viz/world"
)

// trimmed is Redis' word on the stream orders and its readers, who are at an entry and have missed so many.
func trimmed(ms int, last, applied string, missed int64) world.StreamsSeen {
	return world.StreamsSeen{At: after(ms), Streams: []world.StreamSeen{{Name: "orders", Length: 9, Added: 99, LastID: last,
		Groups: []world.GroupSeen{{Stream: "orders", Group: "readers", Consumers: 1, Applied: applied, TrimmedUnread: missed > 0, Missed: missed}}}}}
}

func marker(ms int, entry string) world.EventsSeen {
	return world.EventsSeen{At: after(ms), Events: []world.EventSeen{{Stream: "orders", EntryID: entry, ID: "m" + entry, Source: "orders", Type: "orders.republished.v1"}}}
}

// TestHole: what was trimmed before it was read is missing until all is published once more and applied.
func TestHole(t *testing.T) {
	const opened = "bad: orders was trimmed before history had read 7 events of it: its copy misses them until orders is published again"
	for _, tc := range []struct {
		name   string
		obs    []world.Observation
		is     bool
		missed int64
		notes  string
	}{
		{"nothing is trimmed", []world.Observation{trimmed(10, "50-0", "50-0", 0)}, false, 0, ""},
		{"trimmed", []world.Observation{trimmed(10, "50-0", "20-0", 7)}, true, 7, opened},
		{"it is said once", []world.Observation{trimmed(10, "50-0", "20-0", 7), trimmed(20, "55-0", "20-0", 7)}, true, 7, opened},
		{"the group reads on", []world.Observation{trimmed(10, "50-0", "20-0", 7), trimmed(20, "50-0", "50-0", 0)}, true, 7, opened},
		{"and misses more", []world.Observation{trimmed(10, "50-0", "20-0", 7), trimmed(20, "50-0", "50-0", 0), trimmed(30, "90-0", "60-0", 3)}, true, 10, opened},
		{"published once more, not read yet", []world.Observation{trimmed(10, "50-0", "20-0", 7), marker(15, "70-0"), trimmed(20, "70-0", "69-0", 0)}, true, 7, opened},
		{"published once more and applied", []world.Observation{trimmed(10, "50-0", "20-0", 7), marker(15, "70-0"), trimmed(2020, "70-0", "70-0", 0)}, false, 0,
			opened + "\ngood: history has all of orders again, after 2.0 s: it was published once more"},
		{"while the reader is away", []world.Observation{trimmed(10, "50-0", "20-0", 7), marker(15, "70-0"), trimmed(20, "70-0", "20-0", 7), trimmed(1020, "70-0", "70-0", 0)}, false, 0,
			opened + "\ngood: history has all of orders again, after 1.0 s: it was published once more"},
		{"published before it was lost", []world.Observation{marker(5, "40-0"), trimmed(10, "50-0", "20-0", 7), trimmed(20, "50-0", "50-0", 0)}, true, 7, opened},
		{"more was lost since it was published", []world.Observation{trimmed(10, "50-0", "20-0", 7), marker(15, "70-0"), trimmed(20, "80-0", "20-0", 9), trimmed(30, "80-0", "80-0", 0)}, true, 9, opened},
		{"the stream and its group are gone", []world.Observation{trimmed(10, "50-0", "20-0", 7), world.StreamsSeen{At: after(20)}}, true, 7, opened},
		{"Redis cannot tell", []world.Observation{func() world.Observation {
			o := trimmed(10, "50-0", "20-0", 0)
			o.Streams[0].Groups[0].TrimmedUnread = true
			return o
		}()}, true, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := fold(t, tc.obs...)
			if e := edge(t, w, "take:orders>history"); e.TrimmedUnread != tc.is || e.Missed != tc.missed {
				t.Errorf("trimmed unread %v, %d missed; want %v, %d", e.TrimmedUnread, e.Missed, tc.is, tc.missed)
			}
			if got := said(w); got != tc.notes {
				t.Errorf("notes %q, want %q", got, tc.notes)
			}
		})
	}
}

// TestHoleMakesStale: an answer from a copy that misses something is stale, from when it was noticed.
func TestHoleMakesStale(t *testing.T) {
	try := world.TriesSeen{At: after(5000), Tries: []world.TrySeen{{Feature: "list", Pattern: "copies", OK: true, Start: after(5000)}}}
	hole := func(missed int64) world.StreamsSeen {
		return world.StreamsSeen{At: after(1000), Streams: []world.StreamSeen{{Name: "orders", LastID: "9-0",
			Groups: []world.GroupSeen{{Group: "history", Applied: "9-0", TrimmedUnread: missed > 0, Missed: missed}}}}}
	}
	w := foldFive(t, hole(3), try, tick(5000))
	if got := cell(t, w, "list", "copies"); got.State != world.Stale || got.StaleMS != 4000 {
		t.Errorf("%s by %d ms, want stale by 4000", got.State, got.StaleMS)
	}
	w = foldFive(t, hole(0), try, tick(5000))
	if got := cell(t, w, "list", "copies"); got.State != world.Works {
		t.Errorf("without a hole it is %s", got.State)
	}
}

// TestAgain: what a service published once more is said when it is through, and an event that comes again is marked.
func TestAgain(t *testing.T) {
	box := func(ms int, n int64, at int) world.Observation {
		o := world.OutboxSeen{At: after(ms), Node: "orders", Republished: n}
		if n > 0 {
			o.RepublishedAt = after(at)
		}
		return o
	}
	away := world.OutboxSeen{At: after(250), Node: "orders", Waiting: -1}
	for _, tc := range []struct {
		name  string
		obs   []world.Observation
		notes string
	}{
		{"none", []world.Observation{box(10, 0, 0), box(20, 0, 0)}, ""},
		{"before the visualizer looked", []world.Observation{box(10, 40, 5), box(20, 40, 5), box(30, 40, 5)}, ""},
		{"going on", []world.Observation{box(10, 0, 0), box(20, 200, 19)}, ""},
		{"done", []world.Observation{box(10, 0, 0), box(20, 200, 19), box(30, 412, 25), box(40, 412, 25), box(50, 412, 25)}, "good: orders published 412 events again, which the bus had lost"},
		{"twice", []world.Observation{box(10, 0, 0), box(20, 1, 15), box(30, 1, 15), box(40, 3, 35), box(50, 3, 35)},
			"good: orders published 1 event again, which the bus had lost\ngood: orders published 2 events again, which the bus had lost"},
		{"it was away", []world.Observation{box(10, 0, 0), box(20, 9, 15), box(30, 9, 15), away, box(300, 13, 290), box(310, 13, 290)},
			"good: orders published 9 events again, which the bus had lost\ngood: orders published 4 events again, which the bus had lost"},
		{"several replicas, one of which does it", []world.Observation{box(10, 0, 0), box(20, 200, 19), box(30, 0, 0), box(40, 412, 25), box(50, 0, 0), box(60, 412, 25),
			box(70, 0, 0), box(80, 412, 25), box(90, 412, 25)}, "good: orders published 412 events again, which the bus had lost"},
		{"started again", []world.Observation{box(10, 0, 0), box(20, 9, 15), box(30, 9, 15), state(40, "orders", world.Down, ""), away,
			state(260, "orders", world.Up, ""), box(300, 14, 290), box(310, 14, 290)},
			"good: orders published 9 events again, which the bus had lost\ngood: orders published 14 events again, which the bus had lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var all []string
			for _, n := range fold(t, tc.obs...).Since(0).Notes {
				if strings.Contains(n.Text, "published") {
					all = append(all, n.Tone+": "+n.Text)
				}
			}
			if got := strings.Join(all, "\n"); got != tc.notes {
				t.Errorf("notes %q, want %q", got, tc.notes)
			}
		})
	}
	first, other := entries(0, 1)[0], entries(0, 1)[0]
	other.Stream = "orders.dead"
	w := fold(t, world.EventsSeen{At: after(10), Events: []world.EventSeen{first, other, first}}, world.EventsSeen{At: after(20), Events: []world.EventSeen{first}, History: true})
	var again []string
	for _, e := range w.Since(0).Events {
		again = append(again, fmt.Sprint(e.Stream, " ", e.Again))
	}
	if want := []string{"orders false", "orders.dead false", "orders true", "orders true"}; !slices.Equal(again, want) {
		t.Errorf("%v, want %v", again, want)
	}
	many := fold(t)
	for range 3 { // more than are kept: what is forgotten is new again
		many.Apply(world.EventsSeen{At: after(10), Events: entries(0, 10_000)})
	}
	many.Apply(world.EventsSeen{At: after(20), Events: append(entries(20_000, 10_000), entries(0, 1)...)})
	if e := many.Events(world.Query{Limit: 1})[0]; e.ID != "e-0" || e.Again {
		t.Errorf("after all were forgotten: %+v", e)
	}
}
