# The ten commands of a working day; `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# database tests of the other kinds carry these words in their names
other_databases := "--skip postgres --skip redis"

_list:
    @just --list --unsorted

# start everything in one process: server on :3000, data in ./data
run *arguments:
    cargo run --locked -- {{arguments}}

# everything the continuous integration proves, with private PostgreSQL and Redis
test *arguments:
    ./test.sh {{arguments}}

# the Rust tests that need no service
test-sqlite *filter:
    cargo test --locked --workspace -- {{other_databases}} {{filter}}

# formatting, lints, docs, licences and advisories, unused dependencies
lint:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    cargo deny --locked check
    cargo machete

# format, and apply what the lints can mend themselves
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# make an empty migration in both dialects: just migrate server add_webhooks
migrate side name:
    stamp="$(date -u +%Y-%m-%d-%H%M%S)_{{name}}"; \
    for dialect in postgres sqlite; do \
        mkdir -p "migrations/{{side}}/$dialect/$stamp"; \
        touch "migrations/{{side}}/$dialect/$stamp/up.sql" "migrations/{{side}}/$dialect/$stamp/down.sql"; \
    done; \
    echo "migrations/{{side}}/{postgres,sqlite}/$stamp"

# run the tests and accept their snapshots; read the difference before committing it
snap *arguments:
    INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test --locked --workspace {{arguments}}
    git status --short -- '*.snap'

# the settings of every process, and the Rust documentation
docs:
    cargo run --locked -q -p all-in-one --bin waule -- --help
    cargo run --locked -q -p all-in-one --bin waule -- server --help
    cargo run --locked -q -p all-in-one --bin waule -- gateway --help
    cargo doc --locked --workspace --no-deps --document-private-items

# measure against nginx and write bench/RESULTS.md
bench *arguments:
    cargo build --locked --release -p all-in-one -p bench
    cargo run --locked --release -p bench -- {{arguments}}

# what the continuous integration runs
ci: lint test
