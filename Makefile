# Lettercase: the commands of every day. `make help` lists them.

# mail-parser declares a newer Rust than it needs; with rustc 1.98 or newer the flag changes nothing.
CARGO_FLAGS := --ignore-rust-version
export CARGO_FLAGS

UI_SOURCES := $(shell find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -path ui/e2e -prune -o -type f -print)
UI_PACKAGES := ui/node_modules/.package-lock.json
BENCH_SET ?= small

.PHONY: help deps deps-demo ui build run demo test bench bench-idle bench-rules api fmt lint

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

deps: ## install the Debian packages the tests need, where missing
	@.ci/packages chromium fonts-inter fonts-noto-core dovecot-imapd dovecot-pop3d dovecot-lmtpd openssl postgresql strace
	@.ci/servers

deps-demo:
	@.ci/packages dovecot-imapd dovecot-lmtpd openssl

ui: ui/dist/index.html ## build the user interface

$(UI_PACKAGES): ui/package-lock.json ui/package.json
	cd ui && npm ci --no-audit --no-fund
	@touch $@

ui/dist/index.html: $(UI_SOURCES) $(UI_PACKAGES)
	cd ui && npm run build
	@touch $@

build: ui ## build target/release/lettercase with the user interface inside
	cargo build --release $(CARGO_FLAGS) -p lettercase

run: build ## start on ./data, at first empty: the browser asks for an administrator
	target/release/lettercase serve --data data

demo: deps-demo ui ## a sample company on a real mail server, new mail arriving; Ctrl+C ends it
	cargo build --release $(CARGO_FLAGS) -p lettercase -p testkit --bin lettercase --bin demo
	@exec target/release/demo

test: deps ## everything CI runs
	@.ci/test

bench-idle: build ## memory of 10,000 idle mailboxes, and how soon new mail is seen
	python3 bench/idle.py

bench-rules: ## rules and linking: time for each message, and the worst they can be given
	cargo run --release $(CARGO_FLAGS) -p intake --example rules_speed

bench: build ## intake beside mbsync, notmuch and mu, and reading; BENCH_SET=small|medium
	@.ci/packages dovecot-imapd openssl isync notmuch maildir-utils python3
	cargo build --release $(CARGO_FLAGS) -p testkit --bin bench-server
	python3 bench/run.py --set $(BENCH_SET)

api: $(UI_PACKAGES) ## write the API's description and the types the user interface is built on
	cargo run -q $(CARGO_FLAGS) -p lettercase -- openapi > target/openapi.json
	cp target/openapi.json ui/openapi.json
	cd ui && npm run -s api

fmt: ## format
	cargo fmt --all

lint: ## format check and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(CARGO_FLAGS) -- -D warnings
