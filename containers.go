package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stillup/stillup/viz/control"
	"github.com/stillup/stillup/viz/socketproxy"
)

// healthWithin is how long an address may take to say that it is well.
const healthWithin = 2 * time.Second

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

func socketProxyCommand() *cobra.Command {
	var (
		listen string
		o      socketproxy.Options
	)
	c := &cobra.Command{
		Use:   "socket-proxy",
		Short: "Let the dashboard look at, and act on, the containers of its own compose project, and nothing else of the engine",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return runSocketProxy(c.Context(), listen, o) },
	}
	c.Flags().StringVar(&listen, "listen", ":2375", "address for the dashboard; nobody else should reach it")
	c.Flags().StringVar(&o.Socket, "socket", "/var/run/docker.sock", "the engine's socket")
	c.Flags().StringVar(&o.Project, "project", "", "compose project (default: that of the container in which this runs)")
	return c
}

func runSocketProxy(ctx context.Context, listen string, o socketproxy.Options) error {
	if o.Project == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host name, from which the compose project is learned: %w; give it with --project", err)
		}
		o.Self = name
	}
	o.Label, o.Log = control.LabelNode, newLog(os.Stderr)
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("the socket proxy: %w; choose another address with --listen HOST:PORT", err)
	}
	return socketproxy.Serve(ctx, ln, o)
}

func healthCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "health URL",
		Short: "End well where GET URL answers 200 within 2 s, for health checks where there is no shell",
		Args:  cobra.ExactArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return health(c.Context(), args[0]) },
	}
}

// health says whether an address answers 200, itself and not by way of another.
func health(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("health: %w; write a URL such as http://127.0.0.1:8001/readyz", err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if late := new(url.Error); errors.As(err, &late) && late.Timeout() {
		return fmt.Errorf("health: %s does not answer within %s", address, healthWithin)
	}
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s answers %s", address, res.Status)
	}
	return nil
}
