# make demo   builds bitzel and, with it, the bundled example image
# make test   builds it and runs every check
# Both install what is missing (as root on Debian and Ubuntu) or say what to install.

CARGO ?= cargo
DEMO_DIR ?= $(or $(TMPDIR),/tmp)/bitzel-demo

BITZEL_DEBUG = $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/bitzel

.PHONY: demo test setup servers format lint unit corpus example

demo: setup
	$(CARGO) build --release --package bitzel
	./examples/demo/setup.sh $(DEMO_DIR)
	cd $(DEMO_DIR) && $(abspath scripts/demo.sh) $(abspath $(or $(CARGO_TARGET_DIR),target))/release/bitzel

test: setup servers format lint unit corpus example

setup:
	@scripts/setup.sh

# What the fetcher's tests talk to.
servers:
	@scripts/setup.sh servers

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace -- -D warnings
	$(CARGO) clippy --workspace --tests --examples --benches -- -D warnings -A clippy::unwrap_used -A missing_docs

# Tests, the licences of all dependencies included (crates/cli/tests/licences.rs).
unit:
	$(CARGO) test --workspace

# Answers recorded from BitBake, asked of the built program.
corpus: unit
	scripts/corpus.sh $(BITZEL_DEBUG)

# The example image as BitBake builds it: files, stamps with their hashes, what it says.
example: unit
	examples/demo/check.sh 2.18 $(BITZEL_DEBUG) bitbake
	examples/demo/check.sh 2.8 $(BITZEL_DEBUG) bitbake --compat 2.8
