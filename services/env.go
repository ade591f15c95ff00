package services

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/stillup/stillup/services/chassis"
)

// Env writes a service's configuration as the environment that [FromEnv] reads.
func Env(cfg chassis.Config) []string {
	return []string{
		"STILLUP_ADDR=" + cfg.Addr,
		"STILLUP_INSTANCE=" + cfg.Instance,
		"STILLUP_STORE=" + cfg.StoreURL,
		"STILLUP_BUS=" + cfg.BusURL,
		"STILLUP_PEERS=" + pairs(cfg.Peers),
		"STILLUP_OTHER_STORES=" + pairs(cfg.OtherStores),
		"STILLUP_TOKEN=" + cfg.OTLPToken,
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + cfg.OTLPEndpoint,
	}
}

// FromEnv reads the configuration of the service called name, with getenv in place of os.Getenv. A replica that is told no
// name of its own is called as the host: a container's host name is its id, which it keeps over a restart.
func FromEnv(name string, getenv func(string) string) (cfg chassis.Config, err error) {
	cfg = chassis.Config{Name: name, Addr: getenv("STILLUP_ADDR"), Instance: getenv("STILLUP_INSTANCE"),
		StoreURL: getenv("STILLUP_STORE"), BusURL: getenv("STILLUP_BUS"), OTLPEndpoint: getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), OTLPToken: getenv("STILLUP_TOKEN")}
	if cfg.Addr == "" {
		return cfg, fmt.Errorf("service %s: STILLUP_ADDR is not set; give the address to listen on, such as 127.0.0.1:8080", name)
	}
	if cfg.Instance == "" {
		if cfg.Instance, err = os.Hostname(); err != nil {
			return cfg, fmt.Errorf("service %s: %w; set STILLUP_INSTANCE to a name that no other replica has", name, err)
		}
	}
	if cfg.Peers, err = parsePairs(getenv("STILLUP_PEERS")); err != nil {
		return cfg, fmt.Errorf("service %s: STILLUP_PEERS %w; write name=http://host:port, comma between", name, err)
	}
	if cfg.OtherStores, err = parsePairs(getenv("STILLUP_OTHER_STORES")); err != nil {
		return cfg, fmt.Errorf("service %s: STILLUP_OTHER_STORES %w; write node=address, comma between", name, err)
	}
	return cfg, nil
}

// pairs writes addresses by name.
func pairs(of map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, name+"="+of[name])
	}
	return strings.Join(all, ",")
}

// Stores reads the addresses of stores by node id as STILLUP_STORES has them: node=address, comma between. Its error quotes no
// address.
func Stores(text string) (map[string]string, error) {
	of, err := parsePairs(text)
	if err != nil {
		return nil, fmt.Errorf("STILLUP_STORES %w; write node=address, comma between", err)
	}
	return of, nil
}

// parsePairs reads what pairs wrote. Its error quotes no address: one may hold a password.
func parsePairs(text string) (map[string]string, error) {
	of := map[string]string{}
	for i, pair := range strings.Split(text, ",") {
		if pair == "" {
			continue
		}
		name, address, ok := strings.Cut(pair, "=")
		if !ok || name == "" || address == "" || strings.ContainsAny(name, ":/@") { // the last: an address alone
			return of, fmt.Errorf("has an entry without a name or an address, the number %d", i+1)
		}
		of[name] = address
	}
	return of, nil
}
