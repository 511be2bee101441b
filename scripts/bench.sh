#!/usr/bin/env bash
# Builds one benchmark in release and runs it: figures on standard output, everything else on standard error.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/heqi/target}"

name="${1:-}"
if [ -z "$name" ] || [ ! -f "benches/src/cases/$name.rs" ]; then
  { echo "which benchmark? one of:"; ls benches/src/cases | sed 's/\.rs$//'; } >&2
  exit 2
fi
cargo build --locked --release -p benches --bin bench >&2
# Growth is measured on nodes that keep so many heights of states.
[ "$name" = growth ] && export KEEP="${KEEP:-1024}"
exec "$CARGO_TARGET_DIR/release/bench" "$name"
