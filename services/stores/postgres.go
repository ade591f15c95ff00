package stores

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// postgresSettings keep an idle server small and quiet without giving up durability.
var postgresSettings = []string{
	"listen_addresses=127.0.0.1",
	"unix_socket_directories=",
	"max_connections=40",
	"shared_buffers=32MB",
	"max_wal_size=128MB",
	"min_wal_size=32MB",
	"jit=off",
	"max_parallel_workers=2",
	"max_logical_replication_workers=0",
	"track_activities=on",
	"fsync=on",
	"synchronous_commit=on",
	"log_min_messages=warning",
	"log_checkpoints=off",
}

// preparePostgres makes the cluster with its superuser and database "shop" in dir/pgdata.
func (f Found) preparePostgres(ctx context.Context, dir string, port int) (Command, error) {
	account, err := unprivileged()
	if err != nil {
		return Command{}, err
	}
	if err := account.mayEnter(dir); err != nil {
		return Command{}, err
	}
	if err := account.mayEnter(filepath.Dir(f.path)); err != nil {
		return Command{}, err
	}
	secret, err := password(dir)
	if err != nil {
		return Command{}, err
	}
	data := filepath.Join(dir, "pgdata")
	switch _, err := os.Stat(data); {
	case errors.Is(err, fs.ErrNotExist):
		if err := f.initdb(ctx, account, data, secret); err != nil {
			return Command{}, err
		}
	case err != nil:
		return Command{}, err
	default:
		if err := f.sameMajor(data); err != nil {
			return Command{}, err
		}
		if err := clearPidFile(data); err != nil {
			return Command{}, err
		}
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, s := range postgresSettings {
		args = append(args, "-c", s)
	}
	return Command{
		Path: f.path, Args: args, Dir: data, UID: account.uid, GID: account.gid, StopSignal: syscall.SIGINT,
		URL: fmt.Sprintf("postgres://shop:%s@%s/shop?sslmode=disable", secret, address(port)),
	}, nil
}

func initdbOf(postgres string) string { return filepath.Join(filepath.Dir(postgres), "initdb") }

// initdb makes a cluster aside and renames it to data when it is complete, so that data is whole or absent.
func (f Found) initdb(ctx context.Context, a account, data, secret string) error {
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if a.uid != 0 {
		if err := os.Chown(fresh, int(a.uid), int(a.gid)); err != nil {
			return err
		}
	}
	// No way in until the rules below stand; the password goes in over standard input, never through an argument.
	if _, err := a.run(ctx, "", initdbOf(f.path), "-D", fresh, "-U", "shop", "--auth=reject", "--encoding=UTF8",
		"--locale=C", "--wal-segsize=4"); err != nil {
		return err
	}
	sql := fmt.Sprintf("ALTER ROLE shop PASSWORD '%s'\nCREATE DATABASE shop\n", secret)
	if out, err := a.run(ctx, sql, f.path, "--single", "-D", fresh, "-c", "password_encryption=scram-sha-256", "postgres"); err != nil {
		return err
	} else if strings.Contains(out, "ERROR:") { // single-user mode has no other way to say so
		return fmt.Errorf("create database shop: %s", lastLine(out))
	}
	rules := "# TYPE DATABASE USER ADDRESS METHOD\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(fresh, "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, data)
}

// sameMajor refuses a cluster that another major version made: Postgres would not start on it.
func (f Found) sameMajor(data string) error {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return err
	}
	made := strings.TrimSpace(string(b))
	if major, _, _ := strings.Cut(strings.TrimPrefix(f.Version, "PostgreSQL "), "."); made != major {
		return fmt.Errorf("its data was made by PostgreSQL %s, but %s was found; install PostgreSQL %s or start afresh",
			made, f.Version, made)
	}
	return nil
}

// clearPidFile removes a pid file that a killed server left. Postgres does so itself unless the number has meanwhile gone
// to another process of the same user, which is likely after a restart of the machine or container.
func clearPidFile(data string) error {
	path := filepath.Join(data, "postmaster.pid")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil && pid > 0 && syscall.Kill(pid, 0) != syscall.ESRCH && !zombie(pid) {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if err != nil {
			return nil // cannot tell: leave it to Postgres
		}
		if cwd == data {
			return fmt.Errorf("process %d still serves it", pid)
		}
	}
	return os.Remove(path)
}

// zombie says whether a process is dead and not reaped: where a container's first process reaps nobody, what a killed
// launcher left stays one for ever, and Postgres would take it for a live server.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// "pid (name) state ...": the name may hold anything, so look behind its last bracket.
	return strings.HasPrefix(strings.TrimSpace(string(stat[bytes.LastIndexByte(stat, ')')+1:])), "Z")
}

// account is who Postgres runs as; zero: the launcher's own user.
type account struct {
	name     string
	uid, gid uint32
}

// unprivileged chooses a user for Postgres, which refuses to run as root: postgres where there is one, else nobody.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return account{name, uint32(uid), uint32(gid)}, nil
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody; run as another user")
}

// mayEnter checks that the account can pass through dir and every folder above it.
func (a account) mayEnter(dir string) error {
	if a.uid == 0 {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		st, err := os.Stat(at)
		if err != nil {
			return err
		}
		enter := st.Mode().Perm() & 0o001
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			switch {
			case sys.Uid == a.uid:
				enter = st.Mode().Perm() & 0o100
			case sys.Gid == a.gid:
				enter = st.Mode().Perm() & 0o010
			}
		}
		if enter == 0 {
			return fmt.Errorf("PostgreSQL does not run as root, and the user %s may not enter %s (mode %04o): choose a data "+
				"folder that every user may enter, such as /var/lib/stillup", a.name, at, st.Mode().Perm())
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// run runs a program as the account, feeds it input and returns all that it said.
func (a account) run(ctx context.Context, input, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.Dir = "/" // the launcher's own folder may be closed to the account
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if a.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(path), err, lastLine(out.String()))
	}
	return out.String(), nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
