package class

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSpread: whatever is guessed and wherever the class goes, the spread is that of the newest guesses. The model is a
// plain map.
func TestSpread(t *testing.T) {
	places := []Place{look, stop, {Chapter: "copies", Step: "start", Cells: []string{"buy in copies"}}, wipe}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			var c Classes
			id, key := begin(t, &c, look)
			p := listen(t, &c, id, "", key)
			defer p.Close()
			at, model := look, map[string]map[string]map[string]bool{} // guesses by step and name
			for range 300 {
				if rnd.IntN(20) == 0 {
					next := places[rnd.IntN(len(places))]
					if err := c.Move(id, key, next); err != nil {
						t.Fatal(err)
					}
					if next.Chapter != at.Chapter {
						clear(model)
					}
					at = next
				}
				about := places[rnd.IntN(len(places))]
				guess := map[string]bool{}
				for _, cell := range about.Cells {
					if rnd.IntN(5) > 0 {
						guess[cell] = rnd.IntN(2) == 0
					}
				}
				who := fmt.Sprint("f", rnd.IntN(30))
				err := c.Guess(id, who, about.Chapter, about.Step, guess)
				switch {
				case about.spot() != at.spot():
					if err != ErrMoved {
						t.Fatalf("a guess at %s while the class is at %s: %v", about.Step, at.Step, err)
					}
				case len(guess) == 0:
					if err != ErrCell {
						t.Fatalf("an empty guess: %v", err)
					}
				case err != nil:
					t.Fatal(err)
				default:
					if model[at.Step] == nil {
						model[at.Step] = map[string]map[string]bool{}
					}
					model[at.Step][who] = maps.Clone(guess)
					clear(guess) // it is the caller's own
				}
				if rnd.IntN(10) > 0 {
					continue
				}
				time.Sleep(tellEvery)
				synctest.Wait()
				if m := p.of.told; m.Answered != len(model[at.Step]) || m.Step != at.Step || !slices.Equal(m.Spread, count(at.Cells, model[at.Step])) {
					t.Fatalf("seed %d: told %+v, want %v", seed, m, count(at.Cells, model[at.Step]))
				}
			}
		})
	}
}

// count counts guesses as somebody would by hand.
func count(cells []string, guesses map[string]map[string]bool) []Cell {
	all := []Cell{}
	for _, name := range cells {
		cell := Cell{Cell: name}
		for _, guess := range guesses {
			if works, told := guess[name]; told && works {
				cell.Works++
			} else if told {
				cell.Fails++
			}
		}
		all = append(all, cell)
	}
	return all
}

// TestClassOf300: 300 members listen and guess, some come and go, while the presenter moves; all end at the same step, and
// the spread is that of everybody's last guess. What the race detector sees is the point.
func TestClassOf300(t *testing.T) {
	const members, moves = 300, 60
	var c Classes
	id, key := begin(t, &c, stop)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := listen(t, &c, id, "", key)
	defer p.Close()
	var working sync.WaitGroup
	last := make([]Message, members) // of each member
	for i := range members {
		working.Go(func() {
			who := fmt.Sprint("f", i)
			l, err := c.Listen(id, who, "")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { l.Close() }()
			for n := 0; ; n++ {
				m, err := l.Next(ctx)
				if err == ErrEnded {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				last[i] = m
				if m.Ended {
					continue
				}
				if m.Step == "stop" {
					if err := c.Guess(id, who, m.Chapter, m.Step, map[string]bool{"buy in sync": (i+n)%2 == 0, "buy in copies": i%3 == 0}); err != nil && err != ErrMoved && err != ErrUnknown {
						t.Error(err)
					}
				}
				if (i+n)%50 == 0 { // reloads its page
					l.Close()
					again, err := c.Listen(id, who, "")
					if err == ErrUnknown { // the class has ended meanwhile
						last[i].Ended = true
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					l = again
				}
			}
		})
	}
	for i := range moves {
		p := stop
		if i%3 == 0 {
			p = look
		}
		if err := c.Move(id, key, p); err != nil {
			t.Error(err)
		}
		_ = c.Has(id)
	}
	// All have guessed at the last place, and are heard.
	sum := func(m Message) int { return m.Spread[1].Works + m.Spread[1].Fails }
	for m := (Message{}); m.Answered != members || m.Followers != members || sum(m) != members || m.Spread[1].Works != members/3; {
		var err error
		if m, err = p.Next(ctx); err != nil {
			t.Fatalf("%v; the last heard was %+v", err, m)
		}
		if m.Step != "stop" {
			m = Message{}
		}
	}
	// From here on each guess is told again only as it changes; the newest ones are counted.
	c.mu.Lock()
	o := c.all[id]
	if got, want := o.now().Spread, count(stop.Cells, o.guesses[stop.spot()]); !slices.Equal(got, want) {
		t.Errorf("the spread is %v, counted by hand %v", got, want)
	}
	c.mu.Unlock()
	if err := c.End(id, key); err != nil {
		t.Error(err)
	}
	working.Wait()
	for i, m := range last {
		if !m.Ended {
			t.Errorf("f%d did not hear the end: %+v", i, m)
		}
	}
	for {
		m, err := p.Next(ctx)
		if errors.Is(err, ErrEnded) {
			break
		}
		if err != nil {
			t.Fatalf("%v after %+v", err, m)
		}
	}
}
