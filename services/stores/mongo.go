package stores

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// modest keeps the embedded engines' memory small: the heap is collected early, and hard before 96 MiB.
var modest = []string{"GOGC=50", "GOMEMLIMIT=96MiB", "GOMAXPROCS=2"}

// MongoDatabase is the database that a MongoDB store's URL names.
const MongoDatabase = "shop"

func (f Found) prepareMongo(dir string, port int) (Command, error) {
	data := filepath.Join(dir, "db")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return Command{}, err
	}
	url := fmt.Sprintf("mongodb://%s/%s?directConnection=true", address(port), MongoDatabase)
	if f.Embedded {
		return Command{Path: f.path, Args: []string{"mongod", "--addr", address(port), "--data", data}, Env: modest, Dir: dir,
			StopSignal: syscall.SIGTERM, URL: url}, nil
	}
	return Command{
		Path: f.path,
		Args: []string{"--bind_ip", "127.0.0.1", "--port", fmt.Sprint(port), "--dbpath", data, "--nounixsocket", "--quiet",
			"--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false"},
		Dir: dir, StopSignal: syscall.SIGTERM,
		URL: url + "&journal=true", // acknowledged means in the journal: it survives SIGKILL
	}, nil
}
