package control_test

import (
	"slices"
	"testing"

	"github.com/stillup/stillup/viz/control"
)

func TestEnvironment(t *testing.T) {
	p, err := control.NewProcesses([]control.Process{{ID: "a", Path: "/bin/sleep", Env: []string{"X=1", "Y=2"}}, {ID: "b", Path: "/bin/sleep"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := p.Environment("a")
	if !slices.Equal(got, []string{"X=1", "Y=2"}) {
		t.Errorf("a was given %q", got)
	}
	got[0] = "changed"
	if p.Environment("a")[0] != "X=1" || len(p.Environment("b")) != 0 || p.Environment("nobody") != nil {
		t.Error("the environment is not its own, or somebody else's")
	}
}
