package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// StopGrace is how long a node may take to end after its gentle signal before it is killed.
const StopGrace = 10 * time.Second

// readyEvery is how often a starting node is asked whether it answers.
const readyEvery = 20 * time.Millisecond

// Process is a node that runs as a child process.
type Process struct {
	ID         string
	Path       string
	Args       []string       // without the program's name
	Env        []string       // "KEY=value", added to a minimal environment (PATH, HOME, TMPDIR, LANG)
	Dir        string         // working directory; empty: the launcher's
	UID, GID   uint32         // run as this user; 0: the launcher's own
	StopSignal syscall.Signal // gentle end; 0: SIGTERM
	LogFile    string         // its output goes here, begun anew by NewProcesses
	URL        string         // a service's base address, for world.NodeSeen
	Engine     string         // as shown: "Redis 7.0.15"
	Volatile   bool           // forgets its data on restart
	// Ready says whether it answers; asked until it does, after every start. nil: as soon as it runs.
	Ready func(ctx context.Context) error
	// SetFaults makes the process itself answer later and let a share of its requests fail; both zero for healthy. A
	// process forgets it when it ends. nil: its links do so in front of it.
	SetFaults func(ctx context.Context, latency time.Duration, errorShare float64) error
	Client    bool // it asks and is not asked, so that slow and errors would have no effect: it has not got them
}

// Link is a way of its own from one node to another, for cut, slow and errors: whoever is From reaches To by connecting
// to Listen, and that is forwarded to Upstream. From is empty for whoever is not a node.
type Link struct{ From, To, Listen, Upstream string }

// process is one node's life: at most one child at a time.
type process struct {
	Process
	to, from []*link    // the links that lead to it and from it
	act      sync.Mutex // held through an action, so that actions on a node come one after another
	doors    sync.Mutex // held while the links to it open or close

	mu     sync.Mutex // the last to be locked, links' own aside
	seen   world.NodeSeen
	child  *child // nil while down
	faults faults // in force on the child
	want   string // verb of the action under way, for the words of a death
}

// child is one run of a process.
type child struct {
	cmd   *command
	ended chan struct{} // closed when it is dead and reaped
	ready context.CancelFunc
	shut  error // why its links could not be opened, for which it is ended; guarded by the process' mu
}

func (p *process) start(ctx context.Context, f *forker, tell func()) error {
	log, err := openLog(p.LogFile)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.ID, err)
	}
	defer log.Close()
	cmd, err := f.start(p.Process, log)
	if err != nil {
		p.become(nil, world.Down, "could not be started: "+err.Error(), tell)
		return fmt.Errorf("start %s: %w", p.ID, err)
	}
	readyCtx, cancel := context.WithCancel(context.Background())
	c := &child{cmd: cmd, ended: make(chan struct{}), ready: cancel}
	p.mu.Lock()
	p.child, p.want = c, ""
	p.mu.Unlock()
	p.become(c, world.Starting, "", tell)
	f.wg.Go(func() { p.reap(c, tell) })
	up := make(chan struct{})
	f.wg.Go(func() { p.awaitReady(readyCtx, c, up, tell) })
	select {
	case <-up:
		return nil
	case <-c.ended:
		if c.shut != nil { // its writer came before the end
			return fmt.Errorf("start %s: %w", p.ID, c.shut)
		}
		return fmt.Errorf("start %s: it ended at once: %s", p.ID, p.now().Reason)
	case <-ctx.Done():
		return fmt.Errorf("start %s: it runs but does not answer yet: %w", p.ID, ctx.Err())
	}
}

// reap waits for the child's exit: a death is known from there, never from a time-out.
func (p *process) reap(c *child, tell func()) {
	state := c.cmd.wait()
	c.ready()
	p.mu.Lock()
	reason := p.deathWords(state)
	if c.shut != nil {
		reason = c.shut.Error()
	}
	p.child, p.faults = nil, faults{}
	p.mu.Unlock()
	p.closeLinks()
	p.refreshLinks()
	p.become(nil, world.Down, reason, tell)
	close(c.ended)
}

// awaitReady asks Ready until it answers, then opens the links, marks the node up and closes up. It gives up when the
// child ends, and ends it when a link cannot be opened.
func (p *process) awaitReady(ctx context.Context, c *child, up chan<- struct{}, tell func()) {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		if p.answers(ctx) {
			goes, err := p.openLinks(c, func() bool { return p.become(c, world.Up, "", tell) })
			switch {
			case err != nil:
				p.mu.Lock()
				c.shut = err
				p.mu.Unlock()
				c.cmd.kill()
			case goes:
				close(up)
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// end sends sig to the child and waits until it is dead; after grace it is killed.
func (p *process) end(ctx context.Context, verb string, sig syscall.Signal, grace time.Duration, tell func()) error {
	p.mu.Lock()
	c, paused := p.child, p.seen.State == world.Paused
	p.want = verb
	p.mu.Unlock()
	if c == nil {
		return fmt.Errorf("%s %s: it is dead: %w", verb, p.ID, ErrConflict)
	}
	if sig == syscall.SIGKILL {
		c.cmd.kill()
	} else if err := c.cmd.signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s %s: %w", verb, p.ID, err)
	} else if paused {
		c.cmd.resume() // it takes no notice of the signal before that
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.ended:
		return nil
	case <-timer.C:
		c.cmd.kill()
	case <-ctx.Done():
		if paused && sig != syscall.SIGKILL {
			p.become(c, world.Up, "", tell) // for how long it likes
		}
		return fmt.Errorf("%s %s: the signal is sent, it has not ended yet: %w", verb, p.ID, ctx.Err())
	}
	<-c.ended // SIGKILL cannot be ignored
	return nil
}

// pause silences the child and all below it.
func (p *process) pause(tell func()) error {
	p.mu.Lock()
	c, state := p.child, p.seen.State
	p.mu.Unlock()
	if state != world.Up {
		return fmt.Errorf("pause %s: it is %s: %w", p.ID, state, ErrConflict)
	}
	if err := c.cmd.pause(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("pause %s: %w", p.ID, err)
	}
	if !p.become(c, world.Paused, "", tell) {
		return p.ended(Pause)
	}
	return nil
}

// resume lets a paused child and all below it go on.
func (p *process) resume(tell func()) error {
	p.mu.Lock()
	c, state := p.child, p.seen.State
	p.mu.Unlock()
	if state != world.Paused {
		return fmt.Errorf("resume %s: it is %s: %w", p.ID, state, ErrConflict)
	}
	c.cmd.resume()
	if !p.become(c, world.Up, "", tell) {
		return p.ended(Resume)
	}
	return nil
}

// answers asks Ready once, for a second at most.
func (p *process) answers(ctx context.Context) bool {
	if p.Ready == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return p.Ready(ctx) == nil
}

// become sets the state of the run c, nil for none, and tells the watchers. It reports false, and changes nothing,
// where that run is over.
func (p *process) become(c *child, s world.State, reason string, tell func()) bool {
	p.mu.Lock()
	if p.child != c {
		p.mu.Unlock()
		return false
	}
	p.seen.At, p.seen.State, p.seen.Reason, p.seen.Faults = time.Now(), s, reason, p.faults.told()
	p.mu.Unlock()
	tell()
	return true
}

func (p *process) now() world.NodeSeen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// deathWords says why the child ended, in words for the card. The caller holds p.mu.
func (p *process) deathWords(s *os.ProcessState) string {
	if s == nil {
		return "ended"
	}
	ws, _ := s.Sys().(syscall.WaitStatus)
	switch {
	case p.want == Stop && !(ws.Signaled() && ws.Signal() == syscall.SIGKILL):
		return "stopped"
	case ws.Signaled():
		return fmt.Sprintf("killed (signal %d)", int(ws.Signal()))
	}
	words := fmt.Sprintf("exit code %d", ws.ExitStatus())
	if line := lastLine(p.LogFile); line != "" {
		words += ": " + line
	}
	return words
}

func openLog(path string) (*os.File, error) {
	if path == "" {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// lastLine is the last line of the log that is not empty, at most 200 bytes of it.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	const tail = 4096
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, min(st.Size(), tail))
	if _, err := f.ReadAt(b, st.Size()-int64(len(b))); err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.ToValidUTF8(lines[len(lines)-1][:min(200, len(lines[len(lines)-1]))], "")
}
