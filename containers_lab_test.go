//go:build containers

package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// seenWithin is how soon the map shows what others did to a container, in the median.
const seenWithin = 200 * time.Millisecond

// TestContainersLab brings the compose file up once, and does to it what a person would: from the page, with docker, by
// scaling it out and by taking the engine's socket away.
func TestContainersLab(t *testing.T) {
	c := bringUp(t)
	system, err := world.ParseSystem(services.System)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{stack: &stack{system: system}, t: t, base: c.base}
	l.eventually(20*time.Second, "all nodes are up", l.allUp)
	l.eventually(60*time.Second, "every cell works", l.allWork)
	for _, part := range []struct {
		name string
		test func(t *testing.T, l *lab, c *composed)
	}{
		{"stores are reached by those that may", apart},
		{"the engine is reached for what may be", proxied},
		{"each node killed from the page", killedFromThePage},
		{"paused, cut off, slow and failing", otherFaults},
		{"killed with docker", killedOutside},
		{"logs, limits and use", looked},
		{"three replicas", scaled},
		{"without the socket", withoutSocket},
		{"every copy is as its owner has it", sameInAll},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			l.t, c.t = t, t
			// A traffic that two slow cores carry beside all this.
			l.load(map[string]any{"per_second": 3, "features": map[string]float64{"sign-up": 0.5, "top-sellers": 1}})
			part.test(t, l, c)
		})
		l.t, c.t = t, t
		if !ok {
			l.restore() // the next one begins in good order
			l.eventually(30*time.Second, "every cell works", l.allWork)
		}
	}
}

// calmPage opens the dashboard in a browser that leaves two cores to the containers.
func calmPage(t *testing.T, l *lab) *page {
	t.Helper()
	p := openPage(t, "about:blank")
	p.calm()
	p.do(chromedp.Navigate(l.base))
	return p
}

// apart: the networks keep a service from the stores that it has no business with.
func apart(t *testing.T, _ *lab, c *composed) {
	for _, try := range []struct {
		from, to string
		reaches  bool
	}{
		{"users", "users-db:5432", true}, // connected, and not understood
		{"users", "orders-db:5432", false},
		{"users", "orders-db-gate:5432", false},
		{"orders", "purchases-db-gate:27017", false},
		{"orders", "stock-db-gate:6379", true},
		{"monolith", "bus-gate:6379", false},
		{"users", "socket-proxy:2375", false},
	} {
		out, err := c.command(t.Context(), "exec", "-T", try.from, "/stillup", "health", "http://"+try.to).CombinedOutput()
		if err == nil {
			t.Errorf("%s says over HTTP that it is healthy", try.to)
		}
		if reached := !unreached.Match(out); reached != try.reaches {
			t.Errorf("%s to %s: %s, want it to be reached: %v", try.from, try.to, out, try.reaches)
		}
	}
}

// unreached is said where a name is not known in a network; the engine's name server may take its time to say so.
var unreached = regexp.MustCompile(`lookup|does not answer`)

// proxied: what comes by way of the socket proxy to the real engine is looked at, and touches nothing else.
func proxied(t *testing.T, _ *lab, c *composed) {
	foreign := docker(t, "create", "--label", control.LabelNode+"=users", "stillup:"+ourVersion, "version")
	defer docker(t, "rm", foreign)
	plain := c.containers("gates")[0] // of the project, and no node
	for path, says := range map[string]string{
		"/_ping":                       "",
		"/containers/json":             "",
		"/v1.41/containers/json?all=1": "",
		"/networks":                    "",
		"/containers/" + c.containers("users")[0] + "/json": "",
		"/images/json":                     "403",
		"/info":                            "403",
		"/containers/" + foreign + "/json": "403",
		"/containers/" + plain + "/json":   "403",
		"/containers/" + plain + "/export": "403",
	} {
		out, err := exec.CommandContext(t.Context(), "docker", "run", "--rm", "--network", c.project+"_control", "stillup:"+ourVersion,
			"health", "http://socket-proxy:2375"+path).CombinedOutput()
		if allowed := err == nil; allowed != (says == "") || !strings.Contains(string(out), says) {
			t.Errorf("GET %s: %v %s, want %q", path, err, out, says)
		}
	}
}

// killedFromThePage kills every node in turn with its button in a real browser; the matrix is what the declared
// dependencies say, as it is with processes.
func killedFromThePage(t *testing.T, l *lab, _ *composed) {
	p := calmPage(t, l)
	p.until(20*time.Second, "every cell works", cellsAre(`() => true`, "works"))
	state := func(id, want string) string {
		return fmt.Sprintf(`document.querySelector('[data-node=%q]').dataset.state === %q`, id, want)
	}
	var toFault, toRestore []float64
	for _, n := range l.system.Nodes {
		if n.Later {
			continue // it has not joined
		}
		t.Run("kill "+n.ID, func(t *testing.T) {
			l.t, p.t = t, t
			begun := time.Now()
			p.press("Kill " + n.ID)
			agreed, err := l.holds(faultWithin, "the matrix is as declared", func() error { return l.asDeclared(n.ID) })
			p.until(2*time.Second, "the page shows it dead", state(n.ID, "down"))
			lost := agreed.Sub(begun)
			begun = time.Now()
			p.press("Start " + n.ID)
			if err != nil {
				t.Error(err)
			}
			agreed, err = l.holds(restoreWithin, "every cell works", l.allWork)
			if err != nil {
				t.Fatal(err)
			}
			p.until(2*time.Second, "the page shows it up", state(n.ID, "up"))
			toFault, toRestore = append(toFault, lost.Seconds()), append(toRestore, agreed.Sub(begun).Seconds())
		})
		l.t, p.t = t, t
		l.eventually(20*time.Second, "every cell works", l.allWork)
	}
	if len(toFault) > 0 {
		t.Logf("%d nodes killed; as declared after %.1f s (median) and %.1f s (worst), all works again after %.1f s and %.1f s",
			len(toFault), quantile(toFault, 0.5), slices.Max(toFault), quantile(toRestore, 0.5), slices.Max(toRestore))
	}
}

// otherFaults: the same table for a service, a store and the bus, paused and cut off; and slow and failing ones.
func otherFaults(t *testing.T, l *lab, _ *composed) {
	for _, node := range []string{"catalog", "users-db", "purchases-db", services.Bus} {
		for _, f := range faults[1:] {
			t.Run(f.verb+" "+node, func(t *testing.T) {
				l.t = t
				lost, found, err := l.outage(node, f.verb, f.undo)
				if err != nil {
					t.Error(err)
					return
				}
				t.Logf("as declared after %s, all works again after %s", lost.Round(time.Millisecond), found.Round(time.Millisecond))
			})
			l.t = t
			l.eventually(20*time.Second, "every cell works", l.allWork)
		}
	}
	for _, node := range []string{"catalog", "users-db"} {
		l.post("/api/v1/nodes/"+node+"/slow", map[string]any{"latency_ms": 300})
		l.eventually(10*time.Second, node+" makes requests slow", func() error { return l.cell("my-purchases", "sync", world.Slow) })
		l.do(node, "heal")
		l.eventually(10*time.Second, "every cell works", l.allWork)
		l.post("/api/v1/nodes/"+node+"/errors", map[string]any{"share": 1})
		l.eventually(10*time.Second, node+" makes requests fail", func() error { return l.cell("my-purchases", "sync", world.Fails) })
		l.do(node, "heal")
		l.eventually(10*time.Second, "every cell works", l.allWork)
	}
}

// killedOutside: a container that others kill is seen at once.
func killedOutside(t *testing.T, l *lab, c *composed) {
	var took []float64
	for range 5 {
		id := c.containers("catalog")[0]
		docker(t, "kill", id)
		begun := time.Now() // the engine has said that it is done
		l.eventually(2*time.Second, "the map shows it", func() error { return l.state("catalog", world.Down) })
		took = append(took, float64(time.Since(begun).Milliseconds()))
		docker(t, "start", id)
		l.eventually(10*time.Second, "it is up", func() error { return l.state("catalog", world.Up) })
	}
	median := quantile(took, 0.5)
	t.Logf("seen after %.0f ms (median) and %.0f ms (worst) from the end of docker kill", median, slices.Max(took))
	if limit := float64(seenWithin.Milliseconds()); median > limit {
		t.Errorf("the map shows it after %.0f ms (median), want %.0f", median, limit)
	}
	l.eventually(20*time.Second, "every cell works", l.allWork)
}

// looked: what the engine knows of a container is on its card and in its inspector.
func looked(t *testing.T, l *lab, _ *composed) {
	var logs struct{ Lines []struct{ At, Text string } }
	if _, err := l.call(http.MethodGet, "/api/v1/nodes/catalog/logs?lines=50", nil, &logs); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(logs.Lines, func(line struct{ At, Text string }) bool {
		return strings.Contains(line.Text, "serving") && line.At != ""
	}) {
		t.Errorf("the log of catalog does not say that it serves: %+v", logs)
	}
	l.eventually(20*time.Second, "every node says what it uses, within its limits", func() error {
		var w struct{ Nodes []world.Node }
		if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
			return err
		}
		for _, n := range w.Nodes {
			if n.Use == nil || n.Use.Memory <= 0 || n.Use.MemoryLimit < n.Use.Memory || n.Use.CPULimit != 1 {
				return fmt.Errorf("%s uses %+v", n.ID, n.Use)
			}
		}
		return nil
	})
}

// scaled: replicas share the work, and what a dead one held the others take over.
func scaled(t *testing.T, l *lab, c *composed) {
	c.up("--scale", "purchases=3")
	l.eventually(20*time.Second, "purchases has three replicas", func() error { return l.replicas("purchases", 3) })
	p := calmPage(t, l)
	p.until(10*time.Second, "one card with three lights", `document.querySelectorAll('[data-node="purchases"] .light').length === 3`)
	// A store that takes its time has events wait unacknowledged.
	l.post("/api/v1/nodes/purchases-db/slow", map[string]any{"latency_ms": 1500})
	l.eventually(30*time.Second, "replica 2 holds events", func() error { return l.holdsEvents("purchases", "2") })
	docker(t, "kill", c.replica("purchases", "2"))
	l.eventually(2*time.Second, "two of three are up", func() error { return l.replicas("purchases", 2) })
	if *pictures {
		p.shots("docs", "containers")
	}
	p.until(20*time.Second, "the news tell what it held", `/purchases 2 was killed, holding \d+ event/.test(document.body.innerText)`)
	l.do("purchases-db", "heal")
	p.until(30*time.Second, "and that the others claimed it", `/that purchases 2 held (was|were) claimed by the others/.test(document.body.innerText)`)
	if _, err := l.call(http.MethodPost, "/api/v1/nodes/purchases/start?replica=2", nil, nil); err != nil {
		t.Fatal(err)
	}
	l.eventually(5*time.Second, "all three are up", func() error { return l.replicas("purchases", 3) })
	if _, err := l.call(http.MethodPost, "/api/v1/nodes/purchases/pause?replica=1", nil, nil); err != nil {
		t.Fatal(err)
	}
	l.eventually(2*time.Second, "one is paused", func() error { return l.replicas("purchases", 2) })
	l.restore()
	l.eventually(5*time.Second, "restore brings it back", func() error { return l.replicas("purchases", 3) })
	l.eventually(30*time.Second, "every cell works", l.allWork)
}

// withoutSocket: a dashboard that cannot reach the engine looks and does not touch, and says so.
func withoutSocket(t *testing.T, l *lab, c *composed) {
	proxy := c.containers("socket-proxy")[0]
	p := calmPage(t, l)
	p.until(10*time.Second, "nodes can be killed", `!!document.querySelector('button[aria-label="Kill users"]')`)
	defer docker(t, "start", proxy) // also where something fails; one that runs is left alone
	docker(t, "stop", "-t", "1", proxy)
	p.until(15*time.Second, "the page says that it only looks", `document.body.innerText.toLowerCase().includes('looking only')`)
	p.until(2*time.Second, "and offers nothing", `!document.querySelector('button[aria-label^="Kill "]')`)
	l.eventually(10*time.Second, "features are still measured", l.allWork)
	if status, err := l.call(http.MethodPost, "/api/v1/nodes/users/kill", nil, nil); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("a kill without an engine: %d %v", status, err)
	}
	docker(t, "start", proxy)
	p.until(15*time.Second, "nodes can be killed again", `!!document.querySelector('button[aria-label="Kill users"]')`)
	p.do(chromedp.Reload())
	p.until(10*time.Second, "every node is up", `[...document.querySelectorAll('[data-node]')].every((n) => n.dataset.state === 'up')`)
}

// post acts, and fails the test when that is refused.
func (l *lab) post(path string, body any) {
	l.t.Helper()
	if _, err := l.call(http.MethodPost, path, body, nil); err != nil {
		l.t.Fatal(err)
	}
}

// known is a node as the dashboard knows it.
func (l *lab) known(id string) (world.Node, error) {
	var w struct{ Nodes []world.Node }
	if _, err := l.call(http.MethodGet, "/api/v1/world", nil, &w); err != nil {
		return world.Node{}, err
	}
	i := slices.IndexFunc(w.Nodes, func(n world.Node) bool { return n.ID == id })
	if i < 0 {
		return world.Node{}, fmt.Errorf("no node %s", id)
	}
	return w.Nodes[i], nil
}

func (l *lab) state(id string, want world.State) error {
	n, err := l.known(id)
	if err == nil && n.State != want {
		err = fmt.Errorf("%s is %s: %s", id, n.State, n.Reason)
	}
	return err
}

// replicas checks that the node has three, and that so many of them are up.
func (l *lab) replicas(id string, up int) error {
	n, err := l.known(id)
	if err != nil {
		return err
	}
	is := 0
	for _, r := range n.Replicas {
		if r.State == world.Up {
			is++
		}
	}
	if len(n.Replicas) != 3 || is != up {
		return fmt.Errorf("%s: %d of %d replicas are up: %+v", id, is, len(n.Replicas), n.Replicas)
	}
	return nil
}

// holdsEvents checks that a replica holds unacknowledged events.
func (l *lab) holdsEvents(id, replica string) error {
	n, err := l.known(id)
	if err != nil {
		return err
	}
	for _, r := range n.Replicas {
		if r.ID == replica && r.Pending > 0 {
			return nil
		}
	}
	return fmt.Errorf("replica %s of %s holds nothing: %+v", replica, id, n.Replicas)
}

// replica is the container of a node's replica of that number.
func (c *composed) replica(service, number string) string {
	c.t.Helper()
	return docker(c.t, "ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project="+c.project,
		"--filter", "label=com.docker.compose.service="+service, "--filter", "label=com.docker.compose.container-number="+number)
}
