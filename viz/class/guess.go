package class

import (
	"maps"
	"slices"
)

// Cell is how a class guessed one cell.
type Cell struct {
	Cell  string `json:"cell"`  // "buy in sync"
	Works int    `json:"works"` // so many say that it will work
	Fails int    `json:"fails"` // and so many that it will not
}

// Guess keeps what who guesses at a step, true where a cell will work, in place of what the same name guessed before. It
// is refused where the class is at another step by then.
func (c *Classes) Guess(id, who, chapter, step string, guess map[string]bool) error {
	if !isName(who) {
		return ErrName
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o, err := c.find(id)
	if err != nil {
		return err
	}
	at := spot{chapter, step}
	if at != o.at.spot() {
		return ErrMoved
	}
	if len(guess) == 0 {
		return ErrCell
	}
	for cell := range guess {
		if !slices.Contains(o.at.Cells, cell) {
			return ErrCell
		}
	}
	if o.guesses[at] == nil {
		o.room()
		o.guesses[at] = map[string]map[string]bool{}
	}
	if _, again := o.guesses[at][who]; !again && len(o.guesses[at]) >= MaxFollowers {
		return ErrCrowded
	}
	o.guesses[at][who] = maps.Clone(guess)
	o.change()
	return nil
}

// spread counts the newest guesses at the step that the class is at, a Cell for each that it asks for, in its order.
func (o *one) spread() []Cell {
	all := make([]Cell, len(o.at.Cells))
	for i, cell := range o.at.Cells {
		all[i].Cell = cell
		for _, guess := range o.guesses[o.at.spot()] {
			if works, told := guess[cell]; works {
				all[i].Works++
			} else if told {
				all[i].Fails++
			}
		}
	}
	return all
}
