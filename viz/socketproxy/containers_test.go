//go:build containers

package socketproxy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// idle is a program that waits to be ended.
const idle = `package main

import ("os"; "os/signal"; "syscall")

func main() { c := make(chan os.Signal, 1); signal.Notify(c, syscall.SIGTERM); println("waits"); <-c }
`

// TestContainersProxied has the official client look at, and act on, containers of the project through the proxy: on those
// of the project it succeeds, and sees what happens to them; of others it sees and does nothing.
func TestContainersProxied(t *testing.T) {
	project, other := "stillup-socketproxy-test", "stillup-socketproxy-other"
	image := project + ":test"
	buildIdle(t, image)
	ownNet := docker(t, "network", "create", "--internal", "--label", projectLabel+"="+project, project)
	defer docker(t, "network", "rm", ownNet)
	own := docker(t, "run", "-d", "--name", project, "--network", project, "--label", projectLabel+"="+project, "--label", label+"=own", image)
	defer docker(t, "rm", "-f", own)
	foreign := docker(t, "run", "-d", "--name", other, "--network", project, "--label", projectLabel+"="+other, "--label", label+"=own", image)
	defer docker(t, "rm", "-f", foreign)

	address, _ := served(t, Options{Socket: "/var/run/docker.sock", Project: project})
	c, err := client.New(client.WithHost("tcp" + strings.TrimPrefix(address, "http")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	list, err := c.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != own {
		t.Errorf("the list of containers: %v, %v", list.Items, err)
	}
	nets, err := c.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil || len(nets.Items) != 1 || nets.Items[0].ID != ownNet {
		t.Errorf("the list of networks: %v, %v", nets.Items, err)
	}
	if in, err := c.ContainerInspect(ctx, project, client.ContainerInspectOptions{}); err != nil || in.Container.ID != own {
		t.Errorf("inspect: %v, %v", in.Container.ID, err)
	}

	watching, stop := context.WithCancel(ctx)
	defer stop()
	events := c.Events(watching, client.EventsListOptions{})
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	docker(t, "pause", foreign) // none of this is to be seen
	docker(t, "unpause", foreign)
	docker(t, "network", "disconnect", ownNet, foreign)
	_, err = c.ContainerPause(ctx, own, client.ContainerPauseOptions{})
	do("pause", err)
	_, err = c.ContainerUnpause(ctx, own, client.ContainerUnpauseOptions{})
	do("unpause", err)
	_, err = c.NetworkDisconnect(ctx, ownNet, client.NetworkDisconnectOptions{Container: own, Force: true})
	do("disconnect", err)
	_, err = c.NetworkConnect(ctx, ownNet, client.NetworkConnectOptions{Container: own, EndpointConfig: &network.EndpointSettings{Aliases: []string{"own"}}})
	do("connect", err)
	_, err = c.ContainerKill(ctx, own, client.ContainerKillOptions{Signal: "KILL"})
	do("kill", err)

	var saw []string
	for !slices.Contains(saw, "container die") {
		select {
		case e := <-events.Messages:
			if id := e.Actor.Attributes["container"]; e.Actor.ID != own && id != own {
				t.Errorf("saw %s %s of %s %s", e.Type, e.Action, e.Actor.ID, id)
			}
			saw = append(saw, string(e.Type)+" "+string(e.Action))
		case err := <-events.Err:
			t.Fatalf("the events ended: %v, after %q", err, saw)
		}
	}
	want := []string{"container pause", "container unpause", "network disconnect", "network connect", "container kill", "container die"}
	if got := slices.Compact(saw); !slices.Equal(got, want) { // engine 20.10 tells a disconnect twice
		t.Errorf("saw %q, want %q", got, want)
	}
	if aliases := docker(t, "inspect", "-f", "{{json .NetworkSettings.Networks}}", own); !strings.Contains(aliases, `"own"`) {
		t.Errorf("connected without its alias: %s", aliases)
	}

	refused := map[string]error{}
	_, refused["inspect"] = c.ContainerInspect(ctx, foreign, client.ContainerInspectOptions{})
	_, refused["pause"] = c.ContainerPause(ctx, foreign, client.ContainerPauseOptions{})
	_, refused["kill"] = c.ContainerKill(ctx, foreign, client.ContainerKillOptions{})
	_, refused["connect"] = c.NetworkConnect(ctx, ownNet, client.NetworkConnectOptions{Container: foreign})
	_, refused["remove own"] = c.ContainerRemove(ctx, own, client.ContainerRemoveOptions{})
	for what, err := range refused {
		if err == nil || !strings.Contains(err.Error(), "is not allowed here") {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	if state := docker(t, "inspect", "-f", "{{.State.Status}}", foreign); state != "running" {
		t.Errorf("the foreign container is %s", state)
	}
}

// buildIdle makes an image with nothing but a program that waits, until the test ends.
func buildIdle(t *testing.T, image string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": idle, "go.mod": "module idle\n", "Dockerfile": "FROM scratch\nCOPY idle /idle\nENTRYPOINT [\"/idle\"]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "idle", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	docker(t, "build", "-q", "-t", image, dir)
	t.Cleanup(func() { docker(t, "rmi", image) })
}

// docker runs the engine's own command, past the proxy, and gives what it says.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command("docker", args...) // also when the test's context is over: it cleans up
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("docker %v: %v: %s", args, err, errs.String())
	}
	return strings.TrimSpace(out.String())
}
