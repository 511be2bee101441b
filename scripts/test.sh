#!/usr/bin/env bash
# Runs every test, with a PostgreSQL server of its own that ends with it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/heqi/target}"
[ -d .tools/node/bin ] && export PATH="$PWD/.tools/node/bin:$PATH"

work=$(mktemp -d)
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() { as_postgres "$bin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap stop EXIT

[ "$(id -u)" = 0 ] && chown postgres "$work"
as_postgres "$bin/initdb" -D "$work/pg" -A trust -U heqi >/dev/null
port=$(python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])')
as_postgres "$bin/pg_ctl" -D "$work/pg" -w -o "-p $port -k $work -c listen_addresses=127.0.0.1" start >/dev/null
export HEQI_TEST_POSTGRES="postgres://heqi@127.0.0.1:$port/postgres"

host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${host}_RUNNER=$PWD/scripts/program.sh"
cargo test --locked --workspace -- --include-ignored
