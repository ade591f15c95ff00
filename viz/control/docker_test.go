//go:build containers

package control_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/control/controltest"
	"github.com/stillup/stillup/viz/world"
)

// dockerImage holds the test node and the program with the gates.
const dockerImage = "stillup-control-test"

// buildDockerImage makes the image once; what it is made of is built here, so nothing has to be pulled.
var buildDockerImage = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "stillup-control-test")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, args := range [][]string{
		{"test", "-c", "-tags", "containers", "-o", filepath.Join(dir, "node"), "."},
		{"build", "-trimpath", "-o", filepath.Join(dir, "stillup"), "../.."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	file := "FROM scratch\nCOPY node stillup /\nENV CONTROL_TEST_ROLE=node\nENTRYPOINT [\"/node\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(file), 0o644); err != nil {
		return err
	}
	out, err := exec.Command("docker", "build", "-q", "-t", dockerImage, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("docker build: %w\n%s", err, out)
	}
	return nil
})

// docker runs the engine's command line and gives what it prints.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// dockerLab is a network with two nodes and their gates, all in containers.
type dockerLab struct {
	project, gates string // the latter an address
}

// newDockerLab makes the containers; the nodes are not started. ownFaults: the node does slow and errors itself, as services do.
func newDockerLab(t *testing.T, ownFaults bool) *dockerLab {
	t.Helper()
	if err := buildDockerImage(); err != nil {
		t.Fatal(err)
	}
	l := &dockerLab{project: "stillup-control-test-" + strconv.FormatBool(ownFaults)}
	l.remove()
	t.Cleanup(l.remove)
	docker(t, "network", "create", "--internal", "--label", "com.docker.compose.project="+l.project,
		"--label", "com.docker.compose.network=peers", l.project)
	docker(t, "run", "-d", "--name", l.project+"-gates", "--network", l.project, "--network-alias", "node-gate", "--network-alias", "peer-gate",
		"--label", "com.docker.compose.project="+l.project, "--entrypoint", "/stillup", dockerImage, "gates", "--admin", ":7000",
		"--gate", "node=node-gate:7001=node:7001", "--gate", "peer=peer-gate:7002=peer:7002")
	ip := docker(t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", l.project+"-gates")
	if _, err := netip.ParseAddr(ip); err != nil {
		t.Fatalf("the gates have no address: %v\n%s", err, docker(t, "logs", l.project+"-gates"))
	}
	l.gates = ip
	own := ""
	if ownFaults {
		own = "/faults"
	}
	l.create(t, "node", "1", "7001", own, "PEER=peer-gate:7002")
	l.create(t, "peer", "1", "7002", "")
	return l
}

// create makes a container of a node.
func (l *dockerLab) create(t *testing.T, node, number, port, faults string, env ...string) {
	t.Helper()
	args := []string{"create", "--name", l.project + "-" + node + number, "--network", l.project, "--network-alias", node, "--memory", "64m", "--cpus", "0.5"}
	for label, value := range map[string]string{"com.docker.compose.project": l.project, "com.docker.compose.service": node,
		"com.docker.compose.container-number": number, control.LabelNode: node, control.LabelKind: "service", control.LabelNetworks: "peers",
		control.LabelPort: port, control.LabelGate: "http://" + l.gates + ":7000/gates/" + node, control.LabelFaults: faults} {
		if value != "" {
			args = append(args, "--label", label+"="+value)
		}
	}
	for _, e := range append(env, "ADDR=:"+port) {
		args = append(args, "--env", e)
	}
	docker(t, append(args, dockerImage)...)
}

// remove takes all away that is left of the lab, of an earlier run too.
func (l *dockerLab) remove() {
	out, _ := exec.Command("docker", "ps", "-aq", "--filter", "label=com.docker.compose.project="+l.project).Output()
	if ids := strings.Fields(string(out)); len(ids) > 0 {
		_ = exec.Command("docker", append([]string{"rm", "-f", "-v"}, ids...)...).Run()
	}
	_ = exec.Command("docker", "network", "rm", l.project).Run() // there may be none
}

// runtime is a new runtime over the lab, which knows its nodes.
func (l *dockerLab) runtime(t *testing.T) *control.Docker {
	t.Helper()
	d, err := control.NewDocker(control.DockerOptions{Project: l.project})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	s := controltest.Watch(t, d)
	s.Await(t, 10*time.Second, "the engine answers", func(_ map[string]world.NodeSeen, c world.ControlSeen) bool { return c.Can })
	return d
}

// fixture is the lab with all nodes dead and in their networks.
func (l *dockerLab) fixture(t *testing.T) controltest.Fixture {
	d := l.runtime(t)
	for _, node := range []string{"node", "peer"} {
		_ = d.Do(t.Context(), node, control.Action{Verb: control.Kill}) // it may be dead already
	}
	ask := func(ctx context.Context, port, path string) (string, error) {
		return get(ctx, "http://"+l.gates+":"+port+path)
	}
	return controltest.Fixture{Runtime: d, Node: "node", Peer: "peer",
		Ask: func(ctx context.Context) error { _, err := ask(ctx, "7001", "/"); return err },
		Heard: func(ctx context.Context) (n int, err error) {
			text, err := ask(ctx, "7002", "/heard")
			if err == nil {
				n, err = strconv.Atoi(text)
			}
			return n, err
		},
		Murder: func(t *testing.T) { docker(t, "kill", l.project+"-node1") }}
}

// TestContainersConformance runs the suite over containers: a node that is made slow and failing by its gate, as stores are,
// and one that does so itself, as services do.
func TestContainersConformance(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("faults of its own %v", own), func(t *testing.T) {
			l := newDockerLab(t, own)
			controltest.Conformance(t, l.fixture)
		})
	}
}
