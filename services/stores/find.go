package stores

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Engines that this package knows.
const (
	Postgres = "postgres"
	MongoDB  = "mongodb"
	Redis    = "redis"
)

// ErrUnknownEngine is what Find answers for an engine that is none of the above.
var ErrUnknownEngine = errors.New("unknown engine")

// Found is how an engine will be run on this machine.
type Found struct {
	Engine   string // Postgres, MongoDB or Redis
	Version  string // as shown: "Redis 7.0.15", "PostgreSQL 15.18", "FerretDB 1.24.0 on SQLite (embedded)"
	Embedded bool   // run by the stillup-stores command, for want of a server
	Volatile bool   // forgets its data on restart

	path string // the server's program
}

// places are the folders outside PATH where packages put Postgres' server, and what else Find looks at. Tests replace it.
type places struct {
	lookPath func(file string) (string, error)
	postgres string // glob of folders that hold postgres and initdb
}

var machine = places{lookPath: exec.LookPath, postgres: "/usr/lib/postgresql/*/bin"}

// Find looks for the engine's server on this machine: in PATH, for Postgres also in /usr/lib/postgresql/*/bin, newest
// first. Where there is none it settles for the embedded one in the program at path embedded. The error says what to
// install when neither can be had.
func Find(ctx context.Context, engine, embedded string) (Found, error) {
	return machine.find(ctx, engine, embedded)
}

func (p places) find(ctx context.Context, engine, embedded string) (Found, error) {
	var tried []string
	for _, path := range p.candidates(engine) {
		version, err := serverVersion(ctx, engine, path)
		if err == nil {
			return Found{Engine: engine, Version: version, path: path}, nil
		}
		if ctx.Err() != nil {
			return Found{}, fmt.Errorf("find %s: %w", engine, ctx.Err())
		}
		tried = append(tried, err.Error())
	}
	var f Found
	switch engine {
	case MongoDB:
		f = Found{Engine: engine, Version: "FerretDB 1.24.0 on SQLite (embedded)", Embedded: true, path: embedded}
	case Redis:
		f = Found{Engine: engine, Version: "miniredis 2.40.0 (embedded, volatile)", Embedded: true, Volatile: true, path: embedded}
	case Postgres:
		return Found{}, notFound(engine, tried, nil)
	default:
		return Found{}, fmt.Errorf("find %q: %w", engine, ErrUnknownEngine)
	}
	if _, err := p.lookPath(embedded); err != nil {
		return Found{}, notFound(engine, tried, err)
	}
	return f, nil
}

// installs names, per engine, what to install.
var installs = map[string]string{
	Postgres: "PostgreSQL 12 or newer (Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql)",
	MongoDB:  "MongoDB's mongod, or build the embedded engines (go build -o bin/stillup-stores ./services/stores/embedded)",
	Redis:    "Redis 6.2 or newer (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis)",
}

// notFound makes the error for an engine that cannot be had: what was tried, and what to install.
func notFound(engine string, tried []string, embedded error) error {
	text := "there is no " + engine + " on this machine; install " + installs[engine]
	if len(tried) > 0 {
		text += " (not usable: " + strings.Join(tried, "; ") + ")"
	}
	if embedded != nil {
		return fmt.Errorf("%s: no embedded one either: %w", text, embedded)
	}
	return errors.New(text)
}

// Remark says in one sentence what is used in place of a server, empty where there is nothing to say.
func (f Found) Remark() string {
	switch {
	case !f.Embedded:
		return ""
	case f.Engine == Redis:
		return "No redis-server or valkey-server (6.2 or newer) was found: an embedded miniredis is used, which forgets its data on restart."
	case f.Engine == MongoDB:
		return "No mongod was found: an embedded FerretDB on SQLite is used, which keeps its data but has no multi-document transactions."
	default:
		return "" // Postgres has no embedded stand-in
	}
}

// candidates lists programs that may be the engine's server, best first.
func (p places) candidates(engine string) []string {
	var found []string
	look := func(names ...string) {
		for _, name := range names {
			if path, err := p.lookPath(name); err == nil {
				if path, err = filepath.Abs(path); err == nil {
					found = append(found, path)
				}
			}
		}
	}
	switch engine {
	case Redis:
		look("redis-server", "valkey-server")
	case MongoDB:
		look("mongod")
	case Postgres:
		look("postgres")
		dirs, _ := filepath.Glob(p.postgres) // the pattern is ours and well formed
		slices.SortFunc(dirs, func(a, b string) int { return majorOf(b) - majorOf(a) })
		for _, dir := range dirs {
			found = append(found, filepath.Join(dir, "postgres"))
		}
	}
	return found
}

// majorOf is the version in a path like /usr/lib/postgresql/15/bin, 0 where there is none.
func majorOf(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// versions: how each engine's --version reads, the name shown, and the oldest that will do.
var versions = map[string]struct {
	pattern *regexp.Regexp
	oldest  [2]int
	why     string
}{
	Redis:    {regexp.MustCompile(`^(Redis|Valkey) server v=(\d+)\.(\d+)(\S*)`), [2]int{6, 2}, "XAUTOCLAIM"},
	Postgres: {regexp.MustCompile(`\((PostgreSQL)\) (\d+)(?:\.(\d+))?(\S*)`), [2]int{12, 0}, "generated columns"},
	MongoDB:  {regexp.MustCompile(`^db (version) v(\d+)\.(\d+)(\S*)`), [2]int{4, 4}, "the driver"},
}

// serverVersion asks the program at path what it is and refuses what is too old or is something else.
func serverVersion(ctx context.Context, engine, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	v := versions[engine]
	m := v.pattern.FindStringSubmatch(string(out))
	if m == nil {
		return "", fmt.Errorf("%s --version answers %q, not a %s server's", path, firstLine(out), engine)
	}
	major, _ := strconv.Atoi(m[2])
	minor, _ := strconv.Atoi(m[3])
	name, number := m[1], m[2]
	if m[3] != "" {
		number += "." + m[3]
	}
	number += m[4]
	if engine == MongoDB {
		name = "MongoDB"
	}
	if slices.Compare([]int{major, minor}, v.oldest[:]) < 0 {
		return "", fmt.Errorf("%s is version %s; %d.%d is the oldest that will do (%s)", path, number, v.oldest[0], v.oldest[1], v.why)
	}
	if engine == Postgres {
		if _, err := os.Stat(initdbOf(path)); err != nil {
			return "", fmt.Errorf("%s has no initdb beside it", path)
		}
	}
	return name + " " + number, nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line
}
