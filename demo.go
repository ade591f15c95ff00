package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/stillup/stillup/services"
	"github.com/stillup/stillup/viz"
	"github.com/stillup/stillup/viz/demo"
	"github.com/stillup/stillup/viz/world"
)

type demoOptions struct{ addr, token, state string }

func demoCommand() *cobra.Command {
	o := demoOptions{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the dashboard over an invented system: no service, store or bus is needed",
		Long: "Run the dashboard over an invented system: no service, store or bus is needed.\n" +
			"What is done on the page is done to the invented nodes: kill one, and its callers fail; start it, and it catches up.\n\n" + demoStates(),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), o, c.OutOrStdout()) },
	}
	c.Flags().StringVar(&o.addr, "addr", "127.0.0.1:7071", "address of the dashboard; another than loopback needs --token")
	c.Flags().StringVar(&o.token, "token", os.Getenv("STILLUP_TOKEN"), "secret that every request must carry (also STILLUP_TOKEN)")
	c.Flags().StringVar(&o.state, "state", "calm", "what is to be seen; list prints the states")
	return c
}

// demoStates lists what a demo can show.
func demoStates() string {
	var b strings.Builder
	for _, s := range demo.States() {
		fmt.Fprintf(&b, "  %-13s %s\n", s.Name, s.Say)
	}
	return b.String()
}

func runDemo(ctx context.Context, o demoOptions, out io.Writer) error {
	if o.state == "list" {
		fmt.Fprint(out, demoStates())
		return nil
	}
	shop, err := world.ParseSystem(services.System)
	if err != nil {
		return err
	}
	const seed = 1 // the same demo every time
	d, err := demo.New(o.state, shop, seed)
	if err != nil {
		return err
	}
	ln, err := listen(o.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	fmt.Fprintf(out, "a demo (%s): nothing of it exists\n\n  %s\n", o.state, address(ln.Addr().String(), o.token))
	return serveDemo(ctx, ln, d, viz.Options{Addr: o.addr, Token: o.token, Log: newLog(os.Stderr)})
}

// serveDemo serves a demo until ctx ends; one in which the dashboard itself gets lost on a listener that comes and goes.
func serveDemo(ctx context.Context, ln net.Listener, d *demo.Demo, o viz.Options) error {
	o.Demo = d
	g, ctx := errgroup.WithContext(ctx)
	if d.Lost() {
		flaky := demo.NewFlaky(ln)
		ln = flaky
		g.Go(func() error { return flaky.Run(ctx) })
	}
	g.Go(func() error { return viz.Serve(ctx, ln, o) })
	return g.Wait()
}
