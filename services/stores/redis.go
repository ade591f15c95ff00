package stores

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
)

// prepareRedis writes a configuration under which an acknowledged write survives SIGKILL.
func (f Found) prepareRedis(dir string, port int) (Command, error) {
	if f.Embedded {
		secret, err := password(dir)
		if err != nil {
			return Command{}, err
		}
		return Command{
			Path: f.path, Args: []string{"redis", "--addr", address(port), "--password-file", filepath.Join(dir, "password")},
			Env: modest, Dir: dir, StopSignal: syscall.SIGTERM, URL: redisURL(secret, port),
		}, nil
	}
	secret, err := password(dir)
	if err != nil {
		return Command{}, err
	}
	conf := []string{
		"bind 127.0.0.1",
		"protected-mode yes",
		"requirepass " + secret,
		"daemonize no",
		"dir " + quoteRedis(dir),
		"appendonly yes",
		"appendfsync always", // everysec loses acknowledged entries on SIGKILL when the disk is slow
		"aof-load-truncated yes",
		"auto-aof-rewrite-percentage 100",
		"auto-aof-rewrite-min-size 16mb",
		`save ""`,
		"maxmemory-policy noeviction",
		"loglevel warning",
		`logfile ""`, // standard output, which the launcher keeps
	}
	path := filepath.Join(dir, "redis.conf")
	if err := writeFile(path, strings.Join(conf, "\n")+"\n"); err != nil {
		return Command{}, err
	}
	return Command{
		Path: f.path, Args: []string{path, "--port", fmt.Sprint(port)}, Dir: dir,
		StopSignal: syscall.SIGTERM, URL: redisURL(secret, port),
	}, nil
}

func redisURL(secret string, port int) string {
	return fmt.Sprintf("redis://:%s@%s/0", secret, address(port))
}

// quoteRedis quotes a value as redis.conf wants it where it holds blanks.
func quoteRedis(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
