//go:build containers

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	standInLabel = "io.stillup.standin" // marks the images that stand in for real ones
	ourVersion   = "containers-test"    // of the image of ours that is under test
)

// docker runs the engine's command line and returns what it printed.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// present says whether the engine has the image, and it is the real one.
func present(t *testing.T, image string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "image", "inspect", "-f", `{{index .Config.Labels "`+standInLabel+`"}}`, image).Output()
	return err == nil && strings.TrimSpace(string(out)) != "1"
}

// standIns makes an image in place of each of the stores' that the engine has not, from this machine's own packages, and
// returns them by the image that they stand in for. docs/containers.md says how they differ.
func standIns(t *testing.T) map[string]string {
	t.Helper()
	made := map[string]string{}
	for _, s := range composeFile(t).Services {
		engine, _, _ := strings.Cut(s.Image, ":")
		make, known := standInMakers[engine]
		if !known || made[s.Image] != "" || present(t, s.Image) {
			continue
		}
		begun := time.Now()
		made[s.Image] = make(t)
		t.Logf("%s stands in for %s: %s MB, %.1f s", made[s.Image], s.Image, megabytes(t, made[s.Image]), time.Since(begun).Seconds())
	}
	return made
}

var standInMakers = map[string]func(t *testing.T) (image string){"redis": standInRedis, "postgres": standInPostgres, "mongo": standInMongo}

func standInRedis(t *testing.T) string {
	server := found(t, "redis-server", "valkey-server")
	r := newRootfs(t)
	r.users("redis", "999")
	r.program("/usr/bin/redis-server", server)
	r.program("/usr/bin/redis-cli", found(t, "redis-cli", "valkey-cli"))
	r.folder("/data", 0o755, 999)
	image := "stillup-standin/redis:" + versionOf(t, server, "--version") + "-standin"
	r.build(image, "ENV PATH=/usr/bin", "USER 999:999", "VOLUME /data", "WORKDIR /data", `CMD ["redis-server"]`)
	return image
}

// standInMongo runs the embedded engine under the name of mongod. Whatever mongod's flags say is the real one's affair.
func standInMongo(t *testing.T) string {
	r := newRootfs(t)
	r.users("mongodb", "999")
	r.program("/bin/bash", found(t, "bash"))
	r.program("/usr/bin/stillup-stores", filepath.Join(bin, "stillup-stores"))
	r.text("/usr/bin/mongod", 0o755, "#!/bin/bash\nexec stillup-stores mongod --addr 0.0.0.0:27017 --data /data/db\n")
	r.folder("/data/db", 0o755, 999)
	image := "stillup-standin/mongo:ferretdb-1.24.0-standin"
	r.build(image, "ENV PATH=/usr/bin:/bin GOGC=50 GOMEMLIMIT=96MiB GOMAXPROCS=2", "USER 999:999", "VOLUME /data/db", `CMD ["mongod"]`)
	return image
}

func standInPostgres(t *testing.T) string {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	if len(bins) == 0 {
		t.Fatal("this machine has no PostgreSQL under /usr/lib/postgresql; apt-get install postgresql")
	}
	major := func(bin string) int { n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))); return n }
	home := slices.MaxFunc(bins, func(a, b string) int { return major(a) - major(b) })
	r := newRootfs(t)
	r.users("postgres", "70")
	for _, name := range []string{"postgres", "initdb", "pg_isready"} {
		r.program(filepath.Join(home, name), filepath.Join(home, name))
	}
	for _, name := range []string{"mkdir", "mv", "rm"} {
		r.program("/bin/"+name, found(t, name))
	}
	r.program("/bin/sh", found(t, "dash"))
	lib := filepath.Join(filepath.Dir(home), "lib")
	for _, name := range []string{"plpgsql.so", "dict_snowball.so"} { // initdb loads them
		r.program(filepath.Join(lib, name), filepath.Join(lib, name))
	}
	r.tree(filepath.Join("/usr/share/postgresql", strconv.Itoa(major(home))), func(path string) bool {
		return slices.Contains([]string{"man", "contrib", "extension"}, filepath.Base(path)) && !strings.Contains(path, "plpgsql")
	})
	r.tree("/usr/share/postgresql/"+strconv.Itoa(major(home))+"/extension", func(path string) bool {
		return filepath.Ext(path) != "" && !strings.HasPrefix(filepath.Base(path), "plpgsql")
	})
	r.tree("/usr/share/zoneinfo/Etc", nil)
	r.text("/entrypoint.sh", 0o755, postgresEntrypoint)
	r.folder("/var/lib/postgresql", 0o755, 70)
	r.folder("/var/run/postgresql", 0o755, 70) // of its socket
	image := "stillup-standin/postgres:" + versionOf(t, filepath.Join(home, "postgres"), "--version") + "-standin"
	r.build(image, "ENV PATH=/bin:"+home+" PGDATA=/var/lib/postgresql/data TZ=Etc/UTC LC_ALL=C", "USER 70:70", "STOPSIGNAL SIGINT",
		"VOLUME /var/lib/postgresql", `ENTRYPOINT ["/entrypoint.sh"]`, `CMD ["postgres"]`)
	return image
}

// postgresEntrypoint makes the cluster aside and renames it when it is complete: a kill leaves it whole or absent. As in
// the real image, one that comes with a password comes over the network.
const postgresEntrypoint = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  new="$PGDATA.new"
  rm -rf "$new"
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$new" -U "${POSTGRES_USER:-postgres}" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C --wal-segsize=4
  rm /tmp/password
  if [ "${POSTGRES_DB:-postgres}" != postgres ]; then
    echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -D "$new" postgres
  fi
  echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  mv "$new" "$PGDATA"
fi
exec "$@"
`

var number = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

func versionOf(t *testing.T, program, flag string) string {
	t.Helper()
	out, err := exec.Command(program, flag).Output()
	version := number.FindString(string(out))
	if err != nil || version == "" {
		t.Fatalf("%s %s: %v: %s", program, flag, err, out)
	}
	return version
}

// megabytes is the size of an image.
func megabytes(t *testing.T, image string) string {
	t.Helper()
	n, err := strconv.ParseFloat(docker(t, "image", "inspect", "-f", "{{.Size}}", image), 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatFloat(n/1e6, 'f', 1, 64)
}

// ourImage builds the Dockerfile as it stands, once for all tests, and returns its name. The context is what git has plus
// the modules, for the build has no network here.
func ourImage(t *testing.T) string {
	t.Helper()
	oneImage.Lock()
	defer oneImage.Unlock()
	image := "stillup:" + ourVersion
	if builtImage {
		return image
	}
	standInGolang(t)
	context := t.TempDir()
	sh(t, "git ls-files -z | tar -c --null -T - | tar -x -C "+context+" && cd "+context+" && go mod vendor")
	begun := time.Now()
	docker(t, "build", "--build-arg", "VERSION="+ourVersion, "-t", image, context)
	t.Logf("%s: %s MB, built in %.1f s", image, megabytes(t, image), time.Since(begun).Seconds())
	builtImage = true
	return image
}

var (
	oneImage   sync.Mutex
	builtImage bool
)

// standInGolang makes the image of the Dockerfile's build stage of this machine's Go, where the engine has not the real
// one, and takes it away again after the test: nobody shall build with it unawares.
func standInGolang(t *testing.T) {
	t.Helper()
	dockerfile, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	image := regexp.MustCompile(`golang:\S+`).FindString(string(dockerfile))
	if present(t, image) {
		return
	}
	r := newRootfs(t)
	r.users("nobody", "65534")
	r.program("/bin/sh", found(t, "dash"))
	root := strings.TrimSpace(sh(t, "go env GOROOT"))
	goroot := func(path string) string { return "/usr/local/go" + strings.TrimPrefix(path, root) }
	for _, dir := range []string{"bin", "pkg/include", "pkg/tool", "src", "lib"} {
		r.treeAs(filepath.Join(root, dir), goroot, func(path string) bool {
			return filepath.Base(path) == "testdata" || strings.HasSuffix(path, "_test.go") || path == filepath.Join(root, "src/cmd")
		})
	}
	for _, name := range []string{"VERSION", "go.env"} {
		r.file(goroot(filepath.Join(root, name)), filepath.Join(root, name))
	}
	r.build(image, "ENV PATH=/usr/local/go/bin:/bin GOTOOLCHAIN=local GOFLAGS=-mod=vendor HOME=/tmp")
	t.Logf("%s stands in for %s: %s MB", runtime.Version(), image, megabytes(t, image))
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "image", "rm", image).CombinedOutput(); err != nil {
			t.Errorf("remove the image %s: %v: %s", image, err, out)
		}
	})
}

// sh runs a command line at the root of the repository.
func sh(t *testing.T, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, said.String())
	}
	return string(out)
}
