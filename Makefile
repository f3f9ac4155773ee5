# pull-secret: the build. `make` alone prints the help that these comments make.
# How files are made: scripts/rules.mk; what is not ours: vendor/vendor.mk.

HOST_ARCH := $(patsubst aarch64,arm64,$(firstword $(subst -, ,$(MAKE_HOST))))
## ARCH: x86_64 (or amd64) or arm64 (default: this machine's)
ARCH ?= $(HOST_ARCH)
override ARCH := $(patsubst aarch64,arm64,$(patsubst amd64,x86_64,$(ARCH)))
## MODE: release, debug, san (ASan and UBSan), cov or fuzz
MODE ?= release
## CFLAGS: further compiler options, last on the line
CFLAGS ?=
## V: 1 shows every command
V ?= 0
## VERSION: version that is embedded (default: the tag, as git describe has it)
VERSION ?= $(shell scripts/version version)
## COMMIT: commit that is embedded (default: the short hash)
COMMIT ?= $(shell scripts/version commit)
## CACHE: folder of the source archives; filled by `make fetch`
CACHE ?= .cache
## ROOTS_DIR: certificates to pick the roots from (default: ca-certificates)
ROOTS_DIR ?= $(wildcard $(CACHE)/roots.pem)
## FUZZ_SECONDS: how long `make fuzz` runs each target
FUZZ_SECONDS ?= 60
## CONTAINER_TOOL: podman or docker (default: what is there)
CONTAINER_TOOL ?= $(shell command -v podman || command -v docker)
## IMAGE_REGISTRY: where images go
IMAGE_REGISTRY ?= quay.io/openshift-hyperfleet
## IMAGE_NAME: name of the image
IMAGE_NAME ?= pull-secret
## IMAGE_TAG: tag of the image
IMAGE_TAG ?= $(VERSION)
## QUAY_USER: personal Quay user for development images
QUAY_USER ?=
## DEV_TAG: tag of development images
DEV_TAG ?= dev-$(COMMIT)

## IMAGE_TO: where images are pushed, as podman says it (default: IMAGE_REGISTRY)
IMAGE_TO ?=
## BUILDER: base image that `make image` compiles in (default: Debian 12)
BUILDER ?=
## BUILDER_DIGEST: its digest, sha256:..., to build in that image and no later one
BUILDER_DIGEST ?=
## SIGN_KEY: file of an SSH key that `make dist` signs SHA256SUMS with
SIGN_KEY ?=
## PREFIX: where `make install` puts things
PREFIX ?= /usr/local
## DESTDIR: folder that stands for / while installing
DESTDIR ?=
## LINKS: applets that `make install` links to the program, such as "validate token"
LINKS ?=

IMAGE = $(call quoted,$(IMAGE_REGISTRY)/$(IMAGE_NAME):$(IMAGE_TAG))
DEV_IMAGE = $(call quoted,quay.io/$(QUAY_USER)/$(IMAGE_NAME):$(DEV_TAG))
ROOT ?= build/image-$(ARCH)
INSTALL = $(call quoted,$(DESTDIR)$(PREFIX)) $(BIN) build/completion
RELEASE = VERSION=$(call quoted,$(VERSION)) COMMIT=$(call quoted,$(COMMIT)) \
	CONTAINER_TOOL=$(call quoted,$(CONTAINER_TOOL)) BUILDER=$(call quoted,$(BUILDER)) \
	BUILDER_DIGEST=$(call quoted,$(BUILDER_DIGEST)) SIGN_KEY=$(call quoted,$(SIGN_KEY))

.DEFAULT_GOAL := help
export CACHE ROOTS_DIR FUZZ_SECONDS
unexport CFLAGS

include scripts/rules.mk

help: ## this text
	@scripts/help

build binary: $(BIN) ## the static program, bin/pull-secret

demo: ## set up, build and show the program against an emulated Google
	@scripts/setup demo
	@$(MAKE) build
	@scripts/demo

check: ## everything that must hold: lint, tests, fuzz smoke, binary
	@scripts/setup check
	@scripts/check

test: ## unit and end-to-end tests
	@scripts/check unit e2e

unit: ## unit tests under ASan and UBSan
	@$(MAKE) MODE=san programs
	@scripts/unit build/$(ARCH)-san

valgrind: ## unit tests under valgrind
	@$(MAKE) MODE=debug programs
	@scripts/unit --valgrind build/$(ARCH)-debug

fuzz-smoke: ## every fuzz target over its corpus and 20,000 runs
	@$(MAKE) MODE=fuzz fuzzers
	@scripts/fuzz --runs 20000 build/$(ARCH)-fuzz

check-binary: $(BIN) ## the program is static, hardened, small and stripped
	@scripts/check-binary $(BIN)

e2e: $(BIN) ## the program itself against the emulator
	@scripts/e2e $(BIN)

soak: $(BIN) ## what takes long: many more faults, cuts and kills, lists of 10,000 tasks, all manifests
	@scripts/e2e $(BIN) -m soak
	@scripts/pytest tests/kubernetes tests/image -m soak

interop: $(BIN) ## Google's own clients (Go, Python, Node.js, gcloud) against the emulator and beside ours
	@scripts/setup check
	@PULL_SECRET=$(BIN) /usr/bin/python3 tests/interop

cluster: ## the image and the manifests in a real Kubernetes, built and run here; needs root
	@scripts/setup cluster
	@/usr/bin/python3 tests/cluster

kernel: $(BIN) kernel-programs # the arm64 program on a kernel of its own, emulated by qemu
	@PULL_SECRET=$(BIN) CALLS=$(CALLS) scripts/pytest tests/kernel

fuzz: ## every fuzz target for FUZZ_SECONDS
	@$(MAKE) MODE=fuzz fuzzers
	@scripts/fuzz --seconds "$(FUZZ_SECONDS)" build/$(ARCH)-fuzz

coverage: ## line and branch coverage of unit and end-to-end tests
	@$(MAKE) MODE=cov programs build
	@scripts/coverage build/$(ARCH)-cov bin/pull-secret-cov

lint: $(UNPACKED) $(GEN)/version_gen.h ## format, floors, walls, lengths, analysers
	@scripts/lint

fmt: ## format the C files in place
	@scripts/fmt

bench: $(BIN) ## size, memory, time and requests beside a script and Google's Node.js client
	@scripts/setup demo
	@scripts/bench

dist: $(BIN) fetch ## sources that build offline, binary, SBOM and SHA256SUMS in build/dist; signed with SIGN_KEY
	@$(RELEASE) scripts/dist $(patsubst x86_64,amd64,$(ARCH)) $(BIN)

install: $(BIN) $(COMPLETION) ## program, manual page and completion below DESTDIR and PREFIX, and LINKS
	@LIST="$$($(HOST_BIN) --list)" scripts/install install $(INSTALL) $(LINKS)

uninstall: ## remove what install put there, and links to it
	@scripts/install uninstall $(INSTALL)

image: ## container image, compiled in BUILDER
	@$(RELEASE) scripts/image build $(IMAGE)

image-host: image-root ## container image of the program that was built here; no base image needed
	@$(RELEASE) scripts/image host $(IMAGE) $(ROOT) $(patsubst x86_64,amd64,$(ARCH))

image-push: image ## build the image and push it
	@$(RELEASE) scripts/image push $(IMAGE) $(call quoted,$(IMAGE_TO))

image-dev: ## build the image as DEV_TAG and push it to quay.io/QUAY_USER
	@[ -n "$(QUAY_USER)" ] || { echo 'image: set QUAY_USER, your user name at quay.io' >&2; exit 2; }
	@$(RELEASE) scripts/image build $(DEV_IMAGE)
	@$(RELEASE) scripts/image push $(DEV_IMAGE)

image-root: $(BIN) # the files of the image, in the folder ROOT
	@rm -rf $(ROOT)
	@install -D $(BIN) $(ROOT)/usr/local/bin/pull-secret
	@install -d $(ROOT)/usr/share/doc/pull-secret
	@scripts/third-party notices build/vendor >$(ROOT)/usr/share/doc/pull-secret/THIRD-PARTY-NOTICES

fetch: ## fill the cache, so that a build needs no network
	@scripts/fetch
	@scripts/roots vendor/roots/pins $(CACHE)/roots.pem $(ROOTS_DIR)

setup: ## install what is missing of Debian's packages (all of it)
	@scripts/setup check

clean: ## remove what was built
	rm -rf bin build

distclean: clean ## remove the cache, too
	rm -rf $(CACHE)

.PHONY: help build binary demo check soak test kernel unit valgrind interop cluster e2e fuzz coverage lint \
	fmt bench dist install uninstall image image-host image-push image-dev image-root fetch setup clean distclean fuzz-smoke check-binary
