package control

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
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
	_ = syscall.Kill(-c.pid(), syscall.SIGKILL)
	for _, pid := range below {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range lingerTicks {
		if !slices.ContainsFunc(below, alive) {
			return
		}
		<-tick.C
	}
}

// lingerTicks bounds how many milliseconds kill waits: SIGKILL takes effect at once but where the disk holds a process.
const lingerTicks = 2000
