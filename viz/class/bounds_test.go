package class

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// TestBounds: no name, no stream and no step can make a class grow without end.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Classes
		id, key := begin(t, &c, stop)
		for i := range MaxFollowers {
			who := fmt.Sprint("f", i)
			listen(t, &c, id, who, "")
			if err := c.Guess(id, who, "copies", "stop", map[string]bool{"buy in sync": true}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Listen(id, "late", ""); err != ErrCrowded {
			t.Errorf("one more listens: %v", err)
		}
		if err := c.Guess(id, "late", "copies", "stop", map[string]bool{"buy in sync": true}); err != ErrCrowded {
			t.Errorf("one more guesses: %v", err)
		}
		if err := c.Guess(id, "f7", "copies", "stop", map[string]bool{"buy in sync": false}); err != nil {
			t.Errorf("one of them changes its mind: %v", err)
		}
		// The presenter is let in all the same, and pushes out only its own.
		var of []*Listener
		for range MaxStreams + 1 {
			of = append(of, listen(t, &c, id, "", key))
		}
		if m := newest(t, of[1]); m.Followers != MaxFollowers || m.Answered != MaxFollowers || m.Spread[0] != (Cell{"buy in sync", MaxFollowers - 1, 1}) {
			t.Errorf("%+v", m)
		}
		if _, err := of[0].Next(t.Context()); err != nil { // what it had not heard
			t.Error(err)
		}
		if _, err := of[0].Next(t.Context()); err != ErrPushed {
			t.Errorf("the oldest: %v", err)
		}
		of[0].Close()
		for i := range MaxStreams + 1 { // the same name again and again
			l := listen(t, &c, id, "f7", "")
			defer l.Close()
			if i < MaxStreams {
				defer l.Close() // twice does no harm
			}
		}
		o := c.all[id]
		if len(o.followers["f7"]) != MaxStreams || len(o.presenters) != MaxStreams || len(o.followers) != MaxFollowers {
			t.Errorf("%d streams of f7, %d presenters, %d followers", len(o.followers["f7"]), len(o.presenters), len(o.followers))
		}
		for i := range 3 * maxKept {
			p := Place{Chapter: "copies", Step: fmt.Sprint(i), Cells: stop.Cells}
			if err := errors.Join(c.Move(id, key, p), c.Guess(id, "f1", "copies", p.Step, map[string]bool{"buy in sync": true})); err != nil {
				t.Fatal(err)
			}
			if len(o.guesses) > maxKept || o.now().Answered != 1 {
				t.Fatalf("guesses at %d steps are kept, %d at this one", len(o.guesses), o.now().Answered)
			}
		}
	})
}
