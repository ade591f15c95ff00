package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

// Of the compose file's services, those that are no nodes.
var composeExtras = []string{"gates", "socket-proxy", "viz"}

// laterProfile is the profile of nodes that are not there at first.
const laterProfile = "later"

// enginePorts are what the stores listen on in containers.
var enginePorts = map[string]string{stores.Postgres: "5432", stores.MongoDB: "27017", stores.Redis: "6379"}

// composeFile is docker-compose.yml as it stands, without anything of this machine's environment.
func composeFile(t *testing.T) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"docker-compose.yml"}, cli.WithName("stillup"), cli.WithProfiles([]string{laterProfile}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestComposeNodes: every node of the system file is a container with labels that say which, and where it is reached.
func TestComposeNodes(t *testing.T) {
	file := composeFile(t)
	system, err := world.ParseSystem(services.System)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(composeExtras)
	for _, n := range system.Nodes {
		want = append(want, n.ID)
		s := file.Services[n.ID]
		labels := map[string]string{control.LabelNode: n.ID, control.LabelKind: string(n.Kind), control.LabelPort: enginePorts[n.Engine],
			control.LabelGate: "http://gates:7000/gates/" + n.ID, control.LabelNetworks: s.Labels[control.LabelNetworks]}
		if later := slices.Equal(s.Profiles, []string{laterProfile}); later != n.Later || len(s.Profiles) > 0 && !later {
			t.Errorf("%s has the profiles %v; it comes later: %v", n.ID, s.Profiles, n.Later)
		}
		if n.Owner != "" {
			labels[control.LabelOwner] = n.Owner
		}
		if n.Engine == "" {
			labels[control.LabelPort] = strings.TrimPrefix(*s.Environment["STILLUP_ADDR"], ":")
			labels[control.LabelURL] = "http://" + n.ID + "-gate:" + labels[control.LabelPort]
			labels[control.LabelFaults] = "/faults"
		}
		if !maps.Equal(labels, s.Labels) {
			t.Errorf("%s has the labels %v, want %v", n.ID, s.Labels, labels)
		}
		if listed := sorted(strings.Split(s.Labels[control.LabelNetworks], ",")); !slices.Equal(listed, networksOf(s)) {
			t.Errorf("%s is labelled to be in %v and is in %v", n.ID, listed, networksOf(s))
		}
	}
	if got := slices.Sorted(maps.Keys(file.Services)); !slices.Equal(got, sorted(want)) {
		t.Errorf("the file has %v, want %v", got, sorted(want))
	}
}

// TestComposeNetworks: who is in a network with whom is what the services are declared to need, and no more.
func TestComposeNetworks(t *testing.T) {
	file := composeFile(t)
	want := map[string][]string{
		"gates":        {"peers", services.Bus},
		"viz":          {"front", "control", "peers", services.Bus},
		"socket-proxy": {"control"},
		services.Bus:   {services.Bus},
	}
	for _, n := range services.Wiring() {
		in := []string{"peers"}
		if n.Bus {
			in = append(in, services.Bus)
		}
		if n.Store != "" {
			in = append(in, n.Store)
			want[n.Store] = []string{n.Store}
			want["gates"] = append(want["gates"], n.Store)
			want["viz"] = append(want["viz"], n.Store)
		}
		want[n.Service] = append(in, n.Reaches...)
	}
	for name, s := range file.Services {
		if !slices.Equal(networksOf(s), sorted(want[name])) {
			t.Errorf("%s is in %v, want %v", name, networksOf(s), sorted(want[name]))
		}
	}
	for name, n := range file.Networks {
		if n.Internal != (name != "front") {
			t.Errorf("network %s: internal %v", name, n.Internal)
		}
	}
}

// TestComposeGates: one gate for each node, listening in the network where the node is, on the port of the node.
func TestComposeGates(t *testing.T) {
	file := composeFile(t)
	gates := file.Services["gates"]
	var want []string
	aliases := map[string][]string{}
	for name, s := range file.Services {
		if slices.Contains(composeExtras, name) {
			continue
		}
		gate := name + "-gate:" + s.Labels[control.LabelPort]
		want = append(want, "--gate="+name+"="+gate+"="+name+":"+s.Labels[control.LabelPort])
		in := "peers"
		if s.Labels[control.LabelURL] == "" {
			in = name // a store and the bus have a network each
		}
		aliases[in] = append(aliases[in], name+"-gate")
	}
	if got := sorted(gates.Command[1:]); gates.Command[0] != "gates" || !slices.Equal(got, sorted(want)) {
		t.Errorf("gates runs %v, want %v", gates.Command, sorted(want))
	}
	for network, in := range gates.Networks {
		if got := sorted(in.Aliases); !slices.Equal(got, sorted(aliases[network])) {
			t.Errorf("gates is called %v in %s, want %v", got, network, sorted(aliases[network]))
		}
	}
}

// TestComposeServices: each service is told by its environment what it needs, by gates alone, and nothing else.
func TestComposeServices(t *testing.T) {
	file := composeFile(t)
	address := func(node string) string {
		s := file.Services[node]
		if url := s.Labels[control.LabelURL]; url != "" {
			return url
		}
		at := "@" + node + "-gate:" + s.Labels[control.LabelPort] + "/"
		return map[string]string{
			"5432":  "postgres://shop:stillup" + at + "shop?sslmode=disable",
			"27017": "mongodb://" + at[1:] + "shop?directConnection=true&journal=true",
			"6379":  "redis://:stillup" + at + "0",
		}[s.Labels[control.LabelPort]]
	}
	addresses := func(nodes []string) map[string]string {
		all := map[string]string{}
		for _, n := range nodes {
			all[n] = address(n)
		}
		return all
	}
	for _, n := range services.Wiring() {
		s := file.Services[n.Service]
		cfg, err := services.FromEnv(n.Service, func(key string) string {
			if v := s.Environment[key]; v != nil {
				return *v
			}
			return ""
		})
		if err != nil {
			t.Error(err)
		}
		store, bus := "", ""
		if n.Store != "" {
			store = address(n.Store)
		}
		if n.Bus {
			bus = address(services.Bus)
		}
		if cfg.StoreURL != store || cfg.BusURL != bus || cfg.OTLPEndpoint != "http://viz:7070" {
			t.Errorf("%s: store %q, want %q; bus %q, want %q; traces go to %q", n.Service, cfg.StoreURL, store, cfg.BusURL, bus, cfg.OTLPEndpoint)
		}
		if !maps.Equal(cfg.Peers, addresses(n.Calls)) || !maps.Equal(cfg.OtherStores, addresses(n.Reaches)) {
			t.Errorf("%s calls %v, want %v; reaches %v, want %v", n.Service, cfg.Peers, addresses(n.Calls), cfg.OtherStores, addresses(n.Reaches))
		}
		if got := []string(s.Command); !slices.Equal(got, []string{"service", n.Service}) {
			t.Errorf("%s runs %v", n.Service, got)
		}
	}
}

// TestComposeLooks: the dashboard is told the address of every store, by its gate, as the store's own service is.
func TestComposeLooks(t *testing.T) {
	file := composeFile(t)
	want := map[string]string{}
	for _, n := range services.Wiring() {
		if n.Store != "" {
			want[n.Store] = *file.Services[n.Service].Environment["STILLUP_STORE"]
		}
	}
	got, err := services.Stores(*file.Services["viz"].Environment["STILLUP_STORES"])
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("the dashboard is told %v (%v), want %v", got, err, want)
	}
}

var fullVersion = regexp.MustCompile(`^[a-z]+:\d+\.\d+(\.\d+)?(-alpine)?$`)

// TestComposeIsModest: nothing can be reached from outside but the dashboard from this machine, none has rights or room
// that it does not need, what died stays dead, and every image is a known one.
func TestComposeIsModest(t *testing.T) {
	for name, s := range composeFile(t).Services {
		node := s.Labels[control.LabelNode] != ""
		if want := map[bool]string{true: "no", false: "unless-stopped"}[node]; s.Restart != want {
			t.Errorf("%s: restart %q, want %q", name, s.Restart, want)
		}
		if s.MemLimit <= 0 || s.CPUS <= 0 || s.PidsLimit <= 0 {
			t.Errorf("%s: memory %d, cpus %v, pids %d: all want a limit", name, s.MemLimit, s.CPUS, s.PidsLimit)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		if s.ContainerName != "" || s.Privileged || len(s.CapAdd) > 0 || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: name %q, privileged %v, capabilities %v, %v", name, s.ContainerName, s.Privileged, s.CapAdd, s.SecurityOpt)
		}
		if ours := s.Build != nil; ours {
			user := map[bool]string{true: "0:0", false: "65532:65532"}[name == "socket-proxy"]
			if !s.ReadOnly || s.User != user || !slices.Equal(s.CapDrop, []string{"ALL"}) {
				t.Errorf("%s: read-only %v, user %s, drops %v", name, s.ReadOnly, s.User, s.CapDrop)
			}
		} else if !fullVersion.MatchString(s.Image) {
			t.Errorf("%s: image %s is not one full version", name, s.Image)
		}
		if len(s.Ports) > 0 && (name != "viz" || len(s.Ports) > 1 || s.Ports[0].HostIP != "127.0.0.1" || s.Ports[0].Published != "7070") {
			t.Errorf("%s publishes %v", name, s.Ports)
		}
		for _, v := range s.Volumes {
			if store := strings.HasSuffix(name, "-db") || name == services.Bus; store && v.Type == types.VolumeTypeVolume && v.Source == name {
				continue
			}
			if name != "socket-proxy" || v.Target != "/var/run/docker.sock" {
				t.Errorf("%s mounts %s at %s", name, v.Source, v.Target)
			}
		}
	}
}

func networksOf(s types.ServiceConfig) []string { return slices.Sorted(maps.Keys(s.Networks)) }

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
