# `make test` and `make demo` are the two commands; both set up what is missing first.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/heqi/target
DIR ?= demo

.PHONY: setup build test long bench peers demo lint clean

setup:
	@bash scripts/setup.sh

build: setup
	cargo build --locked -p heqi

test: setup
	@bash scripts/test.sh

long: setup
	@HEQI_LONG=1 bash scripts/test.sh

bench: setup
	@bash scripts/bench.sh "$(NAME)"

# What `psi` and `share` are compared with; a benchmark goes without them where they are missing.
peers:
	@bash benches/peers/setup.sh

demo: build
	"$(CARGO_TARGET_DIR)/debug/heqi" demo --dir "$(DIR)"

lint:
	cargo fmt --all -- --check

clean:
	rm -rf "$(DIR)" portal/web/app/node_modules
