package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/viz/world"
)

// copyOf is what one store has of one thing, as the dashboard tells.
type copyOf struct {
	Node, Service, Form, Raw, Why string
	Copy, Found                   bool
	Version, Bytes                int64
	VersionsBehind                int64 `json:"versions_behind"`
	Fields                        []struct{ Name, Value, Same string }
}

func (c copyOf) field(name string) string {
	for _, f := range c.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// copies are all stores' copies of one thing.
func (l *lab) copies(kind, id string) ([]copyOf, error) {
	var all struct{ Records []copyOf }
	_, err := l.call(http.MethodGet, "/api/v1/copies/"+kind+"/"+id, nil, &all)
	return all.Records, err
}

// action has the system do something, of one thing and with values where it wants them.
func (l *lab) action(id, of string, values map[string]any) {
	l.t.Helper()
	body := map[string]any{}
	if of != "" {
		body["id"] = of
	}
	if values != nil {
		body["values"] = values
	}
	if _, err := l.call(http.MethodPost, "/api/v1/actions/"+id, body, nil); err != nil {
		l.t.Fatal(err)
	}
}

// progress is how far a job is.
type progress struct {
	State, Said, Before, After string
	Done, Total                int64
	PerSecond                  float64 `json:"per_second"`
}

// job has the system do a job and waits for its end.
func (l *lab) job(id string, within time.Duration) progress {
	l.t.Helper()
	l.action(id, "", nil)
	var p progress
	l.eventually(within, id+" is done", func() error {
		var a struct{ Progress *progress }
		if _, err := l.call(http.MethodGet, "/api/v1/actions/"+id, nil, &a); err != nil {
			return err
		}
		if a.Progress == nil || a.Progress.State != "done" && a.Progress.State != "failed" {
			return fmt.Errorf("%+v", a.Progress)
		}
		p = *a.Progress
		return nil
	})
	if p.State != "done" {
		l.t.Fatalf("%s %s: %s", id, p.State, p.Said)
	}
	l.t.Logf("%s: %s (%d of %d, %.0f a second)", id, p.Said, p.Done, p.Total, p.PerSecond)
	return p
}

// have checks that every store that holds the product has it under that name.
func (l *lab) have(product, name string, but ...string) error {
	all, err := l.copies("products", product)
	if err != nil {
		return err
	}
	if len(all) < 6 {
		return fmt.Errorf("%d stores hold it", len(all))
	}
	for _, c := range all {
		if c.Node != "monolith-db" && !slices.Contains(but, c.Node) && c.field("name") != name {
			return fmt.Errorf("%s has %q (%s)", c.Node, c.field("name"), c.Why)
		}
	}
	return nil
}

// cellsAre checks all cells: those for which bad says so fail, all others work.
func (l *lab) cellsAre(bad func(c world.Cell) bool) error {
	cells, err := l.cells()
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range cells {
		want := world.Works
		if bad(c) {
			want = world.Fails
		}
		if c.State != want {
			errs = append(errs, fmt.Errorf("%s in %s %s (%s), want %s", c.Feature, c.Pattern, c.State, c.LastError, want))
		}
	}
	return errors.Join(errs...)
}

// decided checks that the four who take the catalogue's events say so of an entry.
func (l *lab) decided(entry, want string) error {
	var e struct {
		Deliveries []struct{ Service, Outcome, Reason string }
	}
	if _, err := l.call(http.MethodGet, "/api/v1/events/"+entry, nil, &e); err != nil {
		return err
	}
	n := 0
	for _, d := range e.Deliveries {
		if d.Outcome == want && d.Reason != "" {
			n++
		}
	}
	if n != 4 {
		return fmt.Errorf("%+v, want 4 times %q and why", e.Deliveries, want)
	}
	return nil
}

// onBus opens the bus itself, to be looked at.
func (l *lab) onBus() *redis.Client {
	l.t.Helper()
	bus, err := streams.Open(l.busURL())
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { bus.Close() })
	return bus
}

// repeats are how many entries of each owner's stream tell again what another tells: after a loss an event may come twice.
func (l *lab) repeats(bus *redis.Client) map[string]int64 {
	l.t.Helper()
	of := map[string]int64{}
	for _, owner := range owners {
		entries, err := bus.XRange(l.t.Context(), owner, "-", "+").Result()
		if err != nil {
			l.t.Fatal(err)
		}
		met := map[string]bool{}
		for _, e := range entries {
			event, err := streams.ParseEvent([]byte(fmt.Sprint(e.Values[streams.Field])))
			if err != nil || met[event.ID] {
				of[owner]++
			}
			met[event.ID] = true
		}
	}
	return of
}

// owners are the services that publish from a journal, each on the stream of its name.
var owners = []string{shop.Users, shop.Catalog, shop.Stock, shop.Orders}

// republished is how many events each owner has published once more because the bus had lost them.
func (l *lab) republished() (map[string]int64, error) {
	of := map[string]int64{}
	for _, owner := range owners {
		var box struct{ Republished int64 }
		if _, err := l.call(http.MethodGet, l.url(owner)+"/outbox", nil, &box); err != nil {
			return nil, err
		}
		of[owner] = box.Republished
	}
	return of, nil
}

// waiting is how many events wait at a take edge.
func (l *lab) waiting(edge string) (int64, error) {
	var w struct{ Edges []world.Edge }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		return 0, err
	}
	for _, e := range w.Edges {
		if e.ID == edge {
			return e.Waiting, nil
		}
	}
	return 0, fmt.Errorf("no edge %s", edge)
}

// nodeIs checks the state of a node.
func (l *lab) nodeIs(id string, want world.State) error {
	var w struct{ Nodes []world.Node }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		return err
	}
	for _, n := range w.Nodes {
		if n.ID == id && n.State == want {
			return nil
		}
	}
	return fmt.Errorf("%s is not %s", id, want)
}
