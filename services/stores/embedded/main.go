// Command stillup-stores is the embedded engines, for machines that have no MongoDB or Redis server: FerretDB on SQLite,
// which keeps its data, and miniredis, which does not. It is a program of its own so that the main one stays small.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: stillup-stores ENGINE [flags]

  mongod --addr HOST:PORT --data DIR              FerretDB on SQLite, its files in DIR
  redis  --addr HOST:PORT --password-file FILE    miniredis, in memory
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stillup-stores:", err)
		os.Exit(1)
	}
}

// run serves the engine that args name until ctx ends.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("which engine?\n" + usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	addr := flags.String("addr", "", "listen address")
	switch args[0] {
	case "mongod":
		data := flags.String("data", "", "folder of the data files")
		if err := parse(flags, args[1:], "addr", "data"); err != nil {
			return err
		}
		return serveMongo(ctx, *addr, *data)
	case "redis":
		file := flags.String("password-file", "", "file with the password on its first line; none: no password")
		if err := parse(flags, args[1:], "addr"); err != nil {
			return err
		}
		var password string
		if *file != "" {
			b, err := os.ReadFile(*file)
			if err != nil {
				return err
			}
			password, _, _ = strings.Cut(string(b), "\n")
		}
		return serveRedis(ctx, *addr, password)
	default:
		return fmt.Errorf("there is no engine %q\n%s", args[0], usage)
	}
}

// parse parses args and insists on the required flags.
func parse(flags *flag.FlagSet, args []string, required ...string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s: %q is one argument too many", flags.Name(), flags.Arg(0))
	}
	for _, name := range required {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%s: --%s is missing", flags.Name(), name)
		}
	}
	return nil
}
