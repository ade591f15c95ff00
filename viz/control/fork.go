package control

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// forker starts all children from one thread that lives as long as they may: Linux's parent-death signal is sent when
// the forking thread ends, not the process.
type forker struct {
	jobs chan func()
	wg   sync.WaitGroup // the goroutines that reap and that wait for readiness
	done chan struct{}
}

func newForker() *forker {
	f := &forker{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine, after close
		defer close(f.done)
		for job := range f.jobs {
			job()
		}
	}()
	return f
}

// close waits for every child to be reaped, then ends the thread. All children must be dead or dying.
func (f *forker) close() {
	f.wg.Wait()
	close(f.jobs)
	<-f.done
}

// command is a started child.
type command struct{ cmd *exec.Cmd }

func (f *forker) start(p Process, log *os.File) (*command, error) {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Dir = p.Dir
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		if v, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, p.Env...)
	cmd.Stdout, cmd.Stderr = log, log // files, so that Wait does not wait for grandchildren
	attr := &syscall.SysProcAttr{Setpgid: true}
	if p.UID != 0 {
		attr.Credential = &syscall.Credential{Uid: p.UID, Gid: p.GID}
	}
	dieWithParent(attr)
	cmd.SysProcAttr = attr
	err := make(chan error)
	f.jobs <- func() { err <- cmd.Start() }
	if err := <-err; err != nil {
		return nil, err
	}
	return &command{cmd: cmd}, nil
}

func (c *command) pid() int { return c.cmd.Process.Pid }

func (c *command) wait() *os.ProcessState {
	_ = c.cmd.Wait() // what it says is in the state
	return c.cmd.ProcessState
}

func (c *command) signal(s syscall.Signal) error { return c.cmd.Process.Signal(s) }

// kill kills the child and all that descends from it, as the kill of a container does, and returns when those below it
// are gone: a Postgres worker that lingers would keep its successor from starting. The child itself is reaped by wait.
func (c *command) kill() {
	below := descendants(c.pid())
	_ = c.cmd.Process.Kill()
	c.signalBelow(syscall.SIGKILL, below)
	linger(func() bool { return !slices.ContainsFunc(below, alive) })
}

// pause stops the child and all that descends from it, and returns when none of them does anything any more. The child
// comes first, and those below are looked for until there are no new ones: what runs may still have children.
func (c *command) pause() error {
	if err := c.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var all []int
	for fresh := descendants(c.pid()); ; {
		c.signalBelow(syscall.SIGSTOP, fresh)
		linger(func() bool { return !runs(c.pid()) && !slices.ContainsFunc(fresh, runs) })
		all = append(all, fresh...)
		fresh = slices.DeleteFunc(descendants(c.pid()), func(pid int) bool { return slices.Contains(all, pid) })
		if len(fresh) == 0 {
			return nil
		}
	}
}

// resume lets the child and all that descends from it go on, the child last, so that it finds those below alive.
func (c *command) resume() {
	c.signalBelow(syscall.SIGCONT, descendants(c.pid()))
	_ = c.signal(syscall.SIGCONT) // it fails only on a child that is dead
}

// signalBelow signals the child's process group and the processes below it.
func (c *command) signalBelow(s syscall.Signal, below []int) {
	_ = syscall.Kill(-c.pid(), s)
	for _, pid := range below {
		_ = syscall.Kill(pid, s)
	}
}

// linger waits until a signal that cannot be ignored has had its effect.
func linger(done func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range lingerTicks {
		if done() {
			return
		}
		<-tick.C
	}
}

// lingerTicks bounds how many milliseconds are waited: such a signal takes effect at once but where the disk holds a
// process.
const lingerTicks = 2000

// alive says whether a process is there; one that is dead and not reaped yet is not.
func alive(pid int) bool { return !strings.ContainsRune("ZX\x00", rune(stateOf(pid))) }

// runs says whether a process is alive and not stopped.
func runs(pid int) bool { return alive(pid) && !strings.ContainsRune("Tt", rune(stateOf(pid))) }
