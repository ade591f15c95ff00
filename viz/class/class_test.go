package class

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	look = Place{Chapter: "copies", Step: "look"}
	stop = Place{Chapter: "copies", Step: "stop", Cells: []string{"buy in sync", "buy in copies"}}
	wipe = Place{Chapter: "rebuild", Step: "wipe", Cells: []string{"browse in copies"}}
)

const key = "0123456789ABCDEFabcdef"

func begin(t *testing.T, c *Classes, p Place) (id, key string) {
	t.Helper()
	id, key, err := c.Begin("", "", p)
	if err != nil {
		t.Fatal(err)
	}
	return id, key
}

func listen(t *testing.T, c *Classes, id, who, key string) *Listener {
	t.Helper()
	l, err := c.Listen(id, who, key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newest is what a listener hears once all has settled: what comes within a second.
func newest(t *testing.T, l *Listener) (m Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for {
		next, err := l.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		m = next
	}
}

func TestIDsAndKeys(t *testing.T) {
	var c Classes
	met := map[string]bool{}
	for range MaxClasses {
		id, key := begin(t, &c, look)
		if !isID(id) || !isKey(key) || met[id] || met[key] {
			t.Errorf("id %q, key %q", id, key)
		}
		met[id], met[key] = true, true
	}
	if _, _, err := c.Begin("", "", look); err != ErrFull {
		t.Errorf("one more: %v", err)
	}
	if strings.ContainsAny(letters, "01ilo") || strings.ToLower(letters) != letters {
		t.Errorf("letters %s", letters)
	}
	for _, tc := range []struct {
		id, key string
		want    error
	}{
		{"abcdefgh", "", ErrBad}, {"", key, ErrBad}, {"abcdefg", key, ErrBad}, {"abcdefg0", key, ErrBad}, {"abcd/fgh", key, ErrBad},
		{"abcdefgh", "short", ErrBad}, {"abcdefgh", strings.Repeat("k", 65), ErrBad}, {"abcdefgh", key + "\n", ErrBad}, {"abcdefgh", key, nil},
		{"ABCDEFGH", key, nil}, {" abcdefgh", key, ErrBad}, {"abcdefgh", key + "x", ErrKey},
	} {
		var c Classes
		if _, _, err := c.Begin("abcdefgh", key, look); err != nil {
			t.Fatal(err)
		}
		id, _, err := c.Begin(tc.id, tc.key, stop)
		if err != tc.want || err == nil && id != "abcdefgh" {
			t.Errorf("%q with %q: %q, %v, want %v", tc.id, tc.key, id, err, tc.want)
		}
	}
}

func TestKey(t *testing.T) {
	var c Classes
	id, key := begin(t, &c, look)
	_, listens := c.Listen(id, "", key+"x")
	for what, err := range map[string]error{"move": c.Move(id, "", stop), "move with another's": c.Move(id, key[1:], stop), "end": c.End(id, key+key), "listen": listens} {
		if err != ErrKey {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.Move("zzzzzzzz", key, stop); err != ErrUnknown {
		t.Errorf("no such class: %v", err)
	}
	if err := c.Move(strings.ToUpper(id), key, stop); err != nil || !c.Has(id) {
		t.Errorf("with its key: %v", err)
	}
	if err := c.End(id, key); err != nil || c.Has(id) {
		t.Errorf("ended: %v, there is one: %v", err, c.Has(id))
	}
	if err := c.End(id, key); err != ErrUnknown {
		t.Errorf("ended twice: %v", err)
	}
}

func TestGuess(t *testing.T) {
	both := func(sync, copies bool) map[string]bool {
		return map[string]bool{"buy in sync": sync, "buy in copies": copies}
	}
	synctest.Test(t, func(t *testing.T) {
		var c Classes
		id, key := begin(t, &c, look)
		p := listen(t, &c, id, "", key)
		defer p.Close()
		f := listen(t, &c, id, "ada", "")
		defer f.Close()
		if m := newest(t, p); m.Chapter != "copies" || m.Step != "look" || m.Followers != 1 || m.Spread == nil || len(m.Spread) != 0 {
			t.Errorf("at first %+v", m)
		}
		if err := c.Guess(id, "ada", "copies", "look", both(true, true)); err != ErrCell {
			t.Errorf("a guess where nothing is asked: %v", err)
		}
		if err := c.Move(id, key, stop); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			who, chapter, step string
			guess              map[string]bool
			want               error
		}{
			{"ada", "copies", "look", both(true, true), ErrMoved}, {"ada", "rebuild", "stop", both(true, true), ErrMoved},
			{"ada", "copies", "stop", nil, ErrCell}, {"ada", "copies", "stop", map[string]bool{"buy in bus": true}, ErrCell},
			{"", "copies", "stop", both(true, true), ErrName}, {"a\tb", "copies", "stop", both(true, true), ErrName},
			{strings.Repeat("a", MaxName+1), "copies", "stop", both(true, true), ErrName}, {"\xff", "copies", "stop", both(true, true), ErrName},
			{"ada", "copies", "stop", both(true, true), nil}, {"bob", "copies", "stop", both(false, true), nil},
			{"ada", "copies", "stop", both(false, false), nil}, {"Zoë 3", "copies", "stop", map[string]bool{"buy in copies": true}, nil},
		} {
			if err := c.Guess(id, tc.who, tc.chapter, tc.step, tc.guess); err != tc.want {
				t.Errorf("%+v: %v", tc, err)
			}
		}
		want := []Cell{{"buy in sync", 0, 2}, {"buy in copies", 2, 1}}
		if m := newest(t, p); m.Answered != 3 || m.Followers != 1 || !slices.Equal(m.Spread, want) {
			t.Errorf("after the guesses %+v", m)
		}
		if m := newest(t, f); m.Answered != 3 || m.Spread != nil {
			t.Errorf("the follower hears %+v", m)
		}
		if err := c.Guess(id, "ada", "copies", "stop", both(true, true)); err != nil {
			t.Error(err)
		}
		if m := newest(t, f); m.Chapter != "" {
			t.Errorf("another has changed its mind, which is no news to a follower: %+v", m)
		}
		if m := newest(t, p); m.Answered != 3 || m.Spread[0] != (Cell{"buy in sync", 1, 1}) {
			t.Errorf("but to the presenter: %+v", m)
		}
		// There and back again: guesses are kept within the chapter, and dropped with it, or once it begins again.
		for _, tc := range []struct {
			what   string
			do     func() error
			answer int
		}{
			{"elsewhere", func() error { return c.Move(id, key, look) }, 0},
			{"back", func() error { return c.Move(id, key, stop) }, 3},
			{"the presenter is back", func() error { _, _, err := c.Begin(id, key, stop); return err }, 3},
			{"another begins again", func() error { c.Forget("rebuild"); return nil }, 3},
			{"begun again", func() error { c.Forget("copies"); return nil }, 0},
			{"guessed again", func() error { return c.Guess(id, "ada", "copies", "stop", both(true, true)) }, 1},
			{"another chapter", func() error { return c.Move(id, key, wipe) }, 0},
			{"back from it", func() error { return c.Move(id, key, stop) }, 0},
		} {
			if err := tc.do(); err != nil {
				t.Errorf("%s: %v", tc.what, err)
			}
			newest(t, p)
			if m := p.of.now(); m.Answered != tc.answer || m.Spread != nil && m.Chapter != "rebuild" && m.Step == "stop" && m.Spread[0].Works+m.Spread[0].Fails > tc.answer {
				t.Errorf("%s: %+v, want %d answers", tc.what, m, tc.answer)
			}
		}
	})
}

// TestCoalesced: however much happens, a class tells at most 5 messages a second, the first at once and the last for certain.
func TestCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Classes
		id, key := begin(t, &c, stop)
		p := listen(t, &c, id, "", key)
		defer p.Close()
		newest(t, p)
		heard := make(chan Message, 100)
		go func() {
			defer close(heard)
			for {
				m, err := p.Next(context.Background())
				if err != nil {
					return
				}
				heard <- m
			}
		}()
		begun := time.Now()
		for i := range 300 {
			if err := c.Guess(id, fmt.Sprint("f", i), "copies", "stop", map[string]bool{"buy in sync": i%3 == 0}); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				if m := <-heard; m.Answered != 1 || time.Since(begun) > 0 {
					t.Errorf("the first after %v: %+v", time.Since(begun), m)
				}
			}
			time.Sleep(10 * time.Millisecond) // here and below the bubble's clock
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var last Message
		n := len(heard)
		for range n {
			last = <-heard
		}
		if n < 10 || n > 15 || last.Answered != 300 || last.Spread[0] != (Cell{"buy in sync", 100, 200}) {
			t.Errorf("%d messages in 3 s, the last %+v", n, last)
		}
		if err := c.End(id, key); err != nil {
			t.Fatal(err)
		}
		if m := <-heard; !m.Ended || m.Step != "stop" {
			t.Errorf("the end is told as %+v", m)
		}
		if _, open := <-heard; open {
			t.Error("something follows the end")
		}
	})
}

// TestSlow: who hears nothing for long hears the newest, and nobody waits for it.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Classes
		id, key := begin(t, &c, look)
		l := listen(t, &c, id, "ada", "")
		defer l.Close()
		for i := range 100 {
			if err := c.Move(id, key, Place{Chapter: "copies", Step: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if m, err := l.Next(t.Context()); err != nil || m.Step != "99" {
			t.Errorf("%+v, %v", m, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if m, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing happened, and it hears %+v, %v", m, err)
		}
	})
}

// TestForgotten: a class that nobody listens to is forgotten, and not one minute earlier, nor one that somebody listens to.
func TestForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Classes
		left, leftKey := begin(t, &c, look)
		followed, _ := begin(t, &c, look)
		presented, presentedKey := begin(t, &c, look)
		l := listen(t, &c, left, "ada", "")
		f := listen(t, &c, followed, "ada", "")
		p := listen(t, &c, presented, "", presentedKey)
		time.Sleep(3 * time.Hour)
		l.Close()
		time.Sleep(forgottenAfter - time.Minute)
		if !c.Has(left) {
			t.Error("forgotten too early")
		}
		if err := c.Move(left, leftKey, stop); err != nil {
			t.Error(err)
		}
		time.Sleep(forgottenAfter - time.Minute)
		if !c.Has(left) {
			t.Error("forgotten though it was moved")
		}
		time.Sleep(time.Minute)
		if c.Has(left) || !c.Has(followed) || !c.Has(presented) {
			t.Errorf("there are %v", c.all)
		}
		for range MaxClasses - 2 {
			begin(t, &c, look)
		}
		if _, _, err := c.Begin("", "", look); err != ErrFull {
			t.Errorf("all are in use: %v", err)
		}
		f.Close()
		p.Close()
		time.Sleep(forgottenAfter)
		if id, _, err := c.Begin(left, leftKey, stop); err != nil || id != left || len(c.all) != 1 {
			t.Errorf("a presenter comes back: %q, %v; there are %v", id, err, c.all)
		}
	})
}
