//go:build containers

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// healthyWithin bounds the wait for all containers: a check comes every 10 s, and on a busy machine the first may fail.
const healthyWithin = 2 * time.Minute

// composed is the compose file brought up as a project of its own, which ends with the test.
type composed struct {
	t       *testing.T
	project string
	base    string // the dashboard's address
	files   []string
	env     []string
}

// bringUp starts the compose file with stand-ins for what the engine has not, waits until every container is healthy, and
// returns it; args are added to "up", such as --scale. Its containers, networks and volumes are gone after the test.
func bringUp(t *testing.T, args ...string) *composed {
	t.Helper()
	c := newComposed(t)
	ourImage(t)
	c.up(args...)
	return c
}

// newComposed prepares a project; nothing runs yet.
func newComposed(t *testing.T) *composed {
	t.Helper()
	port := freePort(t)
	c := &composed{t: t, project: fmt.Sprintf("stillup-test-%d-%s", os.Getpid(), port), base: "http://127.0.0.1:" + port}
	c.files = []string{"docker-compose.yml", override(t)}
	c.env = append(os.Environ(), "STILLUP_PORT="+port, "STILLUP_VERSION="+ourVersion)
	t.Cleanup(func() {
		// The test's own context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			out, _ := c.command(ctx, "logs", "--no-color", "--tail", "5").CombinedOutput()
			t.Logf("the containers' logs:\n%s", out)
		}
		out, err := c.command(ctx, "down", "-v", "--timeout", "1").CombinedOutput()
		if err != nil && strings.Contains(string(out), "has active endpoints") {
			err = c.sweep(ctx)
		}
		if err != nil {
			t.Errorf("compose down: %v\n%s", err, out)
		}
	})
	return c
}

// sweep removes what "down" leaves where the engine counts an endpoint of no container in a network, as Docker 20.10 does now
// and then after containers were cut off: Compose ends there. That network stays until the engine is started again.
func (c *composed) sweep(ctx context.Context) error {
	of := "label=com.docker.compose.project=" + c.project
	left, err := exec.CommandContext(ctx, "docker", "ps", "-aq", "--filter", of).Output()
	if err != nil {
		return fmt.Errorf("docker ps: %w", err)
	}
	if len(left) > 0 {
		return fmt.Errorf("containers are left: %s", left)
	}
	for _, kind := range []string{"volume", "network"} {
		ids, err := exec.CommandContext(ctx, "docker", kind, "ls", "-q", "--filter", of).Output()
		if err != nil {
			return fmt.Errorf("docker %s ls: %w", kind, err)
		}
		for _, id := range strings.Fields(string(ids)) {
			out, err := exec.CommandContext(ctx, "docker", kind, "rm", id).CombinedOutput()
			switch {
			case err != nil && kind == "network" && strings.Contains(string(out), "has active endpoints"):
				c.t.Logf("the engine keeps a network until it is started again: %s", out)
			case err != nil:
				return fmt.Errorf("docker %s rm %s: %w: %s", kind, id, err, out)
			}
		}
	}
	return nil
}

// override is a compose file that puts the stand-ins in place of the images that the engine has not.
func override(t *testing.T) string {
	t.Helper()
	made := standIns(t)
	text := "services:\n"
	for _, s := range composeFile(t).Services {
		if standIn := made[s.Image]; standIn != "" {
			text += fmt.Sprintf("  %s: {image: %q}\n", s.Name, standIn)
		}
	}
	if len(made) == 0 {
		text = "services: {}\n"
	}
	path := filepath.Join(t.TempDir(), "override.yml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is Compose's command line for this project: version 2 where there is one, else docker-compose.
func (c *composed) command(ctx context.Context, args ...string) *exec.Cmd {
	head := []string{"docker-compose"}
	if exec.CommandContext(ctx, "docker", "compose", "version").Run() == nil {
		head = []string{"docker", "compose"}
	}
	head = append(head, "-p", c.project)
	for _, f := range c.files {
		head = append(head, "-f", f)
	}
	cmd := exec.CommandContext(ctx, head[0], append(head[1:], args...)...)
	cmd.Env = c.env
	return cmd
}

// up runs "up" and waits until all containers of the project are healthy.
func (c *composed) up(args ...string) {
	c.t.Helper()
	begun := time.Now()
	if out, err := c.command(c.t.Context(), append([]string{"up", "-d", "--no-build"}, args...)...).CombinedOutput(); err != nil {
		c.t.Fatalf("compose up: %v\n%s", err, out)
	}
	started := time.Since(begun)
	ctx, cancel := context.WithTimeout(c.t.Context(), healthyWithin)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		all, waiting := c.states()
		if len(waiting) == 0 {
			c.t.Logf("%d containers started in %.1f s, all healthy after %.1f s", len(all), started.Seconds(), time.Since(begun).Seconds())
			return
		}
		for _, state := range waiting {
			if strings.Contains(state, ": Exited") {
				c.t.Fatalf("it has ended: %s", state)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("not healthy after %v: %s", healthyWithin, strings.Join(waiting, ", "))
		}
	}
}

// states are the project's containers, each as "name: Up 3 seconds (healthy)", and those of them that are not healthy.
func (c *composed) states() (all, unhealthy []string) {
	c.t.Helper()
	out := docker(c.t, "ps", "-a", "--filter", "label=com.docker.compose.project="+c.project, "--format", "{{.Names}}: {{.Status}}")
	if out == "" {
		c.t.Fatal("compose up started no container")
	}
	all = strings.Split(out, "\n")
	healthy := func(state string) bool { return strings.HasSuffix(state, "(healthy)") }
	return all, slices.DeleteFunc(slices.Clone(all), healthy)
}

// containers are the ids of a service's containers.
func (c *composed) containers(service string) []string {
	c.t.Helper()
	return strings.Fields(docker(c.t, "ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project="+c.project,
		"--filter", "label=com.docker.compose.service="+service))
}

// freePort is a port of this machine that nothing listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String()) // it is one
	return port
}
