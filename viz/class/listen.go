package class

import (
	"context"
	"slices"
	"time"
)

// Message is how a class stands.
type Message struct {
	Chapter   string `json:"chapter"`
	Step      string `json:"step"`
	Followers int    `json:"followers"` // names that listen now, without the presenter
	Answered  int    `json:"answered"`  // names that guessed at this step
	Ended     bool   `json:"ended"`
	Spread    []Cell `json:"spread"` // nil for all but the presenter; not to be changed
}

// is says whether m says the same as other.
func (m Message) is(other Message) bool {
	return m.Chapter == other.Chapter && m.Step == other.Step && m.Followers == other.Followers && m.Answered == other.Answered &&
		m.Ended == other.Ended && slices.Equal(m.Spread, other.Spread)
}

// Listener hears of one class. Not safe for concurrent use.
type Listener struct {
	of       *one
	who      string
	presents bool
	seen     int64         // revision
	last     Message       // that Next returned
	pushed   chan struct{} // closed when a newer one takes its place
	left     bool
}

// telling is what a class last told its listeners. It is guarded by the lock of Classes.
type telling struct {
	told    Message
	toldAt  time.Time
	rev     int64         // of told
	changed chan struct{} // closed by the next one
	due     bool          // there is more to tell, and a timer will
}

// Listen begins to listen to a class, as its presenter where the key is given and is its own, else as the follower of that
// name. The caller closes the Listener.
func (c *Classes) Listen(id, who, key string) (*Listener, error) {
	if key == "" && !isName(who) {
		return nil, ErrName
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o, err := c.find(id)
	if err != nil {
		return nil, err
	}
	l := &Listener{of: o, who: who, presents: key != "", pushed: make(chan struct{})}
	switch {
	case l.presents && !o.opens(key):
		return nil, ErrKey
	case l.presents:
		o.presenters = push(o.presenters, l)
	case o.followers[who] == nil && len(o.followers) >= MaxFollowers:
		return nil, ErrCrowded
	default:
		o.followers[who] = push(o.followers[who], l)
	}
	o.change()
	return l, nil
}

// push adds the newest, in place of the oldest if there are too many.
func push(all []*Listener, l *Listener) []*Listener {
	if len(all) >= MaxStreams {
		close(all[0].pushed)
		all[0].left = true
		all = slices.Delete(all, 0, 1)
	}
	return append(all, l)
}

// Close ends the listening.
func (l *Listener) Close() {
	o := l.of
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if l.left {
		return
	}
	l.left = true
	me := func(other *Listener) bool { return other == l }
	if l.presents {
		o.presenters = slices.DeleteFunc(o.presenters, me)
	} else if o.followers[l.who] = slices.DeleteFunc(o.followers[l.who], me); len(o.followers[l.who]) == 0 {
		delete(o.followers, l.who)
	}
	o.used = time.Now()
	o.change()
}

// Next waits until the class stands differently from what Next last returned, and at first not at all. What a slow
// listener misses is left out; nobody waits for it. It ends with ctx, with ErrEnded after the message that says so, or
// with ErrPushed.
func (l *Listener) Next(ctx context.Context) (Message, error) {
	o := l.of
	for {
		o.of.mu.Lock()
		m, rev, changed := o.told, o.rev, o.changed
		o.of.mu.Unlock()
		if rev > l.seen {
			first := l.seen == 0
			l.seen = rev
			if !l.presents {
				m.Spread = nil
			}
			if first || !m.is(l.last) { // else only the spread is another
				l.last = m
				return m, nil
			}
		}
		if m.Ended {
			return Message{}, ErrEnded
		}
		select {
		case <-ctx.Done():
			return Message{}, ctx.Err()
		case <-l.pushed:
			return Message{}, ErrPushed
		case <-changed:
		}
	}
}

// now is how the class stands.
func (o *one) now() Message {
	return Message{Chapter: o.at.Chapter, Step: o.at.Step, Followers: len(o.followers), Answered: len(o.guesses[o.at.spot()]),
		Ended: o.ended, Spread: o.spread()}
}

// change tells the listeners what has changed, at once if they were told nothing for a while, else when it is time.
func (o *one) change() {
	switch wait := tellEvery - time.Since(o.toldAt); {
	case o.ended || o.due:
	case wait <= 0:
		o.tell(o.now())
	default:
		o.due = true
		time.AfterFunc(wait, func() {
			o.of.mu.Lock()
			defer o.of.mu.Unlock()
			o.due = false
			if !o.ended {
				o.tell(o.now())
			}
		})
	}
}

// tell tells m, if that is news.
func (o *one) tell(m Message) {
	if o.rev > 0 && m.is(o.told) {
		return
	}
	o.told, o.toldAt = m, time.Now()
	o.rev++
	close(o.changed)
	o.changed = make(chan struct{})
}
