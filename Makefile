# The everyday commands. Each sets up what it needs; all may be run again at any time.
.PHONY: up demo test test-parts test-lab test-containers check generate bench pictures build deps deps-test engine clean
SHELL := /bin/bash
ARGS ?=
# Generated code stays as committed; a build never writes to the tree.
GO ?= go

## up: run the shop and its dashboard; ARGS="--addr 127.0.0.1:8080" and the like are passed on
up: deps build
	@exec bin/stillup up $(ARGS)

## demo: the dashboard over an invented system, without services or stores; ARGS="--state list" says of which
demo: build
	@exec bin/stillup demo $(ARGS)

## test: everything, with real stores and a real browser; what fails does not keep the rest from being tried
test: deps deps-test check
	@$(MAKE) --no-print-directory --keep-going test-parts test-lab test-containers

test-parts: deps deps-test
	$(GO) test -race -timeout 25m ./services/... ./streams/... ./viz/... ./web/...

# Without the race detector: these measure times, and the detector's would be among them.
test-lab: deps deps-test
	$(GO) test -timeout 40m .

## test-containers: the lab as containers, with stand-ins for the stores' images where they are not there; nothing is pulled
test-containers: deps deps-test engine
	$(GO) vet -tags containers ./...
	$(GO) test -race -p 1 -tags containers -timeout 20m -run "^TestContainers" ./viz/control ./viz/socketproxy .

## check: what can be said without running anything
check: web/node_modules/.package-lock.json
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt-ed: $$out"; exit 1; }
	$(GO) vet ./...
	$(GO) tool templ generate -path web >/dev/null && git diff --exit-code --stat -- '*_templ.go'
	cd web && node_modules/.bin/tsc -p tsconfig.json

## generate: the templates' Go code
generate:
	$(GO) tool templ generate -path web

## bench: the path from commit to screen, beside the raw limit in the same run; then the whole lab's speed and memory
bench: deps deps-test
	$(GO) test -run '^$$' -bench . -benchmem ./streams ./services/outbox ./viz/world ./viz/hub
	$(GO) test -run '^(TestFigures|TestSpeed)$$' -figures -timeout 15m -v .

## pictures: the README's screenshots, from the running lab, of the walkthrough's chapters, and of every state of the demo
pictures: deps deps-test
	$(GO) test -run '^(TestPictures|TestDemoPictures|TestWalkthrough|TestClassOnTheLab)$$' -pictures -timeout 30m -v .

build:
	@command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.26 or later from https://go.dev/dl"; exit 1; }
	@echo "building"
	@$(GO) build -trimpath -ldflags="-s -w" -o bin/ . ./services/stores/embedded
	@mv -f bin/embedded bin/stillup-stores

## install(packages, why): from the distribution where that needs no password, else say what happens instead.
define install
	if ! command -v apt-get >/dev/null; then echo "note: $(2)"; \
	elif [ "$$(id -u)" = 0 ]; then echo "installing $(1)"; apt=apt-get; \
	elif sudo -n true 2>/dev/null; then echo "installing $(1)"; apt="sudo -n apt-get"; \
	else echo "note: $(2) To have it: sudo apt-get install $(1)"; fi; \
	if [ -n "$${apt:-}" ]; then $$apt update -qq && DEBIAN_FRONTEND=noninteractive $$apt install -y -qq --no-install-recommends $(1) >/dev/null || echo "note: that failed. $(2)"; fi
endef

deps:
	@command -v redis-server >/dev/null || command -v valkey-server >/dev/null || { $(call install,redis-server,no Redis here: an embedded one is used that forgets on restart.); }
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { $(call install,postgresql,no Postgres here; without it make up ends.); }

deps-test: web/node_modules/.package-lock.json
	@command -v chromium >/dev/null || { $(call install,chromium,the browser tests need chromium and will fail.); }
	@command -v node >/dev/null || { $(call install,nodejs,the page's module tests need node and will fail.); }

# Where a daemon has to be started here, it is left running: the next run finds it.
DOCKERD_LOG := /tmp/stillup-dockerd.log
# A daemon that was killed leaves files with its process's number; the next does not start while that number lives, be it as
# another program: then the file goes, and while it is the dying daemon itself, the start is tried again.
define no_stale_pids
for f in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do \
  [ ! -e $$f ] || grep -qxE 'dockerd|containerd' /proc/$$(cat $$f)/comm 2>/dev/null || rm -f $$f; \
done
endef
engine:
	@command -v docker >/dev/null || { $(call install,docker.io iptables,no Docker here: the tests of containers will fail.); }
	@command -v docker >/dev/null || { $(call install,docker-cli,no docker command here: the tests of containers will fail.); }
	@docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || { $(call install,docker-compose,no Compose here: the tests of containers will fail.); }
	@docker info >/dev/null 2>&1 || command -v dockerd >/dev/null || { $(call install,docker.io iptables,no Docker engine here: the tests of containers will fail.); }
	@docker info >/dev/null 2>&1 || { \
	  [ "$$(id -u)" = 0 ] || { echo "the Docker engine does not answer: start it, or become a member of the group docker"; exit 1; }; \
	  command -v dockerd >/dev/null || { echo "there is no Docker engine here: install docker.io and iptables"; exit 1; }; \
	  echo "starting dockerd"; : >$(DOCKERD_LOG); pid=; \
	  for i in $$(seq 60); do \
	    docker info >/dev/null 2>&1 && break; \
	    [ -n "$$pid" ] && kill -0 $$pid 2>/dev/null || { $(no_stale_pids); setsid nohup dockerd >>$(DOCKERD_LOG) 2>&1 </dev/null & pid=$$!; }; \
	    sleep 0.5; \
	  done; \
	  docker info >/dev/null 2>&1 || { echo "dockerd does not answer after 30 s; its last words, from $(DOCKERD_LOG):"; tail -5 $(DOCKERD_LOG); exit 1; }; \
	  echo "note: dockerd was started and goes on running; its log is $(DOCKERD_LOG)"; }

# What the page is checked with (types, accessibility); the page itself has nothing of it.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { $(call install,nodejs npm,npm is needed to check the page.); }
	@echo "installing what the page is checked with"
	@cd web && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json || { echo "npm ci failed: it needs the npm registry once"; exit 1; }

clean:
	rm -rf bin data
