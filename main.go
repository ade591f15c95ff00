// Stillup shows events flowing between live services, and what still works when you kill one.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stillup/stillup/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "stillup:", err)
		os.Exit(1)
	}
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "stillup",
		Short:         "Kill a container. See what is still up.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(upCommand(), vizCommand(), demoCommand(), serviceCommand(), gatesCommand(), socketProxyCommand(), healthCommand(), versionCommand())
	return root
}

func upCommand() *cobra.Command {
	o := upOptions{}
	c := &cobra.Command{
		Use:   "up",
		Short: "Run the shop and its dashboard on this machine",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return up(c.Context(), o, c.OutOrStdout()) },
	}
	c.Flags().StringVar(&o.addr, "addr", "127.0.0.1:7070", "address of the dashboard; another than loopback needs --token")
	c.Flags().StringVar(&o.token, "token", os.Getenv("STILLUP_TOKEN"), "secret that every request must carry (also STILLUP_TOKEN)")
	c.Flags().StringVar(&o.data, "data", "", "folder of all data (default ./data)")
	c.Flags().BoolVar(&o.fresh, "fresh", false, "delete the data of earlier runs first")
	return c
}

func serviceCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "service NAME",
		Short:     "Run one service of the shop, configured by its environment",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: services.Names(),
		RunE: func(c *cobra.Command, args []string) error {
			debug.SetGCPercent(50) // a service's live heap is a few MB: trade a little CPU for memory
			cfg, err := services.FromEnv(args[0], os.Getenv)
			if err != nil {
				return err
			}
			cfg.Log = newLog(os.Stderr)
			return services.Run(c.Context(), cfg)
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), version()) },
	}
}

// stamp is the version that a build of an image is told by the linker (-X main.stamp): it has no repository to ask.
var stamp string

// version is what the build was told, else what it recorded: a release's tag, or the commit.
func version() string {
	if stamp != "" {
		return strings.Join([]string{"stillup", stamp, runtime.Version()}, " ")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "stillup, built without version"
	}
	words := []string{"stillup", info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			words = append(words, s.Value)
		}
	}
	return strings.Join(append(words, info.GoVersion), " ")
}

func newLog(w *os.File) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil))
}
