package tour

import (
	"fmt"

	"github.com/stillup/stillup/viz/world"
)

// cellsAre: a cell of the matrix, or each of many, does so: works, is slow, is stale, fails, or answers in one way or another.
func cellsAre(feature, pattern, how string) test {
	is := func(c world.Cell) bool {
		switch how {
		case "works":
			return c.State == world.Works
		case "is slow":
			return c.State == world.Slow
		case "is stale":
			return c.State == world.Stale || answers(c.State) && c.StaleMS > 0
		case "fails":
			return c.State == world.Fails
		}
		return answers(c.State)
	}
	return test{
		check: func(n *names) error { return n.cells(feature, pattern) },
		holds: func(l *look) (bool, string) {
			keys := l.cells(feature, pattern)
			var not []string
			for _, k := range keys {
				if c, ok := l.cell(k); !ok || !is(c) {
					not = append(not, cellWords(k, c, how))
				}
			}
			if len(keys) == 0 {
				return false, "nothing of it can be asked"
			}
			return len(not) == 0, some(not)
		},
	}
}

// p50Is: the median of a cell's requests is so long. One that fails has none that could be short enough.
func p50Is(feature, pattern string, least bool, ms float64) test {
	k := world.CellKey{Feature: feature, Pattern: pattern}
	return test{
		check: func(n *names) error { return n.cell(k) },
		holds: func(l *look) (bool, string) {
			c, ok := l.cell(k)
			switch {
			case !ok:
				return false, untried(k)
			case !least && !answers(c.State):
				return false, cellName(k) + " fails"
			}
			words := fmt.Sprintf("p50 of %s is %s", cellName(k), span(c.P50MS))
			if least {
				return c.P50MS >= ms, words
			}
			return c.P50MS <= ms, words
		},
	}
}
