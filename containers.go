package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/stillup/stillup/viz/control"
)

func gatesCommand() *cobra.Command {
	var (
		admin string
		flags []string
	)
	c := &cobra.Command{
		Use:   "gates --gate NODE=LISTEN=UPSTREAM ...",
		Short: "Hold a forwarded address for every container, to make it slow, failing or cut off",
		Long: "Hold a forwarded address for every container. A gate listens while its upstream accepts connections, and makes it\n" +
			"slow, failing or cut off when told: GET and PUT /gates/NODE on the admin address take and answer\n\n" +
			`  {"latency_ms": 300, "error_share": 0.2, "cut": true}`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runGates(c.Context(), admin, flags) },
	}
	c.Flags().StringVar(&admin, "admin", ":7000", "address that takes faults; only the dashboard should reach it")
	c.Flags().StringArrayVar(&flags, "gate", nil, "a gate, such as users=users-gate:8001=users:8001; once for each node")
	return c
}

func runGates(ctx context.Context, admin string, flags []string) error {
	var specs []control.Gate
	for _, f := range flags {
		g, err := control.ParseGate(f)
		if err != nil {
			return err
		}
		specs = append(specs, g)
	}
	gates, err := control.NewGates(specs, newLog(os.Stderr))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", admin)
	if err != nil {
		return fmt.Errorf("the gates' own address: %w; choose another with --admin HOST:PORT", err)
	}
	return gates.Run(ctx, ln)
}
