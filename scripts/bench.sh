#!/usr/bin/env bash
# Builds one benchmark in release and runs it: figures on standard output, everything else on standard error.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/heqi/target}"

name="${1:-}"
if [ -z "$name" ] || [ ! -f "benches/src/bin/$name.rs" ]; then
  { echo "which benchmark? one of:"; ls benches/src/bin | sed 's/\.rs$//'; } >&2
  exit 2
fi
cargo build --locked --release -p benches --bin "$name" >&2
exec "$CARGO_TARGET_DIR/release/$name"
