// Package class holds the classes of the walkthrough: where each presenter is, who follows, and what they guess.
package class

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"
)

// Bounds. What would go beyond one is refused, or pushes out the oldest where that is said.
const (
	MaxClasses   = 8
	MaxFollowers = 1000 // of a class: names that listen, and names that guess at a step
	// MaxStreams is how many streams one name may listen on, and all of a class's presenters together; one more ends the
	// oldest, which is one that was cut off unnoticed: a browser opens fewer to one server.
	MaxStreams = 8
	MaxName    = 64 // bytes of a follower's name
	maxKept    = 16 // steps of a chapter whose guesses are kept
)

const (
	// forgottenAfter is how long nobody has listened to a class, nor moved it, when it is forgotten.
	forgottenAfter = 2 * time.Hour
	// tellEvery is how far apart two messages of a class are at least.
	tellEvery = 200 * time.Millisecond
)

// What is wrong with a call; nothing has changed then.
var (
	ErrUnknown = errors.New("there is no class of that id")
	ErrKey     = errors.New("that is not the key of the class")
	ErrBad     = errors.New("an id has 8 of " + letters + ", a key 16 to 64 letters and digits; give both or neither")
	ErrFull    = errors.New("there are as many classes as there may be")
	ErrCrowded = errors.New("the class has as many followers as it may have")
	ErrName    = errors.New("a follower's name has 1 to 64 bytes that can be printed")
	ErrMoved   = errors.New("the class is at another step")
	ErrCell    = errors.New("the guess is not about cells that the step asks for")
	ErrEnded   = errors.New("the class has ended")
	ErrPushed  = errors.New("the same name listens elsewhere by now")
)

// Place is a step of the walkthrough.
type Place struct {
	Chapter, Step string
	Cells         []string // that it asks for, in the order in which they are shown; not to be changed by the caller afterwards
}

type spot struct{ chapter, step string }

func (p Place) spot() spot { return spot{p.Chapter, p.Step} }

// Classes are all classes there are. The zero value has none and is ready. Safe for concurrent use; no call blocks but
// [Listener.Next]. It needs no end: it runs no goroutine, and a message that is due a moment later does no harm.
type Classes struct {
	mu  sync.Mutex // guards all classes and listeners too
	all map[string]*one
}

// one is a class.
type one struct {
	of  *Classes
	id  string
	key [sha256.Size]byte // of the key
	at  Place
	// guesses at the steps of the chapter that the class is at, by the follower's name; kept when it goes on, for a presenter
	// who goes back.
	guesses    map[spot]map[string]map[string]bool
	followers  map[string][]*Listener // by name, oldest first
	presenters []*Listener            // oldest first
	used       time.Time              // when it was last moved, or somebody last left
	ended      bool
	telling
}

// Begin makes a class at p and returns its id and key, both random where none are given. One that is there already is
// moved to p if the key is its own: a presenter comes back.
func (c *Classes) Begin(id, key string, p Place) (newID, newKey string, err error) {
	id = tidy(id)
	if (id == "") != (key == "") || id != "" && (!isID(id) || !isKey(key)) {
		return "", "", ErrBad
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o, err := c.find(id)
	switch {
	case err == nil && !o.opens(key):
		return "", "", ErrKey
	case err == nil:
		o.move(p)
		return id, key, nil
	case len(c.all) >= MaxClasses:
		return "", "", ErrFull
	}
	for id == "" || c.all[id] != nil {
		id, key = newIDAndKey()
	}
	o = &one{of: c, id: id, key: sha256.Sum256([]byte(key)), guesses: map[spot]map[string]map[string]bool{}, followers: map[string][]*Listener{}}
	o.changed = make(chan struct{})
	if c.all == nil {
		c.all = map[string]*one{}
	}
	c.all[id] = o
	o.move(p)
	return id, key, nil
}

// Move takes a class to p. Guesses of another chapter are dropped; those of the same one are kept.
func (c *Classes) Move(id, key string, p Place) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, err := c.open(id, key)
	if err == nil {
		o.move(p)
	}
	return err
}

// End ends a class. Its listeners are told so, then end.
func (c *Classes) End(id, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, err := c.open(id, key)
	if err == nil {
		o.end()
	}
	return err
}

// Has says whether there is a class of that id.
func (c *Classes) Has(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.find(id)
	return err == nil
}

// Forget drops what was guessed at the steps of a chapter, in every class that is there: the chapter begins again.
func (c *Classes) Forget(chapter string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.all {
		if o.at.Chapter == chapter {
			clear(o.guesses)
			o.change()
		}
	}
}

// find finds a class, once those that are to be forgotten are.
func (c *Classes) find(id string) (*one, error) {
	now := time.Now()
	for _, o := range c.all {
		if len(o.followers)+len(o.presenters) == 0 && now.Sub(o.used) >= forgottenAfter {
			o.end()
		}
	}
	if o := c.all[tidy(id)]; o != nil {
		return o, nil
	}
	return nil, ErrUnknown
}

// open is find for whoever has the key.
func (c *Classes) open(id, key string) (*one, error) {
	o, err := c.find(id)
	if err == nil && !o.opens(key) {
		return nil, ErrKey
	}
	return o, err
}

// opens compares in constant time.
func (o *one) opens(key string) bool {
	given := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(given[:], o.key[:]) == 1
}

func (o *one) move(p Place) {
	if p.Chapter != o.at.Chapter {
		clear(o.guesses)
	}
	o.at, o.used = p, time.Now()
	o.change()
}

func (o *one) end() {
	delete(o.of.all, o.id)
	o.ended = true
	o.tell(o.now())
}

// tidy is an id as it may be typed.
func tidy(id string) string { return strings.ToLower(id) }

// room makes room for the guesses at one step more.
func (o *one) room() {
	if len(o.guesses) >= maxKept {
		maps.DeleteFunc(o.guesses, func(s spot, _ map[string]map[string]bool) bool { return s != o.at.spot() })
	}
}
