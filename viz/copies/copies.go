// Package copies looks into the stores with their own protocols, reading only: one thing in every store that holds it, side
// by side, and how much each store holds. Where a kind of data stands in a store, the system file says.
package copies

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// callWithin bounds every use of a store: one that is dead or silent is told as such and holds up nobody.
const callWithin = 700 * time.Millisecond

// Errors of Copies.
var (
	ErrUnknownKind = errors.New("no store holds that kind")
	ErrFull        = errors.New("too many are watching") // see Watch
	ErrClosed      = errors.New("the dashboard ends")
)

// Options of Copies.
type Options struct {
	System world.System
	// URLs are the stores' addresses by node id; a store that is not among them is asked at the address that the system file
	// has. They may hold passwords: nothing here ever tells one.
	URLs map[string]string
	// Invented makes up what the stores hold, in place of all of them; nil: they are what they are.
	Invented Source
	// Missing says what the copy of one thing in a store has not got yet; nil: nothing is known to be missing. It is called
	// from many goroutines.
	Missing func(store, kind, id string, have, owner int64) world.Missing
	// Hidden says whether a store has yet to join; it is left out until then. Nil: all are there.
	Hidden func(store string) bool
}

// Copies reads the stores of one system. It is safe for concurrent use.
type Copies struct {
	missing func(store, kind, id string, have, owner int64) world.Missing
	hidden  func(store string) bool
	stores  []*opened // in the order of the system file
	kinds   map[string][]*holder

	mu      sync.Mutex // guards what follows
	watched map[thingKey]*watched
	readers int
	closed  bool
	polling sync.WaitGroup // of everything that is watched
}

// opened is one store that holds something.
type opened struct {
	spec  world.NodeSpec
	store store  // nil: it cannot be asked
	why   string // not, in a sentence
}

// holder is one hold of one store.
type holder struct {
	*opened
	hold  world.Hold
	owner bool // the one that the others are compared with
	apart bool // it is no copy, and not the owner's: a system beside the system, which is not compared
}

// store is one store, read with its own protocol. Calls end with ctx, which always has a deadline. Errors are put into words
// by reason alone: their own texts may tell an address.
type store interface {
	// read finds the thing with that id.
	read(ctx context.Context, at *world.Place, id string) (kept, error)
	// search finds things whose id begins with text, or whose label holds it, whatever the case; more says that there are,
	// or may be, further ones.
	search(ctx context.Context, at *world.Place, text string, limit int) (found []Match, more bool, err error)
	// totals says how much it holds at each of the places.
	totals(ctx context.Context, holds []world.Hold) ([]world.HeldSeen, error)
	close()
}

// kept is a thing as a store keeps it.
type kept struct {
	found bool
	raw   string
	bytes int64 // as the store counts them; else of the raw text
	pairs []pair
	keys  []Key
	// version where it is not among the pairs: the number of the one out of many that counts.
	version int64
}

// pair is one column or field, its value as it compares between engines.
type pair struct{ name, value string }

// Match is one thing that a search found.
type Match struct {
	ID      string `json:"id"`
	Label   string `json:"label"`   // empty: its kind has none
	Version int64  `json:"version"` // 0: it keeps none
}

// New prepares the reading of all stores that hold something; it does no I/O. What is wrong with an address is told as
// what is wrong with its store. The caller closes it.
func New(o Options) *Copies {
	c := &Copies{missing: o.Missing, hidden: o.Hidden, kinds: map[string][]*holder{}, watched: map[thingKey]*watched{}}
	if c.missing == nil {
		c.missing = func(string, string, string, int64, int64) world.Missing { return world.Missing{} }
	}
	if c.hidden == nil {
		c.hidden = func(string) bool { return false }
	}
	for _, n := range o.System.Nodes {
		if len(n.Holds) == 0 {
			continue
		}
		if o.Invented != nil {
			c.stores = append(c.stores, &opened{spec: n, store: &invented{o.Invented, n}})
			continue
		}
		c.stores = append(c.stores, open(n, o.URLs[n.ID]))
	}
	for _, k := range o.System.Kinds {
		if holders := c.holders(k.ID); len(holders) > 0 {
			c.kinds[k.ID] = holders
		}
	}
	return c
}

// holders are those of a kind: its owner, the copies, and what stands apart.
func (c *Copies) holders(kind string) []*holder {
	var owner, copies, apart []*holder
	for _, s := range c.stores {
		for _, hold := range s.spec.Holds {
			if hold.Kind != kind {
				continue
			}
			h := &holder{opened: s, hold: hold}
			switch {
			case hold.Copy:
				copies = append(copies, h)
			case owner == nil:
				h.owner = true
				owner = append(owner, h)
			default:
				h.apart = true
				apart = append(apart, h)
			}
		}
	}
	return append(append(owner, copies...), apart...)
}

// of are the holders of a kind that are there now: its owner, the copies, and what stands apart.
func (c *Copies) of(kind string) []*holder {
	var there []*holder
	for _, h := range c.kinds[kind] {
		if !c.hidden(h.spec.ID) {
			there = append(there, h)
		}
	}
	return there
}

// open prepares one store.
func open(n world.NodeSpec, url string) *opened {
	s := &opened{spec: n}
	if url == "" {
		url = n.URL
	}
	if url == "" {
		s.why = "no address of " + n.ID + " is known"
		return s
	}
	var err error
	switch n.Engine {
	case "postgres":
		s.store, err = openPostgres(url)
	case "mongodb":
		s.store, err = openMongo(url)
	case "redis":
		s.store, err = openRedis(url)
	default:
		s.why = fmt.Sprintf("%s is of an engine that cannot be read here", n.ID)
	}
	if err != nil { // whose text may quote the address
		s.store, s.why = nil, "the address of "+n.ID+" cannot be read"
	}
	return s
}

// Close ends all watching and closes the stores.
func (c *Copies) Close() {
	c.mu.Lock()
	c.closed = true
	for _, t := range c.watched {
		t.cancel()
	}
	c.mu.Unlock()
	c.polling.Wait()
	for _, s := range c.stores {
		if s.store != nil {
			s.store.close()
		}
	}
}

// Owner is the node id of the store that owns a kind; empty where none does.
func (c *Copies) Owner(kind string) string {
	if of := c.of(kind); len(of) > 0 && of[0].owner {
		return of[0].spec.ID
	}
	return ""
}

// Search looks in the owner's store for things whose id begins with text, or whose label holds it, whatever the case: at
// most limit, an exact id first. more says that there are, or may be, further ones. An error that is none of the above
// says in a sentence why the store did not answer.
func (c *Copies) Search(ctx context.Context, kind, text string, limit int) (found []Match, more bool, err error) {
	of := c.of(kind)
	if len(of) == 0 || !of[0].owner {
		return nil, false, ErrUnknownKind
	}
	h := of[0]
	if why := h.cannot(); why != "" {
		return nil, false, errors.New(why)
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	found, more, err = h.store.search(ctx, h.hold.At, text, limit)
	if err != nil {
		return nil, false, errors.New(reason(h.spec.ID, err))
	}
	if found == nil {
		found = []Match{}
	}
	return found, more, nil
}

// cannot says why the store cannot be asked for it at all; empty: it can.
func (h *holder) cannot() string {
	switch {
	case h.store == nil:
		return h.why
	case h.hold.At == nil:
		return "the system file does not say where " + h.spec.ID + " keeps it"
	}
	return ""
}
