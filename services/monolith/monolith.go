// Package monolith is the whole shop in one process over one Postgres: all six features, the same API and the same seed.
package monolith

import (
	"context"

	"github.com/stillup/stillup/services/chassis"
)

// Run serves all six features until ctx ends. It starts and stays alive with its store dead; an error is a fault in cfg.
func Run(ctx context.Context, cfg chassis.Config) error {
	svc, err := chassis.New(cfg)
	if err != nil {
		return err
	}
	return svc.Run(ctx)
}
