package chassistest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Reader is a service's store and what it does with events, under test.
type Reader struct {
	// Start makes what a process has after its start, and returns what it takes. It is called at first, and for each restart.
	Start func(t testing.TB) chassis.Takes
	// Digest is that of all that the events left in the store.
	Digest func(ctx context.Context) (*chassis.Digest, error)
	// Wipe makes the store as it is before the first event.
	Wipe func(ctx context.Context) error
	// Last says of an event that it is the last of its subject, and that nothing of its subject that a dead member held may
	// come after it: the owner tells of it only a long time after all else.
	Last func(e streams.Event) bool
}

// AnyDelivery wants the reader's store to be the same after the histories, one a stream, were handed to it once and in order,
// and after each of many rounds in which they were handed to it as streams and groups may: streams in any mixture; the last
// entries again, after a restart that left them without an acknowledgement; the last entries of a stream again in order, as
// when the bus lost its tail; one entry late, as one that a dead member held; doubled; and in the end all of a stream again.
func (rd Reader) AnyDelivery(t *testing.T, rounds int, histories ...[]streams.Event) {
	t.Helper()
	if err := rd.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	empty := rd.digest(t)
	takes := rd.Start(t)
	for _, history := range histories {
		for _, e := range history {
			give(t, takes, e)
		}
	}
	want := rd.digest(t)
	if want == empty {
		t.Fatal("the histories leave nothing")
	}
	delivered := 0
	for round := range rounds {
		if err := rd.Wipe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rd.digest(t); got != empty {
			t.Fatalf("wiped, it is %s, want %s", got, empty)
		}
		takes = rd.Start(t)
		var steps []string // of this round, for who has to find what went wrong
		for _, s := range rd.deliveries(rand.New(rand.NewPCG(6, uint64(round))), histories) {
			if s.restart {
				takes = rd.Start(t)
				steps = append(steps, "restart")
			} else {
				give(t, takes, s.event)
				steps = append(steps, fmt.Sprintf("%s %s %d", s.event.Type, s.event.Subject, s.event.Version))
				delivered++
			}
		}
		if got := rd.digest(t); got != want {
			t.Fatalf("round %d: %s, want %s, after %q", round, got, want, steps)
		}
	}
	t.Logf("%d deliveries in %d rounds", delivered, rounds)
}

func give(t *testing.T, takes chassis.Takes, e streams.Event) {
	t.Helper()
	if take, known := takes[e.Type]; known {
		if err := take(t.Context(), e); err != nil {
			t.Fatalf("%s %s %d: %v", e.Type, e.Subject, e.Version, err)
		}
	}
}

func (rd Reader) digest(t *testing.T) string {
	t.Helper()
	d, err := rd.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// step is one event that is handed over, or a restart.
type step struct {
	event   streams.Event
	restart bool
}

// late is an event that a dead member holds until some others have come.
type late struct {
	event streams.Event
	after int
}

// deliveries draws one way in which the histories may be handed over.
func (rd Reader) deliveries(r *rand.Rand, histories [][]streams.Event) (steps []step) {
	const most = 6 // entries that come again, or in between
	at := make([]int, len(histories))
	held := make([][]late, len(histories))
	left := func() (streams []int) {
		for i, h := range histories {
			if at[i] < len(h) || len(held[i]) > 0 {
				streams = append(streams, i)
			}
		}
		return streams
	}
	for streams := left(); len(streams) > 0; streams = left() {
		i := streams[r.IntN(len(streams))]
		h := histories[i]
		if j := slices.IndexFunc(held[i], func(l late) bool { return l.after <= 0 || at[i] == len(h) }); j >= 0 {
			steps = append(steps, step{event: held[i][j].event})
			held[i] = slices.Delete(held[i], j, j+1)
			continue
		}
		if at[i] == len(h) {
			continue
		}
		e, chance, after := h[at[i]], r.IntN(100), 1+r.IntN(most)
		if chance >= 17 {
			after = len(h) // to the end
		}
		switch {
		case chance < 5: // the bus lost its tail
			at[i] -= min(at[i], r.IntN(4*most))
		case chance < 10: // killed before it acknowledged
			steps = append(steps, step{restart: true})
			for _, again := range h[at[i]-min(at[i], r.IntN(most)) : at[i]] {
				steps = append(steps, step{event: again})
			}
		case chance < 20 && rd.mayBeLate(e, h[at[i]:min(len(h), at[i]+after+1)]):
			held[i] = append(held[i], late{e, after})
			at[i]++
		default:
			for range 1 + r.IntN(8)/7 { // one in eight is doubled
				steps = append(steps, step{event: e})
			}
			for j := range held[i] {
				held[i][j].after--
			}
			at[i]++
		}
	}
	for range r.IntN(2) {
		for _, e := range histories[r.IntN(len(histories))] {
			steps = append(steps, step{event: e})
		}
	}
	return steps
}

// mayBeLate says whether e may come after some of those that follow.
func (rd Reader) mayBeLate(e streams.Event, follow []streams.Event) bool {
	for _, f := range follow {
		if f.Subject == e.Subject && rd.Last != nil && rd.Last(f) {
			return false
		}
	}
	return true
}

// Orders is a stream's history of n orders, o-000 and so on, placed a second apart by users u-0 to u-4 of products p-0 to p-3;
// every fifth is refused, every seventh not settled. Once there are more than keep, settled or not, the oldest are archived.
func Orders(t testing.TB, n, keep int) (events []streams.Event) {
	t.Helper()
	var all []shop.Order
	tell := func(typ string, o shop.Order) {
		events = append(events, Event(t, shop.Orders, typ, o.ID, o.Version, o))
	}
	for i := range n {
		o := shop.Order{ID: fmt.Sprintf("o-%03d", i), UserID: fmt.Sprintf("u-%d", i%5), ProductID: fmt.Sprintf("p-%d", i%4), ProductName: "as ordered",
			PriceCents: 100, Quantity: 1 + int64(i%3), Status: shop.Placed, PlacedAt: noon.Add(time.Duration(i) * time.Second), Version: 1}
		tell(shop.OrderPlaced, o)
		all = append(all, o)
		if i < 2 {
			continue
		}
		// Each is settled when two more are placed.
		o = all[i-2]
		switch o.Version++; {
		case i%7 == 6:
			continue
		case i%5 == 4:
			o.Status, o.Reason = shop.Refused, "sold out"
			tell(shop.OrderRefused, o)
		default:
			o.Status = shop.Confirmed
			tell(shop.OrderConfirmed, o)
		}
		if old := i - keep; old >= 0 {
			o := all[old]
			events = append(events, Event(t, shop.Orders, shop.OrderArchived, o.ID, 3,
				shop.Archived{ID: o.ID, UserID: o.UserID, ProductID: o.ProductID, PlacedAt: o.PlacedAt}))
		}
	}
	return events
}

// Products is a stream's history of products p-0 to p-3, each of five versions.
func Products(t testing.TB) (events []streams.Event) {
	t.Helper()
	for version := int64(1); version <= 5; version++ {
		for i := range 4 {
			typ := shop.ProductChanged
			if version == 1 {
				typ = shop.ProductListed
			}
			p := shop.Product{ID: fmt.Sprintf("p-%d", i), Name: fmt.Sprintf("name %d of %d", version, i), PriceCents: 100*version + int64(i), Version: version}
			events = append(events, Event(t, shop.Catalog, typ, p.ID, version, p))
		}
	}
	return events
}

// Users is a stream's history of users u-0 and so on, n of them, of whom the oldest beyond keep are removed.
func Users(t testing.TB, n, keep int) (events []streams.Event) {
	t.Helper()
	for i := range n {
		u := shop.User{ID: fmt.Sprintf("u-%d", i), Name: fmt.Sprintf("Ada %d", i), Version: 1}
		events = append(events, Event(t, shop.Users, shop.UserRegistered, u.ID, 1, u))
		if old := i - keep; old >= 0 {
			id := fmt.Sprintf("u-%d", old)
			events = append(events, Event(t, shop.Users, shop.UserRemoved, id, 2, shop.Removed{ID: id}))
		}
	}
	return events
}
