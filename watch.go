package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/viz"
	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/world"
)

type vizOptions struct{ addr, published, token, system, redis, stores, runtime, project, chapters string }

// sample is the name under which --system finds the shop's own file.
const sample = "shop"

func vizCommand() *cobra.Command {
	o := vizOptions{stores: os.Getenv("STILLUP_STORES")} // no flag: addresses hold passwords, and everybody sees a command line
	c := &cobra.Command{
		Use:   "viz --system FILE",
		Short: "Watch a system that runs elsewhere: your own, from its Redis Streams, or the shop in containers",
		Long: "Watch a system that runs elsewhere: your own, from its Redis Streams, or the shop in containers.\n" +
			"Its stores are looked into, read-only, where STILLUP_STORES (NODE=ADDRESS, comma between) or the system file says how to reach them.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return watch(c.Context(), o, c.OutOrStdout()) },
	}
	c.Flags().StringVar(&o.addr, "addr", "127.0.0.1:7070", "address of the dashboard; another than loopback needs --token, or --published")
	c.Flags().StringVar(&o.published, "published", "", "where the engine publishes the dashboard, HOST:PORT, where it runs in a container")
	c.Flags().StringVar(&o.token, "token", os.Getenv("STILLUP_TOKEN"), "secret that every request must carry (also STILLUP_TOKEN)")
	c.Flags().StringVar(&o.system, "system", "", "system file (JSON); "+sample+" for that of the sample shop")
	c.Flags().StringVar(&o.redis, "redis", "redis://127.0.0.1:6379", "address of the Redis that carries the streams")
	c.Flags().StringVar(&o.runtime, "runtime", "none", "what runs the nodes: none (look and do not touch) or docker (DOCKER_HOST says where)")
	c.Flags().StringVar(&o.chapters, "chapters", "", "folder of what can be walked through (one YAML file a chapter); empty: the sample's for the sample, else nothing")
	c.Flags().StringVar(&o.project, "project", "", "compose project of the nodes, with docker; empty: the only one that has any")
	_ = c.MarkFlagRequired("system") // fails only for a flag that does not exist
	return c
}

// watch runs the dashboard alone over a system that somebody else runs.
func watch(ctx context.Context, o vizOptions, out io.Writer) error {
	system, err := readSystem(o.system)
	if err != nil {
		return err
	}
	chapters, err := readChapters(o)
	if err != nil {
		return err
	}
	stores, err := services.Stores(o.stores)
	if err != nil {
		return err
	}
	options := viz.Options{System: system, BusURL: o.redis, StoreURLs: stores, Chapters: chapters, Addr: o.addr, Published: o.published, Token: o.token, Log: newLog(os.Stderr)}
	switch o.runtime {
	case "none":
	case "docker":
		d, err := control.NewDocker(control.DockerOptions{Project: o.project, Log: options.Log})
		if err != nil {
			return err
		}
		defer d.Close()
		options.Runtime = d
	default:
		return fmt.Errorf("--runtime %q is not known; give none or docker", o.runtime)
	}
	ln, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	at := address(ln.Addr().String(), o.token)
	if o.published != "" {
		at = address(o.published, o.token)
	}
	fmt.Fprintf(out, "watching %s\n\n  %s\n", system.Name, at)
	return viz.Serve(ctx, ln, options)
}

// readChapters is the folder of what can be walked through; nil: nothing. What is in it is read and checked by the dashboard.
func readChapters(o vizOptions) (fs.FS, error) {
	switch {
	case o.chapters != "":
		if d, err := os.Stat(o.chapters); err != nil {
			return nil, fmt.Errorf("--chapters: %w", err)
		} else if !d.IsDir() {
			return nil, fmt.Errorf("--chapters %s is no folder; give the one that holds the chapters", o.chapters)
		}
		return os.DirFS(o.chapters), nil
	case o.system == sample:
		return services.Chapters, nil
	}
	return nil, nil
}

// readSystem reads a system file, or the sample's.
func readSystem(path string) (world.System, error) {
	if path == sample {
		return world.ParseSystem(services.System)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return world.System{}, fmt.Errorf("system file: %w", err)
	}
	system, err := world.ParseSystem(b)
	if err != nil {
		return system, fmt.Errorf("system file %s: %w", path, err)
	}
	return system, nil
}
