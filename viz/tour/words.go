package tour

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/stillup/stillup/viz/world"
)

// nodeWords say how a node is, in a sentence's words.
func nodeWords(n world.Node) string {
	switch n.State {
	case world.Up:
	case world.Down, world.Paused, world.Starting:
		return n.ID + " is " + string(n.State)
	default:
		return "it is not known how " + n.ID + " is"
	}
	if up := upReplicas(n); up < len(n.Replicas) {
		return fmt.Sprintf("%d of %d replicas of %s are up", up, len(n.Replicas), n.ID)
	}
	faults := n.Faults
	for _, r := range n.Replicas {
		faults = append(faults[:len(faults):len(faults)], r.Faults...)
	}
	for _, f := range faults {
		switch f.Kind {
		case world.FaultSlow:
			return fmt.Sprintf("%s is slow by %s", n.ID, span(float64(f.LatencyMS)))
		case world.FaultCut:
			return n.ID + " is cut off"
		case world.FaultErrors:
			return fmt.Sprintf("%s fails %d %% of its requests on purpose", n.ID, int(math.Round(f.Share*100)))
		}
	}
	return n.ID + " is up"
}

func upReplicas(n world.Node) (up int) {
	for _, r := range n.Replicas {
		if r.State == world.Up {
			up++
		}
	}
	return up
}

func has(n world.Node, kind world.FaultKind) bool {
	_, ok := found(n.Faults, func(f *world.Fault) bool { return f.Kind == kind })
	return ok
}

// healthy says whether a node is up with all its replicas and without faults.
func healthy(n world.Node) bool {
	_, ill := found(n.Replicas, func(r *world.Replica) bool { return r.State != world.Up || len(r.Faults) > 0 })
	return n.State == world.Up && len(n.Faults) == 0 && !ill
}

// cellName is a cell as conditions call it: "buy in sync".
func cellName(k world.CellKey) string { return k.Feature + " in " + k.Pattern }

func untried(k world.CellKey) string { return cellName(k) + " was not tried yet" }

// cellState says what a cell does.
func cellState(s world.CellState) string {
	switch s {
	case world.Slow, world.Stale:
		return "is " + string(s)
	}
	return string(s)
}

// cellWords say what a cell does where it was to do another thing: "buy in sync still works".
func cellWords(k world.CellKey, c world.Cell, wanted string) string {
	switch {
	case c.State == "" || c.State == world.Untried:
		return untried(k)
	case c.State == world.Works:
		return cellName(k) + " still works"
	case c.State == world.Fails && c.LastError != "":
		return fmt.Sprintf("%s fails: %s", cellName(k), clip(c.LastError))
	case wanted == "fails" && answers(c.State):
		return fmt.Sprintf("%s still answers, and %s", cellName(k), cellState(c.State))
	}
	return cellName(k) + " " + cellState(c.State)
}

func waitWords(n int64, node string) string {
	switch n {
	case 0:
		return "nothing waits for " + node
	case 1:
		return "1 event waits for " + node
	}
	return events(n) + " wait for " + node
}

func events(n int64) string {
	if n == 1 {
		return "1 event"
	}
	return count(float64(n)) + " events"
}

func loadWords(n float64) string {
	if n == 0 {
		return "0"
	}
	return aSecond(n)
}

func jobWords(j Job) string {
	so := ""
	if j.Total > 0 {
		so = fmt.Sprintf(" (%s of %s)", count(float64(j.Done)), count(float64(j.Total)))
	}
	switch j.State {
	case "running":
		return "is still running" + so
	case "done":
		return "was done before this chapter began, and not since"
	case "failed":
		if j.Why != "" {
			return "failed: " + clip(j.Why)
		}
		return "failed"
	}
	return "was not begun yet"
}

// some are the first few of several statements, and how many more there are.
func some(all []string) string {
	const most = 3
	if n := len(all) - most; n > 0 {
		return fmt.Sprintf("%s, and %d more", strings.Join(all[:most], ", "), n)
	}
	return and(all)
}

// and joins words: "a, b and c".
func and(all []string) string {
	if n := len(all); n > 1 {
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
	return strings.Join(all, "")
}

// clip is a text that may be another's, short enough for a sentence.
func clip(s string) string {
	const most = 120 // runes
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// span is a time in milliseconds in words: "312 ms", "0.4 ms", "1.2 s".
func span(ms float64) string {
	switch {
	case ms <= 0 || math.IsNaN(ms):
		return "0 ms"
	case ms < 0.05:
		return "less than 0.1 ms"
	case ms < 0.95:
		return digits(ms, 1) + " ms"
	case ms < 999.5:
		return digits(ms, 3) + " ms"
	case ms < 9950:
		return digits(ms/1000, 2) + " s"
	}
	return count(ms/1000) + " s"
}

// digits is a number above 0 to its first so many digits, never as a power of ten, without zeros at the end.
func digits(n float64, most int) string {
	if n >= math.Pow10(most-1) {
		return count(n)
	}
	places := min(20, most-1-int(math.Floor(math.Log10(n))))
	s := strconv.FormatFloat(n, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// count is a whole number, with thin spaces between thousands, as the page writes it.
func count(n float64) string {
	s := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// aSecond is a rate: "19.5 a second", "41 000 a second".
func aSecond(n float64) string {
	switch {
	case n <= 0 || math.IsNaN(n):
		return "0 a second"
	case n < 0.1:
		return "less than 0.1 a second"
	case n < 1000:
		return digits(n, 3) + " a second"
	}
	step := math.Pow10(int(math.Floor(math.Log10(n))) - 2) // three digits are what a short run measures
	return count(math.Round(n/step)*step) + " a second"
}

// size is a number of bytes as the page writes it: "2.4 MB".
func size(n float64) string {
	if n < 1000 {
		if n == 1 {
			return "1 byte"
		}
		return count(n) + " bytes"
	}
	units := []string{"KB", "MB", "GB", "TB"}
	i := min(len(units)-1, int(math.Floor(math.Log10(n)/3))-1)
	x := n / math.Pow(1000, float64(i+1))
	if x >= 999.5 && i < len(units)-1 {
		return "1 " + units[i+1]
	}
	return digits(x, 3) + " " + units[i]
}

// euros is a price as the page writes it: "€12.34", "3 cents".
func euros(n float64) string {
	switch {
	case n <= 0 || math.IsNaN(n):
		return "0 cents"
	case n >= 1000:
		return "€" + count(n)
	case n >= 0.995:
		return fmt.Sprintf("€%.2f", n)
	}
	cents := digits(n*100, 2)
	if cents == "1" {
		return "1 cent"
	}
	return cents + " cents"
}

// times is how many times one is another: whole from 2 on.
func times(n float64) string {
	switch {
	case n >= 2:
		return count(n) + " times"
	case n >= 0.95:
		return fmt.Sprintf("%.1f times", n)
	}
	return digits(n, 1) + " times"
}
